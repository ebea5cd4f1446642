"""Play's fold "Blend with another model": whom it can be blended with, what comes of it, and the new model.

The preview is painted from a model in memory and sent along as data: nothing is written until its button is pressed.
"""

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import NamedTuple

import gradio as gr
import numpy as np

from gan_play import limits
from gan_play.latent import blend, sample
from gan_play.latent.blend import PARTS, Shares
from gan_play.latent.sample import Model, Seed
from gan_play.refusals import Refused, refuse
from gan_play.runs import store
from gan_play.share import artwork as artworks
from gan_play.share.artwork import Artwork
from gan_play.ui import tiles
from gan_play.ui.share_routes import picture, title_of
from gan_play.ui.shared import PRIVATE, QUIET, Shared, told, visible_runs
from gan_play.ui.words import say

SEEDS = 6
"""Of the preview: as many as can be painted while a slider moves."""

SLOW_PX, FEW_SEEDS = 256, 3
"""From this size on the preview has fewer."""

MOST_REASONS = 40
"""Models that are listed with why they can't be blended; of more the newest."""


class Found(NamedTuple):
    """The other models here: choices (name and id, id) of those that can be blended, sentences on the rest."""

    choices: list[tuple[str, str]]
    reasons: list[str]


def found(shared: Shared, model: Model, key: str) -> Found:
    """Whom the model in hand can be blended with, of the runs that this browser sees."""
    ours, choices, reasons = blend.kind_of(model), [], []
    for run in visible_runs(shared, key):
        if run.id == model.run_id or run.state == "damaged" or not (run.step or run.shipped):
            continue
        if run.task != "paint":
            continue
        theirs = blend.kind_of_run(store.find_run(shared.home, run.id))
        if theirs is None:
            continue
        reason = blend.why_not(shared.home, ours, theirs)
        if reason is None:
            choices.append((say("blend.choice", name=run.name, id=run.id), run.id))
        else:
            reasons.append(reason.sentence)
    return Found(choices, reasons)


def reasons_html(model: Model, others: Found) -> str:
    """Why the rest can't be blended, folded; what to do where nobody can."""
    nobody = "" if others.choices else tiles.note(say("blend.nobody", name=model.name))
    if not others.reasons:
        return nobody
    inside = "".join(f"<li>{escape(sentence)}</li>" for sentence in others.reasons[:MOST_REASONS])
    title = escape(say("blend.reasons", count=len(others.reasons)))
    return f"{nobody}<details class='blend-reasons'><summary>{title}</summary><ul>{inside}</ul></details>"


def preview_html(
    home: Path,
    two: tuple[Model, Model],
    shares: Shares,
    seeds: list[int],
    truncation: float,
    label: int | None,
) -> str:
    """The same seeds as painted by the one, by the blend and by the other; the blend's are sent along.

    Where the two have grown apart, so that pictures fade in between, that is said.
    """
    made = blend.between(*two, shares)
    pixels, rows = {made: sample.sample(made, seeds, truncation, label)}, []
    for model in (two[0], made, two[1]):
        shown = []
        for place, seed in enumerate(seeds):
            artwork = Artwork("sample", model.digest[:16], (seed,), truncation, label)
            code = artworks.encode(artwork)
            if model is not made:
                pixels.setdefault(model, []).append(picture(home, code).pixels)
            src = tiles.data_url(pixels[made][place]) if model is made else tiles.address(code)
            shown.append(
                f'<img src="{escape(src)}" alt="{escape(title_of(artwork, model))}" draggable="false">'
            )
        rows.append(tiles.row_name(say("blend.between") if model is made else model.name) + "".join(shown))
    kept = blend.contrast_kept(
        np.stack(pixels[two[0]]), pixels[made], np.stack(pixels[two[1]]), blend.mean_share(shares)
    )
    warning = tiles.note(say("blend.faded", share=f"{kept:.0%}"), "bad") if kept < blend.FADED else ""
    sharp = " sharp" if made.generator.size_px < 64 else ""
    return (
        f'<div class="blend-rows{sharp}" role="group" aria-label="{escape(say("blend.preview"))}" '
        f'style="--seeds:{len(seeds)}">{"".join(rows)}</div>{warning}'
    )


def preview_seeds(model: Model, picked: Sequence[Seed], first: object) -> list[int]:
    """The seeds of a preview: those of the tray, then those from `first` on. Refused where `first` is no number."""
    page, most = sample.whole_seed(first), FEW_SEEDS if model.generator.size_px >= SLOW_PX else SEEDS
    of_tray = [seed for seed in picked if isinstance(seed, int)]  # a found point is one model's
    return list(dict.fromkeys([*of_tray, *range(page, page + most)]))[:most]


def create(shared: Shared, a: Model, b: Model, shares: Shares, name: str, key: str) -> str:
    """Makes the run of a blend; its id. Where strangers may come it needs a key, and each may make so many, and all
    of them together."""
    if shared.public:
        if not isinstance(key, str) or not 8 <= len(key) <= 200:
            raise Refused(refuse("no-key"))
        mine = [run for run in visible_runs(shared, key) if run.blend and not run.shipped]
        if len(mine) >= limits.MOST_BLENDS:
            raise Refused(refuse("blend-full", most=limits.MOST_BLENDS))
        every = [run for run in store.list_runs(shared.home) if run.blend and not run.shipped]
        if len(every) >= limits.MOST_BLENDS_PUBLIC:
            raise Refused(refuse("blend-full-public", most=limits.MOST_BLENDS_PUBLIC))
    owner = key if isinstance(key, str) and key else None
    return blend.make(shared.home, a, b, shares, str(name or "").strip(), owner)


class Fold(NamedTuple):
    """The components of the fold."""

    fold: gr.Accordion
    other: gr.Dropdown
    reasons: gr.HTML
    table: gr.Column
    whole: gr.Slider
    parts: dict[str, gr.Slider]
    preview: gr.HTML
    name: gr.Textbox
    make: gr.Button
    said: gr.HTML


def build() -> Fold:
    """Makes the fold where it is called; `wire` brings it to life."""

    def slider(name: str) -> gr.Slider:
        return gr.Slider(
            0.0, 1.0, 0.5, step=0.05, label=say(f"blend.{name}"), min_width=150, elem_id=f"blend-{name}"
        )

    with gr.Accordion(say("blend.title"), open=False, elem_id="blend") as fold:
        gr.HTML(tiles.note(say("blend.sentence")), elem_classes="piece", apply_default_css=False)
        other = gr.Dropdown([], label=say("blend.other"), filterable=False, elem_id="blend-other")
        reasons = gr.HTML("", elem_id="blend-reasons", elem_classes="piece", apply_default_css=False)
        with gr.Column(visible=False, elem_id="blend-table") as table:
            whole = slider("whole")
            with gr.Row():
                parts = {name: slider(name) for name in PARTS}
            preview = gr.HTML("", elem_id="blend-preview", elem_classes="piece", apply_default_css=False)
            with gr.Row(equal_height=True):
                name = gr.Textbox(
                    label=say("blend.name"),
                    max_length=store.MOST_NAME_CHARS,
                    scale=3,
                    min_width=240,  # on a phone the button stands below it
                    elem_id="blend-name",
                )
                make = gr.Button(
                    say("blend.make"), variant="primary", scale=1, min_width=160, elem_id="blend-make"
                )
        said = gr.HTML("", elem_id="blend-said", elem_classes="piece", apply_default_css=False)
    return Fold(fold, other, reasons, table, whole, parts, preview, name, make, said)


def wire(
    shared: Shared,
    it: Fold,
    digest: gr.Textbox,
    first: gr.Textbox,
    truncation: gr.Slider,
    label: gr.Textbox,
    picks,
) -> None:
    """Wires the fold to the desk: the model in hand, and what of it is shown. `picks` reads the tray, label and all."""
    home = shared.home

    def pair(in_hand: str, other: str) -> tuple[Model, Model]:
        a, b = sample.load_digest(home, in_hand), sample.load(home, str(other))
        blend.check_pair(home, a, b)
        return a, b

    def painted(in_hand, other, tray, first, truncation, label, *weights):
        """The preview, or why there is none."""
        if not in_hand or not other:
            return gr.update(value="")
        try:
            two = pair(in_hand, other)
            kind = sample.find_label(two[0], label)
            seeds = preview_seeds(two[0], [pick.seed for pick in picks(tray)], first)
            shares = blend.check_shares(**dict(zip(PARTS, weights)))
            return gr.update(value=preview_html(home, two, shares, seeds, truncation, kind))
        except Refused as refused:
            return gr.update(value=tiles.note(refused.refusal.sentence, "bad"))

    def look(in_hand: str, key: str, chosen: str):
        """The other models, when the fold is opened or another model is taken in hand."""
        if not in_hand:
            return [gr.skip()] * 4
        model = sample.load_digest(home, in_hand)
        others = found(shared, model, key)
        value = chosen if chosen in {run for _, run in others.choices} else None
        return [
            gr.update(choices=others.choices, value=value, visible=bool(others.choices)),
            gr.update(value=reasons_html(model, others)),
            gr.update(visible=value is not None),
            gr.update(visible=blend.has_mapping(model.generator)),
        ]

    desk = [digest, it.other, shared.tray, first, truncation, label]
    weights = [*it.parts.values()]
    shown = {"fn": painted, "outputs": it.preview, "trigger_mode": "always_last", **QUIET}
    looked = [it.other, it.reasons, it.table, it.parts["mapping"]]
    for name, event in (("open", it.fold.expand), ("model", digest.change)):
        event(look, [digest, shared.key, it.other], looked, api_name=f"ui_blend_{name}", **QUIET).then(
            inputs=[*desk, *weights], api_name=f"ui_blend_{name}_shown", **shown
        )
    it.other.input(
        lambda other: (gr.update(visible=bool(other)), gr.update(value="")),
        it.other,
        [it.table, it.said],
        api_name="ui_blend_other",
        **QUIET,
    ).then(inputs=[*desk, *weights], api_name="ui_blend_other_shown", **shown)
    for at in ("input", "release"):  # a slider's own reset and a typed number come as a release
        getattr(it.whole, at)(
            None,
            it.whole,
            weights,
            js=f"(w) => Array({len(PARTS)}).fill(w)",
            api_name=f"ui_blend_all_{at}",
            **PRIVATE,
        )
        whole = [*desk, *[it.whole] * len(PARTS)]
        getattr(it.whole, at)(inputs=whole, api_name=f"ui_blend_whole_{at}", **shown)
        for name, slider in it.parts.items():
            getattr(slider, at)(inputs=[*desk, *weights], api_name=f"ui_blend_{name}_{at}", **shown)

    def make(in_hand: str, other: str, name: str, key: str, *weights):
        """The blend becomes a model, and is taken in hand."""
        with told():
            a, b = pair(in_hand, other)
            run = create(shared, a, b, blend.check_shares(**dict(zip(PARTS, weights))), name, key)
            called = sample.load(home, run).name
        return [
            gr.update(value=run),
            gr.update(value=""),
            gr.update(value=None),
            gr.update(value=tiles.note(say("blend.made", name=called), "good")),
        ]

    it.make.click(
        make,
        [digest, it.other, it.name, shared.key, *weights],
        [shared.model, it.name, it.other, it.said],
        api_name="ui_blend_make",
        concurrency_limit=1,
        show_progress="minimal",
        show_progress_on=it.said,
        **PRIVATE,
    )

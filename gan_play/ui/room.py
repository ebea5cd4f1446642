"""Play's components in their places; `play.build` has them wired."""

import dataclasses
from types import SimpleNamespace

import gradio as gr

from gan_play import limits
from gan_play.latent import film, steer, walk
from gan_play.measure.attributes import ATTRIBUTES
from gan_play.runs import store
from gan_play.share import artwork as artworks
from gan_play.ui import (
    at_once,
    blend,
    cards,
    collect,
    directions,
    look,
    sliders,
    taste,
    tiles,
    timeline,
    yours,
)
from gan_play.ui.desk import LABEL_TOOLS, Desk
from gan_play.ui.shared import Shared
from gan_play.ui.wires import paints
from gan_play.ui.words import say


def build(shared: Shared) -> SimpleNamespace:
    """Makes the components; the result has each by its name."""
    home = shared.home

    def piece(name: str, **more: object) -> gr.HTML:
        return gr.HTML(
            "",
            elem_id=name,
            elem_classes="piece",
            js_on_load=tiles.script(),
            apply_default_css=False,
            server_functions=collect.functions(shared),
            **more,
        )

    def hidden(name: str, value: str) -> gr.Textbox:
        return gr.Textbox(value, visible="hidden", elem_id=f"play-{name}", label=name)

    default = Desk()
    message = gr.HTML(
        "",
        elem_id="play-message",
        elem_classes="piece",
        js_on_load=look.polling("waiting.js"),
        apply_default_css=False,
    )
    empty = not any(map(paints, store.list_runs(home)))
    with gr.Column(visible=empty, elem_id="play-empty") as nothing:
        gr.HTML(look.sentence(say("play.empty")))
        begin = gr.Button(say("play.empty.do"), variant="primary", elem_id="play-begin")
    with gr.Column(visible=False, elem_id="play-room") as whole:
        with gr.Row(elem_id="play-model"):
            model = gr.Dropdown(
                [], label=say("play.model"), scale=3, elem_id="play-model-choice", filterable=False
            )
            newest = gr.Button(say("play.newest"), scale=0, min_width=140, size="md", elem_id="play-newest")
        standing = gr.HTML("", elem_id="play-standing", elem_classes="piece", apply_default_css=False)
        blending = blend.build()
        with gr.Row(elem_id="play-table"):
            with gr.Column(elem_id="play-stage", scale=5, min_width=320):
                view = piece("stage")
                facts = gr.HTML("", elem_id="proof", elem_classes="piece", apply_default_css=False)
                near_it = gr.Button(say("play.near"), size="md", visible=False, elem_id="play-near")
                nearby = gr.HTML("", elem_id="nearest", elem_classes="piece", apply_default_css=False)
            with gr.Column(elem_id="play-grid", scale=8, min_width=320):
                kind = gr.Dropdown([], label=say("play.label"), visible=False, elem_id="play-label")
                seeds = piece("seeds")
                with gr.Row(elem_id="play-pages"):
                    previous = gr.Button(say("play.previous"), min_width=80, elem_id="play-previous")
                    wanted = gr.Textbox(
                        placeholder=say("play.seed"),
                        show_label=False,
                        container=False,
                        min_width=120,
                        max_length=20,
                        elem_id="play-seed",
                        label=say("play.seed"),
                    )
                    following = gr.Button(say("play.next"), min_width=80, elem_id="play-next")
                span = gr.HTML("", elem_id="play-range", elem_classes="piece", apply_default_css=False)
                truncation = gr.Slider(
                    0.0,
                    2.0,
                    default.truncation,
                    step=0.05,
                    label=say("play.truncation"),
                    elem_id="play-truncation",
                )
                bold = gr.HTML(
                    "",
                    elem_id="play-adventure",
                    elem_classes="piece",
                    js_on_load=sliders.script(),
                    apply_default_css=False,
                )
            with gr.Column(elem_id="play-tools", scale=5, min_width=320):
                tool = gr.Radio(
                    [(say(f"play.tool.{name}"), name) for name in LABEL_TOOLS],
                    value="sample",
                    show_label=False,
                    container=False,
                    elem_id="play-tool",
                )
                hint = gr.HTML("", elem_classes="piece", apply_default_css=False)
                with gr.Column(visible=False) as mix_controls:
                    two = piece("pair")
                    bands = {
                        name: gr.Slider(
                            0.0,
                            1.0,
                            getattr(default, name),
                            step=0.05,
                            label=say("play.weight", band=say(f"play.{name}")),
                            elem_id=f"play-{name}",
                        )
                        for name in ("coarse", "middle", "fine")
                    }
                with gr.Column(visible=False) as breed_controls:
                    heads = piece("parents")
                    brood = piece("brood")
                    strength = gr.Slider(
                        0.02,
                        1.0,
                        default.strength,
                        step=0.02,
                        label=say("breed.strength"),
                        elem_id="play-strength",
                    )
                    held = gr.CheckboxGroup(
                        [(say(f"play.{name}"), name) for name in artworks.BANDS],
                        value=[],
                        label=say("breed.held"),
                        elem_id="play-held",
                    )
                    with gr.Row(elem_id="play-breed-acts"):
                        breed_on, breed_keep, breed_cross, breed_again, breed_back = (
                            gr.Button(
                                say(f"breed.{name}"),
                                size="md",
                                min_width=120,
                                variant="primary" if name == "on" else "secondary",
                                elem_id=f"play-breed-{name}",
                            )
                            for name in ("on", "keep", "cross", "again", "back")
                        )
                with gr.Column(visible=False) as steer_controls:
                    with gr.Row(elem_id="play-steer"):
                        steering = {
                            name: gr.Slider(
                                -limits.MOST_AMOUNT,
                                limits.MOST_AMOUNT,
                                0.0,
                                step=steer.STEP,
                                label=say(f"steer.{name}"),
                                min_width=150,
                                elem_id=f"play-steer-{name}",
                            )
                            for name in ATTRIBUTES
                        }
                    reset = gr.Button(say("steer.reset"), size="md", elem_id="play-steer-reset")
                    colours = yours.palette_controls()
                with gr.Column(visible=False) as own_controls:
                    own = yours.controls()
                with gr.Column(visible=False) as figure_controls:
                    band = gr.Radio(
                        [(say(f"play.{name}"), name) for name in artworks.BANDS],
                        value="coarse",
                        label=say("play.band"),
                        elem_id="play-band",
                    )
                    rows, columns = (
                        gr.Textbox(
                            label=say(f"play.{name}"), placeholder=say("play.from_tray"), max_length=160
                        )
                        for name in ("rows", "columns")
                    )
                with gr.Column(visible=False) as label_controls:
                    kinds = gr.Textbox(
                        label=say("play.kinds"),
                        placeholder=say("play.all_labels"),
                        max_length=400,
                        elem_id="play-kinds",
                    )
                    across = gr.Textbox(
                        label=say("play.columns"), placeholder=say("play.from_tray"), max_length=160
                    )
                with gr.Column(visible=False) as walk_controls:
                    every = gr.Button(say("play.every_label"), visible=False, elem_id="play-every-label")
                    planning = gr.Button(say("film.open"), size="md", elem_id="play-timeline")
                    with gr.Column(elem_id="play-simple-walk") as simple:
                        seconds = gr.Slider(
                            1, 30, default.seconds, step=1, label=say("play.seconds"), elem_id="play-seconds"
                        )
                        loop = gr.Checkbox(True, label=say("play.loop"), elem_id="play-loop")
                        how = gr.Radio(
                            [(say(f"play.how.{name}"), name) for name in walk.WAYS],
                            value="w",
                            label=say("play.how"),
                        )
                        easing = gr.Radio(
                            [(say(f"play.easing.{name}"), name) for name in walk.EASINGS],
                            value="smooth",
                            label=say("play.easing"),
                        )
                    form = gr.Radio(
                        [(say(f"play.form.{name}"), name) for name in film.FORMATS],
                        value="mp4",
                        label=say("play.form"),
                        elem_id="play-form",
                    )
                    with gr.Row():
                        make = gr.Button(
                            say("play.film.make"), variant="primary", elem_id="play-make", min_width=120
                        )
                        cancel = gr.Button(
                            say("play.film.cancel"), visible=False, elem_id="play-cancel", min_width=100
                        )
                    progress = gr.HTML(
                        "", elem_id="film-progress", elem_classes="piece", apply_default_css=False
                    )
        ways = gr.HTML(
            "",
            elem_id="directions",
            elem_classes="piece",
            js_on_load=directions.script(),
            apply_default_css=False,
        )
        keyframes = gr.HTML(
            "",
            elem_id="timeline",
            elem_classes="piece",
            js_on_load=timeline.script(),
            apply_default_css=False,
        )
        liked = taste.build(piece)
        with gr.Row(elem_id="play-open-row"):
            cards.zone(shared, "play")
        tree = piece("family", visible=False)
        strip = piece("tray")
        hand = gr.HTML(
            "",
            elem_id="play-hand",
            elem_classes="piece",
            js_on_load=at_once.script(),
            apply_default_css=False,
        )
    digest, seed, first = hidden("digest", ""), hidden("current", "0"), hidden("first", "0")
    code, opened, handled = shared.made, hidden("opened", ""), hidden("handled", "{}")
    label = hidden("label-number", "")
    parents, chosen, roll = hidden("parents", ""), hidden("chosen", ""), hidden("roll", default.roll)
    base, came, plan = hidden("base", ""), hidden("came", ""), hidden("plan", "")
    found, measured = hidden("found", ""), hidden("measured", "")
    asked = hidden("asked", "")  # what was done last in the list of directions
    edited = hidden("edited", "")  # what was done last in the row of keyframes
    let_go = hidden("let-go", "")  # when a slider was moved by keys, which Gradio doesn't call a release
    heard = hidden("heard", "")  # the last sound that was kept
    moment = hidden("moment", "")  # stands for when an event was asked for (`ui/stopping.py`)
    point = hidden("point", "")  # the last that a search has found

    fields = {
        "digest": digest, "seed": seed, "first": first, "tray": shared.tray, "truncation": truncation, "tool": tool,
        "coarse": bands["coarse"], "middle": bands["middle"], "fine": bands["fine"], "band": band, "rows": rows,
        "columns": columns, "seconds": seconds, "loop": loop, "how": how, "easing": easing, "form": form,
        "opened": opened, "label": label, "kinds": kinds, "across": across,
        "parents": parents, "chosen": chosen, "came": came, "roll": roll, "strength": strength, "held": held,
        "plan": plan, "base": base, "found": found, **steering,
    }  # fmt: skip
    assert list(fields) == [field.name for field in dataclasses.fields(Desk)]
    pieces = {
        "stage": view, "code": code, "grid": seeds, "tray_view": strip, "pair": two, "adventure": bold, "range": span,
        "parents_view": heads, "brood": brood, "timeline": keyframes,
    }  # fmt: skip
    groups = {
        "mix": mix_controls,
        "breed": breed_controls,
        "steer": steer_controls,
        "project": own_controls,
        "mix_grid": figure_controls,
        "walk": walk_controls,
        "label_grid": label_controls,
    }
    desk_in = list(fields.values())
    told_too = [hint, message, kind, every, standing, near_it, planning, simple]
    desk_out = [*desk_in, *pieces.values(), *groups.values(), *told_too]
    return SimpleNamespace(
        across=across, asked=asked, band=band, bands=bands, base=base, begin=begin, blending=blending,
        breed_again=breed_again, breed_back=breed_back, breed_cross=breed_cross, breed_keep=breed_keep,
        breed_on=breed_on, brood=brood, cancel=cancel, code=code, colours=colours, columns=columns,
        desk_in=desk_in, desk_out=desk_out, digest=digest, easing=easing, edited=edited, every=every, facts=facts,
        fields=fields, first=first, following=following, form=form, found=found, groups=groups, hand=hand,
        handled=handled, heads=heads, heard=heard, held=held, hint=hint, how=how, keyframes=keyframes, kind=kind,
        kinds=kinds, label=label, let_go=let_go, liked=liked, loop=loop, make=make, measured=measured, message=message,
        model=model, moment=moment, near_it=near_it, nearby=nearby, newest=newest, nothing=nothing, own=own,
        parents=parents, pieces=pieces, plan=plan, planning=planning, point=point, previous=previous, progress=progress,
        reset=reset, rows=rows, seconds=seconds, seed=seed, seeds=seeds, simple=simple, standing=standing,
        steering=steering, strength=strength, strip=strip, tool=tool, tree=tree, truncation=truncation, two=two,
        view=view, wanted=wanted, ways=ways, whole=whole,
    )  # fmt: skip

"""Play: every picture is a seed. Pick, mix, breed, steer, walk.

The tab is a function of its controls: `Desk` is what lies on the table, each event makes a new desk from the one
that the browser sent, and `paint` sends back what differs. What the stage shows is always one `Artwork`, so it has a
code, an address and a link. Pictures come by `<img>` from their address (`ui/share_routes.py`), rendered canonically.
"""

import contextlib
import dataclasses
import json
import queue
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import gradio as gr

from gan_play import limits
from gan_play.latent import film, palette, sample, steer, walk
from gan_play.latent.sample import Model
from gan_play.measure.attributes import ATTRIBUTES
from gan_play.refusals import Refused, refuse
from gan_play.runs import store
from gan_play.share import artwork as artworks
from gan_play.share.artwork import Artwork
from gan_play.share.gallery import check_alive
from gan_play.ui import (
    blend,
    breed,
    cards,
    collect,
    directions,
    gallery,
    look,
    sliders,
    sounds,
    stopping,
    taste,
    tiles,
    timeline,
    verdict,
    yours,
)
from gan_play.ui.desk import (
    LABEL_TOOLS,
    TOOLS,
    Desk,
    Pick,
    artwork_of,
    desk_of,
    fitting,
    found_in,
    go,
    label_text,
    pick,
    read_label,
    rearrange,
    steered,
    through_labels,
    training_pick,
    tray_picks,
    turn,
)
from gan_play.ui.gather import uploaded
from gan_play.ui.share_routes import picture
from gan_play.ui.shared import (
    PRIVATE,
    QUIET,
    Shared,
    is_run,
    recent_runs,
    told,
    visible_runs,
    whose,
)
from gan_play.ui.showing import nearest, proof, shown
from gan_play.ui.words import say

MOST_TRIED = 5
"""Models tried for one that can be read, where nothing is in hand."""


# What the desk looks like


# Events


def films(home: Path, artwork: Artwork, form: str) -> Iterator[str]:
    """Makes a film and yields sentences on the way; whoever stops listening cancels it, and nothing stays behind."""
    told_so_far: queue.Queue = queue.Queue()
    given_up = threading.Event()

    class Cancelled(Exception):
        pass

    def progress(done: int, total: int | None) -> None:
        if given_up.is_set():
            raise Cancelled
        told_so_far.put((done, total))

    def make() -> None:
        try:
            artworks.render(home, artwork, form, progress)
            told_so_far.put(None)
        except Cancelled:
            pass
        except Exception as error:  # handed to the listener, who raises it in the event's own thread
            told_so_far.put(error)

    threading.Thread(target=make, daemon=True, name="film").start()
    begun = shown_at = time.monotonic()
    try:
        yield tiles.waiting(say("play.film.begin"), 0.0)
        while True:
            news = told_so_far.get()
            if news is None:
                return
            if isinstance(news, Exception):
                raise news
            done, total = news
            now = time.monotonic()
            if total and now - shown_at > 0.25:
                shown_at = now
                left = look.time_words((now - begun) / done * (total - done))
                yield tiles.waiting(say("play.film.frames", done=done, total=total, left=left), done / total)
    finally:
        given_up.set()


def paints(run: store.RunSummary) -> bool:
    """Whether a run has a model that paints from seeds."""
    return run.task == "paint" and bool(run.step or run.shipped)


def playable(shared: Shared, key: str) -> list[tuple[str, str]]:
    """The runs whose model can be played with, as choices: name and size, id. None that needs a picture."""
    runs = [run for run in visible_runs(shared, key) if run.state != "damaged" and paints(run)]
    return [(say("play.choice", name=run.name, size=run.size_px), run.id) for run in runs]


# The tab


def build(shared: Shared) -> None:
    """Make the tab's components and wire them."""
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
    with gr.Column(visible=False, elem_id="play-room") as room:
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
                span = gr.HTML("", elem_classes="piece", apply_default_css=False)
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
    digest, seed, first = hidden("digest", ""), hidden("current", "0"), hidden("first", "0")
    code, opened, handled = shared.made, hidden("opened", ""), hidden("handled", "{}")
    label = hidden("label-number", "")
    parents, chosen, roll = hidden("parents", ""), hidden("chosen", ""), hidden("roll", default.roll)
    base, came, plan = hidden("base", ""), hidden("came", ""), hidden("plan", "")
    found, measured = hidden("found", ""), hidden("measured", "")
    asked = hidden("asked", "")  # what was done last in the list of directions
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

    def offered(in_hand: Model, key: str) -> object:
        """The list of models, with the one in hand chosen."""
        choices = playable(shared, key)
        if in_hand.run_id not in {value for _, value in choices}:
            choices.append(
                (say("play.choice", name=in_hand.name, size=in_hand.generator.size_px), in_hand.run_id)
            )
        return gr.update(choices=choices, value=in_hand.run_id)

    def answer(old: Desk, new: Desk) -> dict:
        """The updates of the page from one desk to the next."""
        model = sample.load_digest(home, new.digest)
        new = fitting(new, model)
        parts = fields | pieces
        said = {parts[name]: gr.update(value=value) for name, value in shown(home, old, new).items()}
        said |= {group: gr.update(visible=new.tool == name) for name, group in groups.items()}
        if bool(new.plan) != bool(old.plan):
            said[planning] = gr.update(value=say("film.close" if new.plan else "film.open"))
            said[simple] = gr.update(visible=not new.plan)
        picker = {"value": new.label or None, "visible": bool(model.labels)}
        if new.digest != old.digest:  # there may be a thousand names: they are sent once
            picker["choices"] = [(name, str(number)) for number, name in enumerate(model.labels)]
            offered = LABEL_TOOLS if model.labels else TOOLS
            said[tool] = gr.update(
                choices=[(say(f"play.tool.{name}"), name) for name in offered], value=new.tool
            )
            said[every] = gr.update(visible=bool(model.labels))
            folder = store.find_run(home, model.run_id)
            said[standing] = gr.update(value=verdict.standing(folder, model.step))
            said[near_it] = gr.update(
                visible=(folder / "set").exists()
            )  # else there is nothing to compare with
        said[kind] = gr.update(**picker)
        return said | {hint: gr.update(value=tiles.note(say(f"play.hint.{new.tool}")))}

    def refusal_of(old: Desk, refused: Refused) -> dict:
        """The sentence, and the row of keyframes as it is: it was changed by hand before it was sent."""
        said = {message: gr.update(value=tiles.note(refused.refusal.sentence, "bad"))}
        with contextlib.suppress(Refused):
            if old.plan:
                model, mark = sample.load_digest(home, old.digest), secrets.token_hex(4)
                said[keyframes] = gr.update(value=timeline.html(old, model, home, mark))
        return said

    def ask(old: Desk, change: Callable[[], Desk]) -> dict:
        """The page after a change; where that is refused, the sentence that says why, and the page as it was."""
        try:
            return answer(old, change()) | {message: gr.update(value="")}
        except Refused as refused:
            return refusal_of(old, refused)

    def on(event, change, *more_in, **options) -> object:
        """Wire an event to a function from the desk (and `more_in`) to a new desk."""
        name = f"ui_play_{change.__name__}"

        def run(*values):
            desk, extra = Desk.sent(values[: len(desk_in)]), values[len(desk_in) :]
            if not desk.digest:
                return gr.skip()
            return ask(desk, lambda: change(desk, *extra))

        return event(run, [*desk_in, *more_in], desk_out, api_name=name, **(QUIET | options))

    def on_piece(event, change, name: str) -> object:
        """Wire an event of our own pieces, which carries data, to a function from desk and data to a new desk."""

        def run(event: gr.EventData, *values):
            desk = Desk.sent(values)
            if not desk.digest:
                return gr.skip()
            return ask(desk, lambda: change(desk, event._data if isinstance(event._data, dict) else {}))

        return event(run, desk_in, desk_out, api_name=f"ui_play_{name}", **QUIET)

    def picked(desk: Desk, data: dict) -> Desk:
        if data.get("seed"):
            picked = pick(desk, sample.check_seed(data["seed"]), read_label(data.get("label")))
            return dataclasses.replace(
                steered(picked) if picked.tool == "steer" else picked, chosen="", came=""
            )
        chosen = artworks.decode(str(data.get("code")))  # a mix in the figure
        return desk_of(chosen, str(data.get("code")), desk)

    def child(desk: Desk, data: dict) -> Desk:
        code = artworks.find_code(str(data.get("code")))
        came = breed.came(desk, sample.load_digest(home, desk.digest), code)
        return dataclasses.replace(desk, chosen=code, came=came, opened="")

    def acted(desk: Desk, data: dict) -> Desk:
        do = data.get("do")
        if do == "to-breed":
            return breed.begin(desk, artworks.find_code(str(data.get("code"))))
        if do == "to-steer":
            return dataclasses.replace(steered(desk, artworks.decode(str(data.get("code")))), opened="")
        if do == "to-film":
            return filmed(desk, {"what": "code", "code": data.get("code")})
        chosen = desk.current
        if data.get("seed"):
            chosen = Pick(sample.check_seed(data["seed"]), read_label(data.get("label")))
        if do in ("to-mix", "to-walk"):
            tray_with = desk if chosen in desk.picks else pick(desk, *chosen)
            return dataclasses.replace(tray_with, tool=do[3:])
        to = Pick(sample.check_seed(data.get("to") or "0"), read_label(data.get("to_label")))
        return rearrange(desk, str(do), chosen, to)

    # The timeline: what is on it is one code; any change of it makes another

    def filmed(desk: Desk, data: dict) -> Desk:
        in_hand, what = sample.load_digest(home, desk.digest), data.get("what")
        if what == "silence":
            return dataclasses.replace(desk, plan=timeline.sounding(desk, in_hand, None))
        picks = desk.picks if what == "tray" else [desk.current]
        pictures = [Artwork("sample", in_hand.digest[:16], (seed,), label=label) for seed, label in picks]
        if what == "code":
            pictures = [breed.in_model(str(data.get("code")), in_hand, desk.truncation)]
        if not pictures:
            return desk
        new = dataclasses.replace(desk, plan=timeline.added(desk, in_hand, pictures), tool="walk", opened="")
        if not timeline.fits(new.plan, in_hand):
            raise Refused(refuse("genome"))
        return new

    def planned(desk: Desk, data: dict) -> Desk:
        in_hand = sample.load_digest(home, desk.digest)
        return dataclasses.replace(desk, plan=timeline.changed(desk, in_hand, str(data.get("plan"))))

    def hear(event: gr.EventData, *values):
        """A sound that was dropped is kept; the plan that it goes into is that of the moment when this is done."""
        data = event._data if isinstance(event._data, dict) else {}
        try:
            sound = sounds.kept(home, uploaded(data.get("path")), shared.public)
            return {heard: gr.update(value=timeline.told(sound))}
        except Refused as refused:
            return refusal_of(Desk.sent(values), refused)

    def sounded(desk: Desk, text: str) -> Desk:
        in_hand = sample.load_digest(home, desk.digest)
        sound = timeline.heard(home, text)
        return dataclasses.replace(desk, plan=timeline.sounding(desk, in_hand, sound))

    def use_timeline(desk: Desk) -> Desk:
        in_hand = sample.load_digest(home, desk.digest)
        return dataclasses.replace(desk, plan="" if desk.plan else timeline.begin(desk, in_hand), opened="")

    on(planning.click, use_timeline)
    on_piece(keyframes.more, filmed, "film_add")
    on_piece(keyframes.plan, planned, "film_plan")
    keyframes.sound(
        hear,
        desk_in,
        [heard, message, keyframes],
        api_name="ui_play_film_sound",
        concurrency_limit=1,  # each decodes in a process of its own
        **QUIET | {"queue": True},
    )
    on(heard.change, sounded, heard)

    for source in (seeds, strip, view, two, liked.best):
        name = source.elem_id
        on_piece(source.pick, picked, f"pick_{name}")
    for source in (heads, brood):
        on_piece(source.pick, child, f"pick_{source.elem_id}")
    for source in (strip, view, two):
        on_piece(source.act, acted, f"act_{source.elem_id}")

    def stay(desk: Desk) -> Desk:
        return desk

    def back(desk: Desk) -> Desk:
        return turn(desk, -1)

    def forth(desk: Desk) -> Desk:
        return turn(desk, 1)

    taste.wire(shared, liked, digest, truncation, label)
    on(previous.click, back)
    on(following.click, forth)
    on(wanted.submit, go, wanted)

    def use_tool(desk: Desk) -> Desk:
        return dataclasses.replace(desk, chosen="", came="") if desk.tool == "breed" else desk

    on(tool.input, use_tool)

    # Breeding: what is on the stage is bred from, kept, or crossed with the parent

    def owner(key: str) -> str:
        return whose(shared, key)

    def on_stage(desk: Desk) -> tuple[Model, Artwork]:
        in_hand = sample.load_digest(home, desk.digest)
        return in_hand, artwork_of(dataclasses.replace(desk, tool="breed"), in_hand)

    def breed_from(desk: Desk, key: str) -> Desk:
        in_hand, artwork = on_stage(desk)
        breed.keep_in_tree(home, owner(key), desk, in_hand, artwork)
        return breed.begin(desk, artworks.encode(artwork))

    def breed_keeps(desk: Desk, key: str) -> Desk:
        in_hand, artwork = on_stage(desk)
        breed.keep_in_tree(home, owner(key), desk, in_hand, artwork)
        return desk

    def breed_crosses(desk: Desk, key: str) -> Desk:
        in_hand, artwork = on_stage(desk)
        if desk.came:  # else where this child came from would be forgotten
            breed.keep_in_tree(home, owner(key), desk, in_hand, artwork)
        return breed.cross_with(desk, in_hand, artworks.encode(artwork))

    def breed_anew(desk: Desk) -> Desk:
        return dataclasses.replace(desk, roll=breed.new_roll(), chosen="", came="")

    def breed_goes_back(desk: Desk, key: str) -> Desk:
        return breed.step_back(home, owner(key), desk, sample.load_digest(home, desk.digest))

    def branch(desk: Desk, data: dict) -> Desk:
        return breed.begin(desk, artworks.find_code(str(data.get("code"))))

    def grow(key: str, *values):
        """The family tree of who is bred now."""
        desk = Desk.sent(values)
        if desk.tool != "breed" or not desk.digest:
            return gr.update(visible=False)
        try:
            html = breed.tree_html(home, owner(key), desk, sample.load_digest(home, desk.digest))
        except Refused as refused:
            html = tiles.note(refused.refusal.sentence, "bad")
        return gr.update(value=html, visible=True)

    def named(key: str, in_hand: str):
        """The list of models, where a click in the tree has led to another one."""
        return offered(sample.load_digest(home, in_hand), key) if in_hand else gr.skip()

    growing = {"fn": grow, "inputs": [shared.key, *desk_in], "outputs": [tree]}
    for event, change, *more in (
        (breed_on.click, breed_from, shared.key),
        (breed_keep.click, breed_keeps, shared.key),
        (breed_cross.click, breed_crosses, shared.key),
        (breed_back.click, breed_goes_back, shared.key),
    ):
        done = on(event, change, *more).then(**growing, api_name=f"ui_play_tree_{change.__name__}", **QUIET)
        if change is breed_goes_back:
            done.then(named, [shared.key, digest], model, api_name="ui_play_back_named", **QUIET)
    on(breed_again.click, breed_anew)

    def steer_back(desk: Desk) -> Desk:
        rest = dict.fromkeys(ATTRIBUTES, 0.0)
        return dataclasses.replace(desk, found=directions.at_rest(desk.found), **rest)

    on(reset.click, steer_back)

    # The model's own directions: the list is written when the picture changes, and again when they have names

    def directed(desk: Desk, data: dict) -> Desk:
        return directions.changed(desk, sample.load_digest(home, desk.digest), data)

    def listed(key: str, desk: Desk) -> str:
        in_hand, rest = sample.load_digest(home, desk.digest), dict.fromkeys(ATTRIBUTES, 0.0)
        origin = artwork_of(dataclasses.replace(desk, found="", **rest), in_hand)
        return directions.list_html(home, owner(key), desk, in_hand, origin)

    def list_ways(key: str, *values):
        """The list of directions; nothing while another tool is open."""
        desk = Desk.sent(values)
        if desk.tool != "steer" or not desk.digest:
            return gr.update(value="")
        try:
            return gr.update(value=listed(key, desk))
        except Refused as refused:
            return gr.update(value=tiles.note(refused.refusal.sentence, "bad"))

    def name_ways(key: str, *values):
        """Tries out directions that have no names yet: for the list, which is then written anew, and for films."""
        desk = Desk.sent(values)
        if desk.digest and (desk.tool == "steer" or (desk.tool == "walk" and desk.plan)):
            with contextlib.suppress(Refused):
                in_hand = sample.load_digest(home, desk.digest)
                if stamp := directions.measure(home, owner(key), desk, in_hand):
                    return gr.update(value=stamp)
        return gr.skip()

    def rename_way(event: gr.EventData, key: str, *values):
        """A direction gets a name, or with none goes by its proposed one again."""
        desk, data = Desk.sent(values), event._data if isinstance(event._data, dict) else {}
        try:
            directions.rename(home, owner(key), sample.load_digest(home, desk.digest), data)
            return gr.update(value=listed(key, desk)), gr.update(value="")
        except Refused as refused:
            return gr.skip(), gr.update(value=tiles.note(refused.refusal.sentence, "bad"))

    def direct(asked: str, *values):
        """What is done in the list of directions."""
        desk, data = Desk.sent(values), directions.asked(asked)
        return ask(desk, lambda: directed(desk, data)) if desk.digest else gr.skip()

    gr.on(
        [found.change, tool.change, seed.change, label.change, base.change, digest.change, measured.change]
        + [truncation.release, plan.change],
        list_ways,
        [shared.key, *desk_in],
        ways,
        api_name="ui_play_directions",
        trigger_mode="always_last",
        **QUIET,
    ).then(name_ways, [shared.key, *desk_in], measured, api_name="ui_play_directions_named", **QUIET)
    asked.change(
        direct,
        [asked, *desk_in],
        desk_out,
        api_name="ui_play_act_directions",
        trigger_mode="always_last",
        **QUIET,
    )
    ways.rename(rename_way, [shared.key, *desk_in], [ways, message], api_name="ui_play_rename", **QUIET)
    for source in (strength.release, held.input):
        on(source, stay)
    on_piece(tree.pick, branch, "pick_family").then(
        named, [shared.key, digest], model, api_name="ui_play_family_named", **QUIET
    )
    gr.on([parents.change, tool.change, seed.change], **growing, api_name="ui_play_tree", **QUIET)

    # A picture of one's own, and painting towards a palette

    def lie(pixels) -> dict:
        """What was chosen lies on the canvas."""
        return {own["canvas"]: gr.update(value=yours.on_canvas(pixels)), own["progress"]: gr.update(value="")}

    def wrong(where: gr.HTML, refused: Refused) -> dict:
        return {where: gr.update(value=tiles.note(refused.refusal.sentence, "bad"))}

    def drop_own(path: str | None):
        """Put a picture that was dropped onto the canvas."""
        if not path:
            return gr.skip()
        try:
            return lie(yours.read_file(path))
        except Refused as refused:
            return wrong(own["progress"], refused)

    def bring(desk: Desk) -> Desk:
        """Open the tool for a picture that another tab has sent."""
        return dataclasses.replace(desk, tool="project")

    def take_stage(code: str):
        """Put what the stage shows onto the canvas."""
        try:
            return lie(picture(home, code).pixels) if code else gr.skip()
        except Refused as refused:
            return wrong(own["progress"], refused)

    lying = [own["canvas"], own["progress"]]
    own["drop"].upload(drop_own, own["drop"], lying, api_name="ui_play_own", **PRIVATE)
    own["stage"].click(take_stage, code, lying, api_name="ui_play_own_stage", **QUIET)
    on(shared.brought.change, bring)
    shared.brought.change(drop_own, shared.brought, lying, api_name="ui_play_brought", **PRIVATE)

    def stopper(work: str, said: str) -> Callable:
        def stop(when: str, request: gr.Request):
            """The work ends at its next step."""
            stopping.stop(request, work, when)
            return gr.update(value=said)

        return stop

    def follow(part: dict, begin: Callable, over: Callable[[], bool]):
        """A search on the page: its progress, its Stop button and the point so far. A stop comes into force at a look,
        so that there is something to keep."""
        where, stop = part["progress"], part["stop"]
        yield {stop: gr.update(visible=True, value=say("yours.stop")), point: gr.update(value="")}
        try:
            for html, so_far in begin():
                ended = bool(so_far) and over()
                said = tiles.note(say("yours.stopped")) if ended else html
                yield {where: gr.update(value=said), point: gr.update(value=so_far)}
                if ended:
                    break
        except Refused as refused:
            yield wrong(where, refused)
        yield {stop: gr.update(visible=False)}

    def find(sent: str, in_hand: str, request: gr.Request):
        """Look for what lies on the canvas in the model in hand."""
        png, when = yours.sent(sent)
        over = stopping.asker(request, "find", when)
        yield from follow(own, lambda: yours.search(home, in_hand, png), over)

    def recolour(request: gr.Request, when: str, code: str, *chosen: str):
        """Paint what is on the stage towards five colours."""
        wanted = ",".join(map(yours.colour_text, chosen))
        yield {colours["paint"]: gr.update(interactive=False)}
        over = stopping.asker(request, "recolour", when)
        yield from follow(colours, lambda: yours.towards(home, code, wanted), over)

    def drop_colours(path: str | None):
        """The colours of a picture that was dropped."""
        if not path:
            return gr.skip()
        try:
            found = palette.palette_of(yours.read_file(path))
        except Refused as refused:
            return wrong(colours["progress"], refused)
        return dict(zip(colours["colours"], (gr.update(value=one) for one in yours.swatches(found)))) | {
            colours["progress"]: gr.update(value="")
        }

    colours["drop"].upload(
        drop_colours,
        colours["drop"],
        [*colours["colours"], colours["progress"]],
        api_name="ui_play_colours",
        **PRIVATE,
    )
    for part, event, begin_search, inputs, more, options in (
        (own, own["sent"].change, find, [own["sent"], digest], [], {"trigger_mode": "always_last"}),
        (
            colours,
            colours["paint"].click,
            recolour,
            [moment, code, *colours["colours"]],
            [colours["paint"]],
            {"js": stopping.NOW},
        ),
    ):
        name = begin_search.__name__
        searching = event(
            begin_search,
            inputs,
            [part["progress"], part["stop"], point, *more],
            api_name=f"ui_play_{name}",
            concurrency_limit=1,
            concurrency_id="search",
            show_progress="minimal",
            show_progress_on=part["progress"],
            **PRIVATE | options,
        )
        on(searching.success, found_in, point)
        part["stop"].click(
            stopper(name, say("yours.stopping")),
            moment,
            part["stop"],
            js=stopping.NOW,
            api_name=f"ui_play_{name}_stop",
            **QUIET,
        )
        if more:  # not before it is over, or a press could go unheard
            for after in ("then", "failure"):
                getattr(searching, after)(
                    lambda: gr.update(interactive=True),
                    None,
                    more,
                    api_name=f"ui_play_{name}_{after}",
                    **QUIET,
                )

    def use_label(desk: Desk, chosen: str | None) -> Desk:
        return dataclasses.replace(desk, label=label_text(read_label(chosen)))

    def every_label(desk: Desk) -> Desk:
        return through_labels(desk, sample.load_digest(home, desk.digest))

    on(kind.input, use_label, kind)
    on(every.click, every_label)
    for source in (kinds.submit, kinds.blur, across.submit, across.blur):
        on(source, stay)
    # While they are dragged the page's script asks for the picture: `ui/sliders.py`.
    moved = [truncation, *bands.values(), *steering.values()]
    for event in (*(slider.release for slider in moved), let_go.change):
        on(event, stay, trigger_mode="always_last")
    for source in (band.input, rows.submit, columns.submit, rows.blur, columns.blur, loop.input, how.input):
        on(source, stay)
    for source in (easing.input, form.input, seconds.release):
        on(source, stay)

    # Which model is in hand, and which link was opened

    def arrive(model_id: str, art: str, text: str, seen: str, key: str, *values):
        """Put on the desk what is new: a tile clicked in a training grid, an opened link, or a chosen model.

        Several of these may change at once, and each calls this: `seen` says what was dealt with, and what two
        calls at once answer is the same. A link is put down once it is dealt with, so that it can be opened again.
        """
        done = json.loads(seen or "{}")
        old = new = Desk.sent(values)
        at, run, seed, label_there = training_pick(text)
        said_why = ""
        try:
            if at and at != done.get("at"):
                there = sample.load(home, run)
                new = dataclasses.replace(go(old, str(seed)), digest=there.digest, opened="")
                new = fitting(dataclasses.replace(new, label=label_text(label_there)), there)
                chosen = new.current
                new = new if chosen in new.picks else pick(dataclasses.replace(new, seed=""), *chosen)
            elif art and art != done.get("art"):
                artwork = artworks.decode(art)
                check_alive(home, art)
                artworks.label_words(
                    artwork, sample.load_digest(home, artwork.model)
                )  # refuses what it hasn't
                new = desk_of(artwork, artworks.find_code(art), old)
                if artwork.seal:
                    gallery.keep(shared, art, key, "opened")
            elif is_run(home, model_id) and model_id != done.get("model"):
                there = sample.load(home, model_id)  # whose directions are others
                new = dataclasses.replace(old, digest=there.digest, opened="", found="")
        except Refused as refused:
            said_why = tiles.note(refused.refusal.sentence, "bad")
            if not old.digest and is_run(home, model_id):
                with contextlib.suppress(Refused):
                    new = dataclasses.replace(old, digest=sample.load(home, model_id).digest)
        dealt = {
            handled: gr.update(value=json.dumps({"model": model_id, "art": art, "at": at})),
        } | ({shared.art: gr.update(value="")} if art else {})
        if said_why:
            dealt[message] = gr.update(value=said_why)
        if not new.digest or new == old:
            return dealt
        in_hand = sample.load_digest(home, new.digest)
        try:
            said = answer(old, new) | dealt
        except Refused as refused:  # what the open tool is to do can't be done with this model
            said = answer(old, dataclasses.replace(new, tool="sample")) | dealt
            said[message] = gr.update(value=tiles.note(refused.refusal.sentence, "bad"))
        said |= {nothing: gr.update(visible=False), room: gr.update(visible=True)}
        return said | {model: offered(in_hand, key)}

    arrival = [shared.model, shared.art, shared.picked, handled, shared.key, *desk_in]
    arrived = [nothing, room, model, handled, shared.art, *desk_out]
    gr.on(  # one after the other, each with what the one before it left: their order doesn't matter
        [shared.model.change, shared.art.change, shared.picked.change],
        arrive,
        arrival,
        arrived,
        api_name="ui_play_arrive",
        trigger_mode="always_last",
        **QUIET,
    )

    def choose(chosen: str):
        """A model from the list, in its newest state; the link that was opened is done with."""
        if not is_run(home, chosen):
            raise gr.Error(say("play.no_run"), print_exception=False)
        return {
            shared.model: gr.update(value=chosen),
            shared.art: gr.update(value=""),
            handled: gr.update(value="{}"),
        }

    for name, event in (("choose", model.input), ("newest", newest.click)):
        event(
            choose, model, [shared.model, shared.art, handled, message], api_name=f"ui_play_{name}", **QUIET
        ).then(arrive, arrival, arrived, api_name=f"ui_play_{name}_arrive", **QUIET)

    def look_out(digest: str, chosen: str, key: str):
        """Where nothing is in hand yet, take the first model that appears: a training's first checkpoint."""
        if digest:
            return gr.skip()
        if not any(map(paints, recent_runs(home, int(time.monotonic())))):
            return gr.skip()
        for _, run in playable(shared, key)[:MOST_TRIED]:
            with contextlib.suppress(Refused):
                sample.load(home, run)
                return gr.skip() if run == chosen else gr.update(value=run)
        return gr.skip()

    message.look(look_out, [digest, shared.model, shared.key], shared.model, api_name="ui_play_look", **QUIET)
    begin.click(lambda: gr.Tabs(selected="gather"), None, shared.tabs, api_name="ui_play_begin", **QUIET)

    blend.wire(shared, blending, digest, first, truncation, label, tray_picks)

    # Films

    def make_film(request: gr.Request, when: str, *values):
        """Make the film of the walk on the desk, with progress; the film stays if the page is closed after it."""
        desk, over, said = Desk.sent(values), stopping.asker(request, "film", when), ""
        with told():
            artwork = artwork_of(desk)
            if artwork is None or not artwork.is_film:
                raise gr.Error(say("play.need.walk"), print_exception=False)
            for sentence in films(home, artwork, desk.form):
                if over():
                    said = tiles.note(say("play.film.cancelled"))
                    break
                shown = gr.update(visible=True, value=say("play.film.cancel"))
                yield gr.update(value=sentence), gr.update(visible=False), shown
        yield gr.update(value=said), gr.skip(), gr.skip()

    buttons = [progress, make, cancel]
    making = make.click(
        make_film,
        [moment, *desk_in],
        buttons,
        js=stopping.NOW,
        api_name="ui_play_film",
        concurrency_limit=1,
        show_progress="minimal",
        show_progress_on=progress,
        **PRIVATE,
    )
    on(making.success, stay).then(
        proof_of := _prover(home), [code, form], facts, api_name="ui_play_film_proof", **QUIET
    )

    def idle():
        return gr.update(visible=True), gr.update(visible=False)

    making.then(idle, None, [make, cancel], api_name="ui_play_film_over", **QUIET)
    making.failure(
        lambda: (gr.update(value=""), *idle()), None, buttons, api_name="ui_play_film_failed", **QUIET
    )
    cancel.click(
        stopper("film", say("play.film.cancelling")),
        moment,
        cancel,
        js=stopping.NOW,
        api_name="ui_play_film_cancel",
        **QUIET,
    )

    def kept(event: gr.EventData, key: str):
        """The gallery takes what the stage shows."""
        data = event._data if isinstance(event._data, dict) else {}
        if data.get("do") == "keep":
            with told():
                gallery.keep(shared, str(data.get("code", "")), key)
            gr.Info(say("gallery.kept"), title=say("tab.gallery"), duration=3)

    view.act(
        kept, shared.key, None, api_name="ui_play_keep", **QUIET | {"queue": True}
    )  # a toast needs the queue

    # What is on the stage: its proof, and when asked what it is nearest to

    code.change(proof_of, [code, form], facts, api_name="ui_play_proof", **QUIET)
    code.change(None, None, nearby, js="() => ''", api_name="ui_play_near_gone", **PRIVATE)

    def look_near(code: str, key: str):
        """The nearest pictures of the set, for what the stage shows."""
        try:
            return gr.update(value=nearest(shared, code, key))
        except Refused as refused:
            return gr.update(value=tiles.note(refused.refusal.sentence, "bad"))

    near_it.click(
        look_near,
        [code, shared.key],
        nearby,
        api_name="ui_play_near",
        queue=False,  # it takes no longer than a picture: it needn't wait behind films and long looks
        show_progress="minimal",
        show_progress_on=nearby,
        **PRIVATE,
    )


def _prover(home: Path):
    """The event that writes the line under the stage, once the picture is there."""

    def prove(code: str, form: str):
        try:
            return gr.update(value=proof(home, code, form))
        except Refused as refused:
            return gr.update(value=tiles.note(refused.refusal.sentence, "bad"))

    return prove

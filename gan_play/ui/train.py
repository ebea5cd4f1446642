"""Train: choose how, watch it learn, steer it; every past grid stays within reach.

The page only reads the run folder, every two seconds, and writes wishes into it through `runs.store`. What is shown
of a run is one value of plain data for `assets/live.js`, which sets it as text.
"""

import base64
import contextlib
import json
import time
from html import escape

import gradio as gr
import numpy as np

from gan_play import files
from gan_play.pictures import images
from gan_play.refusals import Refused, printable, refuse
from gan_play.runs import labels, store, translated, worker
from gan_play.trainers import preflight
from gan_play.trainers.pairs import PRESETS
from gan_play.trainers.recipes import DEFAULT, RECIPES, SIZES, Recipe
from gan_play.ui import bakeoff, coverage_view, forecast, look, verdict
from gan_play.ui.gather import read_choice
from gan_play.ui.share_routes import picture
from gan_play.ui.shared import (
    LIVE,
    PRIVATE,
    QUIET,
    Shared,
    check_public,
    is_run,
    may_steer,
    recent_runs,
    told,
    visible_runs,
)
from gan_play.ui.words import say

SIZE = 64
FIRST_PRESET = "sketch"
REAL_PAIRS = "pairs"  # no preset: the pairs are there
MINUTES = 20
MOST_MINUTES = 480
MORE_MINUTES = 10
MOST_ROWS = 300  # of statistics in a plot: more can't be seen
MOST_GRIDS = 600  # on the time slider
MOST_NAMED = 8  # labels in one line
ANOTHER = (
    DEFAULT,
    "stylegan2",
    "fastgan",
    "dcgan",
)  # proposed in place of a recipe that fails, in this order
CONTROLS = ("pause", "resume", "stop", "more")
ENDED = {"stopped", "finished", "failed"}

PICK_JS = """element.addEventListener('click', (event) => {
  const card = event.target.closest('[data-pick]');
  if (!card) return;
  for (const other of element.querySelectorAll('[data-pick]')) {
    other.setAttribute('aria-current', String(other === card));
  }
  trigger('choose', {name: card.dataset.pick});
});"""
RECIPE_JS = """element.addEventListener('click', (event) => {
  const card = event.target.closest('[data-pick]');
  if (!card) return;
  const field = document.querySelector('#recipe textarea');
  field.value = card.dataset.pick;
  field.dispatchEvent(new Event('input'));
});"""
SHOW_RECIPE_JS = """(name, size) => {
  const recipes = %s, {sizes, presets} = recipes[name];
  for (const card of document.querySelectorAll('#recipes [data-pick]')) {
    card.setAttribute('aria-checked', String(card.dataset.pick === name));
    if (card.dataset.pick === name) card.closest('details')?.setAttribute('open', '');
  }
  const update = (parts) => ({__type__: 'update', ...parts});
  const value = sizes.reduce((one, other) => Math.abs(other - size) < Math.abs(one - size) ? other : one);
  return [
    update({choices: sizes.map((px) => [`${px} px`, px]), value}),
    update({visible: presets}),
    ...Object.keys(recipes).map((other) => update({visible: other === name})),
  ];
}"""
AS_IT_IS = {"preprocess": False}
"""For what takes the size or the start: which of them can be chosen may have changed on the page meanwhile, and what
is impossible is refused in a sentence where it is used."""
UNDER_WAY = "under way"
SURE = "(run, key, _) => [run, key, String(confirm({question}))]"


def build(shared: Shared) -> None:
    """Make the tab's components and wire them."""
    live = build_watching(shared)
    coverage_view.build(shared)
    build_setup(shared, live)
    bakeoff.build(shared)
    build_runs(shared)


# Watching


def build_watching(shared: Shared) -> gr.HTML:
    """The run being watched: live view (which is returned), controls, rename and delete."""
    with gr.Column(visible=False, elem_id="watching") as column:
        live = gr.HTML(
            {},
            html_template=live_frame(),
            js_on_load=look.polling("live.js"),
            server_functions=[watcher(shared)],
            elem_id="live",
            apply_default_css=False,
        )
        with gr.Row(elem_id="controls"):
            buttons = {
                name: gr.Button(say(f"train.{name}"), elem_id=name, visible=False) for name in CONTROLS
            }
        with gr.Accordion(say("train.manage"), open=False, visible=False) as manage:
            with gr.Row(equal_height=True):
                name = gr.Textbox(label=say("train.name"), max_length=60, elem_id="rename-to")
                rename = gr.Button(say("train.rename"), elem_id="rename")
                delete = gr.Button(say("train.delete"), variant="stop", elem_id="delete")
            with gr.Row(equal_height=True):
                rights = gr.Textbox(
                    label=say("train.rights"),
                    placeholder=say("train.rights.hint"),
                    max_length=store.MOST_RIGHTS_CHARS,
                    elem_id="rights",
                    scale=3,
                )
                state = gr.Button(say("train.rights.do"), elem_id="state-rights")
            stated = gr.HTML("", elem_id="rights-stated")
    sure = gr.Textbox("", visible=False)
    outputs = [column, live, *buttons.values(), manage]

    def look_at(run: str, key: str):
        """The run as it is now, with the controls that make sense; `live.js` asks by itself for what is new later."""
        if not is_run(shared.home, run):
            hidden = [gr.update(visible=False)] * len(buttons)
            return [gr.update(visible=False), gr.update(value={}), *hidden, gr.skip()]
        status = store.status(shared.home, run)
        mine = may_steer(shared, run, key) and not status["shipped"]
        offered = allowed(status["state"]) if mine and not status["blend"] else set()
        return [
            gr.update(visible=True),
            gr.update(value=live_value(shared, status, mine)),
            *(gr.update(visible=name in offered) for name in buttons),
            gr.update(visible=mine),
        ]

    inputs = [shared.run, shared.key]
    shared.run.change(look_at, inputs, outputs, api_name="ui_watch", **QUIET)
    live.look(look_at, inputs, outputs, api_name="ui_watch_again", **QUIET)

    def steering(wish: str, minutes: float = 0):
        """The event of one control."""

        def steer(run: str, key: str):
            with told():
                check_steer(shared, run, key)
                store.ask(shared.home, run, wish, minutes)
                if wish == "train":
                    worker.start_worker(shared.home, run)
            return look_at(run, key)

        return steer

    wishes = {"pause": ("pause",), "resume": ("train",), "stop": ("stop",), "more": ("train", MORE_MINUTES)}
    for control, wish in wishes.items():
        buttons[control].click(
            steering(*wish), [shared.run, shared.key], outputs, api_name=f"ui_{control}", **QUIET
        )

    def rename_run(run: str, key: str, name: str):
        with told():
            check_steer(shared, run, key)
            store.rename(shared.home, run, name)
        return gr.update(value="")

    def state_rights(run: str, key: str, text: str):
        with told():
            check_steer(shared, run, key)
            said = store.state_rights(shared.home, run, text)
        picture.cache_clear()  # the pictures in memory have the old statement on their cards
        words = say("train.rights.stated", rights=said) if said else say("train.rights.none")
        return gr.update(value=look.note(words))

    state.click(state_rights, [shared.run, shared.key, rights], stated, api_name="ui_rights", **QUIET)
    rights.submit(state_rights, [shared.run, shared.key, rights], stated, api_name="ui_rights_enter", **QUIET)

    def delete_run(run: str, key: str, sure: str):
        if sure != "true":
            return gr.skip()
        with told():
            check_steer(shared, run, key)
            store.delete(shared.home, run)
        return gr.update(value="")

    rename.click(rename_run, [shared.run, shared.key, name], name, api_name="ui_rename", **QUIET)
    name.submit(rename_run, [shared.run, shared.key, name], name, api_name="ui_rename_enter", **QUIET)
    delete.click(
        delete_run,
        [shared.run, shared.key, sure],
        shared.run,
        js=SURE.format(question=json.dumps(say("train.delete.sure"))),
        trigger_mode="multiple",  # who said no and presses again isn't passed over
        api_name="ui_delete",
        **QUIET,
    )

    def remedy(event: gr.EventData, key: str):
        """Do what the button says; the worker takes it up within a second."""
        with told():
            check_steer(shared, event.run, key)
            store.ask_remedy(shared.home, event.run, event.code, MORE_MINUTES)
            worker.start_worker(shared.home, event.run)
        return look_at(event.run, key)

    live.remedy(remedy, shared.key, outputs, api_name="ui_remedy", **QUIET)

    def pick(event: gr.EventData):
        """A tile was clicked: take its seed and its label, and this run's model, to Play."""
        if not is_run(shared.home, event.run) or not str(event.seed).isdecimal():
            return gr.skip(), gr.skip(), gr.skip()
        label = str(event._data.get("label", ""))
        picked = {"run": event.run, "step": event.step, "seed": int(event.seed), "at": time.time()}
        picked["label"] = int(label) if label.isdecimal() else None
        return gr.update(value=event.run), gr.update(value=json.dumps(picked)), gr.Tabs(selected="play")

    live.pick(pick, None, [shared.model, shared.picked, shared.tabs], api_name="ui_pick", **QUIET)
    return live


def watcher(shared: Shared):
    """What the script of the live view asks for: news of a run."""

    def watch(asked: list) -> dict | None:
        """All that is shown of the run, None where it is as it was `seen`, {} where there is no such run (any more)."""
        run, seen, key = asked
        if not is_run(shared.home, run):
            return {}
        status = store.status(shared.home, run)
        if seen == seen_of(status):
            return None
        return live_value(shared, status, may_steer(shared, run, key) and not status["shipped"])

    return watch


def seen_of(status: dict) -> str:
    """What tells whether there is anything new to show of a run."""
    about = ("id", "state", "step", "last_grid", "sentence", "queue_position", "name", "minutes")
    return "|".join(str(status[key]) for key in about)


def check_steer(shared: Shared, run: str, key: str) -> None:
    """Refused unless this browser may steer the run."""
    if not is_run(shared.home, run):
        raise Refused(refuse("no-run", str(run)))
    if not may_steer(shared, run, key):
        raise Refused(refuse("not-owner"))


def allowed(state: str) -> set[str]:
    """The controls that make sense in a state."""
    if state in LIVE:
        return {"pause", "stop", "more"}
    if state in {"paused", "interrupted"}:
        return {"resume", "stop", "more"}
    return (
        {"resume", "more"} if state in {"stopped", "failed"} else {"more"} if state == "finished" else set()
    )


def live_frame() -> str:
    """The unchanging frame that `live.js` fills."""
    word = {
        key: escape(say(f"train.{key}"))
        for key in (
            "time",
            "newest",
            "losses",
            "scores",
            "speed",
            "step",
            "painter",
            "critic",
            "copy",
            "copy.what",
        )
    }
    return f"""<section class="live">
<header><h3 class="live-name"></h3><span class="live-state chip"></span></header>
<progress class="live-bar" max="1" value="0" aria-label="{word["time"]}"></progress>
<p class="live-sentence note"></p>
<div class="live-columns"><div class="live-left">
<p class="live-waiting empty"></p>
<div class="live-grid" hidden><img alt=""><div class="live-tiles" role="group"></div></div>
<div class="live-slider"><input type="range" min="0" max="0" step="1" value="0" aria-label="{word["time"]}"></div>
<div class="live-caption"><span class="live-when"></span>
<button type="button" class="live-newest gp small" hidden>{word["newest"]}</button></div>
<details class="live-copy" hidden><summary>{word["copy"]}</summary><p class="live-copied"></p>
<p class="subdued">{word["copy.what"]}</p><div class="live-pairs"></div></details></div>
<div class="live-right"><p class="live-numbers"></p><p class="live-score"></p>
<p class="live-verdict" role="status"></p><div class="live-remedies" hidden></div>
<figure class="live-scores plot" data-title="{word["scores"]}" data-axis="{word["step"]}" hidden>
<figcaption>{word["scores"]}</figcaption></figure>
<figure class="live-watch plot" data-axis="{word["step"]}" hidden><figcaption></figcaption></figure>
<figure class="live-losses plot" data-title="{word["losses"]}" data-axis="{word["step"]}" hidden>
<figcaption>{word["losses"]} <i class="key-0">{word["painter"]}</i> <i class="key-1">{word["critic"]}</i>
</figcaption></figure>
<figure class="live-speed plot" data-title="{word["speed"]}" data-axis="{word["step"]}" hidden>
<figcaption>{word["speed"]}</figcaption></figure><p class="live-facts subdued"></p></div></div></section>"""


def live_value(shared: Shared, status: dict, mine: bool) -> dict:
    """All that the page shows of a run, as plain data; `live.js` sets it as text."""
    folder = store.find_run(shared.home, status["id"])
    rows = store.stats(shared.home, status["id"], MOST_ROWS)
    watch = RECIPES[status["recipe"]].watch if status["recipe"] in RECIPES else None
    keys = ["step", "images_per_second", "loss_g", "loss_d", "score", *([watch[0]] if watch else [])]
    layout = files.read_json(folder / "samples" / "seeds.json")
    steps = status["grids"]
    watching = "" if mine or status["shipped"] else say("train.watching")
    return {
        "run": status["id"],
        "seen": seen_of(status),
        "mine": mine,
        "name": status["name"],
        "code": status["state"],
        "state": say("state.blend" if status["blend"] else f"state.{status['state']}"),
        "sentence": " ".join(filter(None, (status["sentence"], watching))),
        "percent": status["percent"] if status["state"] != "damaged" else None,
        "numbers": numbers(status),
        "score": verdict.score_words(status["best_score"], status.get("scored_beside") == "held back"),
        "facts": facts(status),
        "waiting": say(f"train.waiting.{waiting_for(status['state'])}"),
        "steps": steps[:: max(1, -(-len(steps) // MOST_GRIDS))] if len(steps) > MOST_GRIDS else steps,
        "layout": layout if isinstance(layout, dict) else None,
        "labels": status["labels"],
        "stats": [{key: row.get(key) for key in keys} for row in rows],
        "watch": {"key": watch[0], "title": watch[1]} if watch else None,
        "words": {key: say(f"train.live.{key}") for key in ("newest", "past", "tile", "copied", "yours")},
        **verdict.shown(folder, status, mine),
    }


def waiting_for(state: str) -> str:
    """What stands in the place of the first grid."""
    return "ended" if state in ENDED | {"damaged"} else "turn" if state in {"queued", "paused"} else "first"


def numbers(status: dict) -> str:
    """Step, pictures seen, speed, time spent and left, in words."""
    parts = [say("train.numbers.step", step=f"{status['step']:,}")]
    if status["images_seen"]:
        parts.append(say("train.numbers.seen", count=f"{status['images_seen']:,}"))
    if status["images_per_second"] and status["state"] == "training":
        parts.append(say("train.numbers.speed", count=f"{status['images_per_second']:.0f}"))
    if status["seconds_spent"]:
        parts.append(say("train.numbers.spent", time=look.time_words(status["seconds_spent"])))
    if status["seconds_left"] is not None:
        parts.append(say("train.numbers.left", time=look.time_words(status["seconds_left"])))
    return " · ".join(parts)


def facts(status: dict) -> str:
    """Recipe, size, device and what the pre-flight chose."""
    if status["state"] == "damaged":
        return ""
    recipe = RECIPES.get(status["recipe"])
    parts = [recipe.title if recipe else status["recipe"], f"{status['size_px']} px"]
    if status.get("pictures"):
        held = status["held_back"]
        count = {"count": f"{status['pictures']:,}", "held": f"{held:,}"}
        parts.append(say("train.facts.held_back" if held else "train.facts.pictures", **count))
    if status["task"] == "translate":
        preset = PRESETS.get(status["preset"])
        parts.append(preset.title if preset else " → ".join(printable(name, 24) for name in status["labels"]))
        parts.append(say("train.facts.rows"))
    elif status["labels"]:
        parts.append(say("train.facts.labels", count=len(status["labels"])))
    if settings := status["settings"]:
        parts.append(say("train.facts.batch", batch=settings.get("batch")))
        parts.append(
            say(
                "train.facts.device",
                device=str(settings.get("device")).upper(),
                kind=settings.get("precision"),
            )
        )
    if isinstance(start := status["started_from"], dict) and start.get("run"):
        parts.append(say("train.facts.start", run=start["run"]))
    return " · ".join(map(str, parts))


# Choosing how


def build_setup(shared: Shared, live: gr.HTML) -> None:
    """How to train next: recipe, size, time and what it will take, where to start from; the rest folded away.

    `live` asks for another recipe, where that would help the run being watched.
    """
    recipe = gr.Textbox(DEFAULT, visible="hidden", elem_id="recipe", label="recipe")
    measured = gr.Textbox("", visible="hidden", label="measured")  # when; or that it is `UNDER_WAY`
    with gr.Accordion(say("train.setup"), open=True, elem_id="setup") as setup:
        subject = gr.HTML(subject_of(None), elem_id="subject")
        gather = gr.Button(say("train.gather_first"), elem_id="gather-first")
        gr.HTML(recipe_cards(DEFAULT), js_on_load=RECIPE_JS, elem_id="recipes")
        preset = gr.Dropdown(
            preset_choices(),
            value=FIRST_PRESET,
            label=say("train.preset"),
            info=say("train.preset.info"),
            visible=False,
            filterable=False,
            elem_id="preset",
        )
        preview = gr.HTML("", elem_id="preset-preview")
        apart = gr.Checkbox(False, label=say("train.labels"), visible=False, elem_id="learn-labels")
        kinds = gr.HTML("", elem_id="labels-note")
        with gr.Row():
            sizes = [(f"{size} px", size) for size in SIZES]
            size = gr.Radio(
                sizes, value=SIZE, label=say("train.size"), info=say("train.size.info"), elem_id="size"
            )
            minutes = gr.Slider(
                1, MOST_MINUTES, MINUTES, step=1, label=say("train.minutes"), elem_id="minutes", buttons=[]
            )
        expected = gr.HTML(look.note(say("train.forecast.none")), elem_id="forecast")
        with gr.Row():
            choices, first = starts(shared, DEFAULT, SIZE, 0)
            start = gr.Dropdown(
                choices,
                value=first,
                label=say("train.start"),
                info=say("train.start.info"),
                elem_id="start-from",
            )
            device = gr.Dropdown(
                devices(), value="auto", label=say("train.device"), info=device_sentence(), elem_id="device"
            )
        with gr.Accordion(say("train.advanced"), open=False):
            with gr.Row():
                name = gr.Textbox(label=say("train.name"), info=say("train.name.info"), max_length=60)
                seed = gr.Number(
                    0, label=say("train.seed"), info=say("train.seed.info"), precision=0, minimum=0
                )
            columns, dials = build_dials()
        begin = gr.Button(say("train.begin"), variant="primary", interactive=False, elem_id="begin")
        note = gr.HTML("", elem_id="begin-note")
    busy = shared.busy

    def show(chosen: str):
        choice = read_choice(shared, chosen)
        return (
            gr.update(value=subject_of(choice)),
            gr.update(visible=not choice),
            gr.update(interactive=bool(choice)),
        )

    def under_both(words: str) -> tuple[dict, dict]:
        """Under both buttons; two updates, since of one Gradio takes the value out on its first use."""
        return gr.update(value=words), gr.update(value=words)

    def lead():
        """Answer the press at once."""
        waiting = under_both(look.progress(None, say("train.preparing")))
        return *waiting, gr.update(interactive=False), gr.update(interactive=False)

    def start_run(chosen, recipe, size, minutes, start, device, name, seed, key, labelled, preset, *values):
        """Make the run and start its worker."""
        try:
            values = chosen_dials(recipe, values)
            optional = recipe in RECIPES and RECIPES[recipe].labels == "optional"
            run = create(
                shared,
                read_choice(shared, chosen),
                recipe,
                size,
                minutes,
                start,
                device,
                name,
                seed,
                key,
                values,
                bool(labelled) if optional else None,
                preset_of(recipe, preset),
            )
        except Refused as refused:
            return gr.skip(), gr.skip(), *under_both(look.note(refused.refusal.sentence, "bad"))
        return gr.update(value=run), gr.Tabs(selected="train"), *under_both("")

    def again(chosen: str):
        """The buttons come back."""
        able = gr.update(interactive=bool(read_choice(shared, chosen)))
        return able, able

    def failed(chosen: str):
        """Something broke: `again`, which Gradio passes over then, and a word about it."""
        return *under_both(look.note(say("page.busy"), "bad")), *again(chosen)

    asked = [shared.chosen, recipe, size, minutes, start, device, name, seed, shared.key, apart, preset]
    inputs = [*asked, *dials.values()]
    for button, api_name in ((shared.go, "ui_go"), (begin, "ui_begin")):
        pressed = button.click(
            lead, None, [busy, note, shared.go, begin], api_name=f"{api_name}_pressed", **QUIET
        )
        started = pressed.then(
            start_run,
            inputs,
            [shared.run, shared.tabs, busy, note],
            concurrency_limit=2,
            show_progress="hidden",
            api_name=api_name,
            **AS_IT_IS,
            **PRIVATE,
        )
        started.then(again, shared.chosen, [shared.go, begin], api_name=f"{api_name}_again", **QUIET)
        started.failure(
            failed, shared.chosen, [busy, note, shared.go, begin], api_name=f"{api_name}_failed", **QUIET
        )
        started.success(
            None, None, None, js="() => window.scrollTo({top: 0})", api_name=f"{api_name}_top", **PRIVATE
        )

    def pick_size(recipe: str, size: int, chosen: str, labelled: bool, preset: str):
        """What to start from, and why not from the starter where that knows other things."""
        count = learnt(shared, chosen, recipe, labelled, preset)
        choices, first = starts(shared, recipe, size, count, preset_of(recipe, preset))
        passed_over = count and not first and store.starting_run(shared.home, None, recipe, size)
        info = say("train.start.labels") if passed_over else say("train.start.info")
        return gr.update(choices=choices, value=first, info=info)

    def show_labels(recipe: str, chosen: str, preset: str):
        """Another recipe, set, or way to make pairs: the labels, and how the pairs look."""
        return (
            *label_parts(shared, chosen, recipe, preset),
            gr.update(value=preview_of(shared, chosen, recipe, preset)),
        )

    about = {row.name: {"sizes": row.sizes, "presets": bool(row.presets)} for row in RECIPES.values()}
    recipe.change(
        None,
        [recipe, size],
        [size, preset, *columns.values()],
        js=SHOW_RECIPE_JS % json.dumps(about),
        api_name="ui_recipe",
        **PRIVATE,
    )
    gr.on(
        [recipe.change, preset.change, shared.chosen.change],
        show_labels,
        [recipe, shared.chosen, preset],
        [apart, kinds, preview],
        trigger_mode="always_last",
        api_name="ui_set_labels",
        **QUIET,
    )
    start_of = [recipe, size, shared.chosen, apart, preset]
    gr.on(
        [one.change for one in start_of],
        pick_size,
        start_of,
        start,
        trigger_mode="always_last",
        api_name="ui_size",
        **AS_IT_IS,
        **QUIET,
    )

    def guess(recipe: str, size: int, device: str, minutes: float, measured: str):
        """What it will take by what is known; nothing is measured here."""
        if not isinstance(minutes, int | float):  # the box is empty while another number is typed
            return gr.skip()
        if measured == UNDER_WAY and not forecast.known(recipe, size, device):
            return gr.update(value=look.progress(None, say("train.forecast.measuring")))
        return gr.update(value=forecast_words(shared, recipe, size, device, minutes))

    def training() -> bool:
        return any(run.state in LIVE for run in store.list_runs(shared.home))

    def measure(recipe: str, size: int, device: str):
        """Measure what isn't known yet, unless a run is training; `guess` says what came of it."""
        with contextlib.suppress(Refused):
            store.check_asked(recipe, size, 0, device, {})
            if not forecast.known(recipe, size, device) and not training():
                yield gr.update(value=UNDER_WAY)
                try:
                    forecast.measure(recipe, size, device, training)
                finally:
                    yield gr.update(value=str(time.time()))

    wishes = [recipe, size, device]
    wished = [*(one.change for one in wishes), shared.train_tab.select]
    gr.on(
        wished,
        measure,
        wishes,
        measured,
        trigger_mode="always_last",
        show_progress="hidden",
        concurrency_limit=2,
        api_name="ui_forecast",
        **AS_IT_IS,
        **PRIVATE,
    )
    gr.on(
        [*wished, minutes.change, measured.change],
        guess,
        [*wishes, minutes, measured],
        expected,
        trigger_mode="always_last",
        api_name="ui_minutes",
        **AS_IT_IS,
        **QUIET,
    )

    def pick_another(event: gr.EventData):
        """Another recipe than a run's, on its pictures, ready to be started."""
        if not is_run(shared.home, event.run):
            return [gr.skip()] * 4
        again, name, size = another(shared, event.run)
        return (
            gr.update(open=True),
            gr.update(value=again),
            gr.update(value=name),
            gr.update(value=size),
        )

    live.other(
        pick_another, None, [setup, shared.chosen, recipe, size], api_name="ui_another_recipe", **QUIET
    ).then(
        None,
        None,
        None,
        js="() => document.getElementById('setup').scrollIntoView({behavior: 'smooth'})",
        api_name="ui_another_recipe_seen",
        **PRIVATE,
    )
    shared.chosen.change(show, shared.chosen, [subject, gather, begin], api_name="ui_subject", **QUIET)
    gather.click(lambda: gr.Tabs(selected="gather"), None, shared.tabs, api_name="ui_gather_first", **QUIET)

    def fold(run: str, recipe: str, size: int, chosen: str, labelled: bool, preset: str):
        """While a run is watched, the next one waits folded; what the next one can start from may be new."""
        count = learnt(shared, chosen, recipe, labelled, preset)
        choices, _ = starts(shared, recipe, size, count, preset_of(recipe, preset))
        return gr.update(open=not is_run(shared.home, run)), gr.update(choices=choices)

    shared.run.change(fold, [shared.run, *start_of], [setup, start], api_name="ui_fold", **AS_IT_IS, **QUIET)


def another(shared: Shared, run: str) -> tuple[str, str, int]:
    """The pictures of a run as the chosen ones, a recipe that it isn't, and a size near to its own."""
    folder = store.find_run(shared.home, run)
    about = store.read_run(folder) or {"set": {}, "name": "", "recipe": "", "size_px": SIZE}
    block = files.read_json(folder / "set" / "manifest.json")
    ground = block.get("background") if isinstance(block, dict) else None
    choice = {"set": about["set"].get("id"), "how": about["set"].get("how", "crop")}
    choice |= {"background": ground or [255, 255, 255]}
    name = next(name for name in ANOTHER if name in RECIPES and name != about["recipe"])
    size = min(RECIPES[name].sizes, key=lambda px: abs(px - about["size_px"]))
    return json.dumps(choice | {"name": about["name"]}), name, size


def labels_of(shared: Shared, chosen: str) -> dict[str, int]:
    """The labels of the chosen set and how many pictures each has; {} where there are none, or there is no set."""
    choice = read_choice(shared, chosen)
    try:
        return labels.of_set(shared.home / "sets" / choice["set"]) if choice else {}
    except Refused:
        return {}


def preset_choices() -> list[tuple[str, str]]:
    """The ways to make pairs of pictures, as choices; last, pairs that are there already."""
    return [*((row.title, name) for name, row in PRESETS.items()), (say("train.preset.real"), REAL_PAIRS)]


def preset_of(recipe: str, preset: object) -> str:
    """The preset that a run of this recipe gets; "" for real pairs, and for a recipe that makes none."""
    if recipe not in RECIPES or not RECIPES[recipe].presets or preset == REAL_PAIRS:
        return ""
    return preset if isinstance(preset, str) else FIRST_PRESET


def preview_of(shared: Shared, chosen: str, recipe: str, preset: object) -> str:
    """Some pairs of the chosen set as a run of this recipe would learn from them; "" where it learns from none."""
    choice = read_choice(shared, chosen)
    if recipe not in RECIPES or RECIPES[recipe].takes != "pairs" or not choice:
        return ""
    name, folder = preset_of(recipe, preset), shared.home / "sets" / choice["set"]
    try:
        found = translated.preview(folder, name, choice["how"], choice["background"])
    except Refused:
        return ""  # said beside the labels
    what = PRESETS[name].sentence if name else say("train.preset.real.what")
    rows = "".join(
        f'<span class="pair">{"".join(tile(pixels, title) for pixels, title in zip(row, titles(row)))}</span>'
        for row in found
    )
    return f'<div class="pairs"><p>{escape(what)}</p><div>{rows}</div></div>'


def titles(row: list) -> list[str]:
    """What the tiles of a pair are: sources, and what is to become of them."""
    return [say("train.preset.source")] * (len(row) - 1) + [say("train.preset.target")]


def tile(pixels: np.ndarray, title: str) -> str:
    """A small picture inside the page."""
    data = base64.b64encode(images.encode(pixels, "webp", quality=85)).decode()
    words = escape(title)
    return f'<img src="data:image/webp;base64,{data}" width="96" height="96" alt="{words}" title="{words}">'


def learnt(shared: Shared, chosen: str, recipe: str, wanted: bool, preset: str = "") -> int:
    """How many labels a run of this recipe on the chosen set would learn apart."""
    how = RECIPES[recipe].labels if recipe in RECIPES and not preset_of(recipe, preset) else "none"
    return len(labels_of(shared, chosen)) if how == "needed" or (how == "optional" and wanted) else 0


def label_parts(shared: Shared, chosen: str, recipe: str, preset: str = "") -> tuple[dict, dict]:
    """The checkbox, where there is something to choose, and what there is to say about the labels of the set."""
    recipe = recipe if recipe in RECIPES else DEFAULT
    found, how = labels_of(shared, chosen), RECIPES[recipe].labels
    if preset_of(recipe, preset):
        how = "none"
    choice = read_choice(shared, chosen)
    said = ""
    if choice and how == "needed":
        try:
            labels.decide(recipe, shared.home / "sets" / choice["set"], None, preset_of(recipe, preset))
        except Refused as refused:
            said = look.note(refused.refusal.sentence, "bad")
    if found and how != "none" and not said and RECIPES[recipe].task == "translate":
        first, second = (printable(name, 24) for name in found)
        said = look.note(say("train.labels.sides", first=first, second=second))
    elif found and how != "none" and not said:
        named = [f"{printable(name, 24)} ({count:,})" for name, count in list(found.items())[:MOST_NAMED]]
        some = ", ".join([*named, *(["…"] if len(found) > MOST_NAMED else [])])
        said = look.note(
            say("train.labels.all" if how == "needed" else "train.labels.some", count=len(found), labels=some)
        )
        said += look.note(labels.warning(found)) if labels.warning(found) else ""
    return gr.update(visible=bool(found) and how == "optional"), gr.update(value=said)


def create(
    shared: Shared,
    choice: dict | None,
    recipe: str,
    size: int,
    minutes: float,
    start: str | None,
    device: str,
    name: str | None,
    seed: float | None,
    key: str,
    dials: dict[str, float],
    labelled: bool | None = None,
    preset: str = "",
) -> str:
    """Make a run of what the page asked for and start its worker; its id. Refused where anything is impossible."""
    if not choice:
        raise Refused(refuse("no-chosen"))
    if shared.public:
        check_public(shared, key)
    if start and not is_run(shared.home, start):
        raise Refused(refuse("no-run", str(start)))
    run = store.create_run(
        shared.home,
        set_folder=shared.home / "sets" / choice["set"],
        recipe=recipe,
        size_px=whole(size),
        seed=whole(seed or 0),
        minutes=0 if minutes is None else minutes,  # an emptied box: refused with what can be had
        name=str(name or "").strip() or choice["name"],
        start=start or None,
        how=choice["how"],
        background=choice["background"],
        device=device,
        owner_key=key if isinstance(key, str) and key else None,
        dials=dials,
        labelled=labelled,
        preset=preset,
    )
    forecast.give_way()
    worker.start_worker(shared.home, run)
    return run


def whole(number: object) -> object:
    """A whole number as one, since JavaScript knows only floats; anything else as it is, to be refused by name."""
    return int(number) if isinstance(number, float) and number.is_integer() else number


def build_dials() -> tuple[dict[str, gr.Column], dict[tuple[str, str], gr.Slider | gr.Checkbox]]:
    """The dials of every recipe, each recipe's in a column that shows when it is picked."""
    columns, dials = {}, {}
    for recipe in RECIPES.values():
        with gr.Column(visible=recipe.name == DEFAULT) as columns[recipe.name]:
            for name, dial in recipe.dials.items():
                if dial.whole:
                    dials[recipe.name, name] = gr.Checkbox(
                        bool(dial.default), label=dial.title, info=dial.sentence
                    )
                    continue
                step = (dial.high - dial.low) / 100
                dials[recipe.name, name] = gr.Slider(
                    dial.low,
                    dial.high,
                    dial.default,
                    step=step,
                    label=dial.title,
                    info=dial.sentence,
                    buttons=["reset"],
                )
    return columns, dials


def chosen_dials(recipe: str, values: tuple) -> dict[str, float]:
    """The dials of one recipe out of the values of all, in the order of `build_dials`."""
    names = [(row.name, name) for row in RECIPES.values() for name in row.dials]
    mine = {name: value for (row, name), value in zip(names, values, strict=True) if row == recipe}
    return {name: float(value) if isinstance(value, bool) else value for name, value in mine.items()}


def recipe_cards(chosen: str) -> str:
    """The table of recipes as cards: the default in sight, the others folded away by what they are for."""
    groups = {"others": [], "folders": [], "translators": []}
    for row in RECIPES.values():
        if row.task == "translate":
            groups["translators"].append(row)
        elif row.name != DEFAULT:
            groups["folders" if row.labels == "needed" else "others"].append(row)
    folded = "".join(
        f"<details{' open' if chosen in {row.name for row in rows} else ''}>"
        f"<summary>{escape(say(f'train.recipes.{name}', count=len(rows)))}</summary>"
        f'<div class="cards two">{"".join(recipe_card(row, chosen) for row in rows)}</div></details>'
        for name, rows in groups.items()
    )
    return (
        f'<div class="recipes" role="radiogroup" aria-label="{escape(say("train.recipe"))}">'
        f"{recipe_card(RECIPES[DEFAULT], chosen)}{folded}</div>"
    )


def recipe_card(row: Recipe, chosen: str) -> str:
    """One kind of GAN to pick."""
    return (
        f'<button type="button" class="card" role="radio" data-pick="{row.name}" '
        f'aria-checked="{"true" if row.name == chosen else "false"}"><strong>{escape(row.title)}</strong>'
        f"<span>{escape(row.sentence)}</span>"
        f'<span class="subdued">{escape(say("train.suits", what=row.suits))} {escape(row.note)}</span></button>'
    )


def subject_of(choice: dict | None) -> str:
    """What it will be trained on."""
    if not choice:
        return look.note(say("train.no_set"))
    some = "".join(
        f'<img src="gradio_api/set/{choice["set"]}/{i}-96.webp" alt="" width="48" height="48">'
        for i in range(6)
    )
    name = escape(choice["name"] or say("gather.your_set"))
    return f'<div class="subject"><span>{escape(say("train.subject"))} <b>{name}</b></span><span>{some}</span></div>'


def starts(shared: Shared, recipe: str, size: int, num_labels: int, preset: str = "") -> tuple[list, str]:
    """The runs that a new one can start from (same recipe, size, number of labels and preset), and the one to propose:
    the starter.
    """
    kind = (recipe, size, num_labels, preset)
    runs = [
        run
        for run in store.list_runs(shared.home)
        if (run.recipe, run.size_px, run.num_labels, run.preset) == kind
        and run.step > 0
        and (run.shipped or not shared.public)
    ]
    choices = [(say("train.start.none"), ""), *((f"{run.name} ({run.id})", run.id) for run in runs)]
    return choices, store.starting_run(shared.home, None, *kind) or ""


def devices() -> list[tuple[str, str]]:
    """What can train here, for the page: title and free memory."""
    found = preflight.devices()
    named = [
        (say("train.device.one", title=d["title"], free=f"{d['free_bytes'] / 1e9:.1f}"), d["name"])
        for d in found
    ]
    return [(say("train.device.auto", title=found[0]["title"]), "auto"), *named]


def device_sentence() -> str:
    """What the best device here is good for."""
    return preflight.devices()[0]["sentence"]


def forecast_words(shared: Shared, recipe: str, size: int, device: str, minutes: float) -> str:
    """What a training will take, from what was measured, else from the last run alike; why it can't be had, where the
    measurement was refused.
    """
    if refusal := forecast.refusal(recipe, size, device):
        return look.note(refusal.sentence, "bad")
    known = forecast.known(recipe, size, device)
    speed = known["images_per_second"] if known else last_speed(shared, recipe, size)
    if not speed:
        return look.note(say("train.forecast.none"))
    pictures = speed * minutes * 60
    rounded = round(pictures, -3 if pictures >= 10_000 else -2)
    text = say(
        "train.forecast",
        pictures=f"{rounded:,.0f}",
        time=look.time_words(minutes * 60),
        speed=f"{speed:.0f}",
    )
    if known:
        memory, disk = known["memory_bytes"] / 1e9, known["disk_bytes"] / 1e6
        text += " " + say("train.forecast.needs", memory=f"{memory:.1f}", disk=f"{disk:.0f}")
        text += " " + say(
            "train.forecast.chosen", **{k: known["settings"][k] for k in ("batch", "precision", "width")}
        )
    return look.note(text)


def last_speed(shared: Shared, recipe: str, size: int) -> float | None:
    """Pictures a second of the newest own run of this recipe and size."""
    for run in recent_runs(shared.home, int(time.monotonic())):
        if (run.recipe, run.size_px) == (recipe, size) and not run.shipped:
            if speed := store.status(shared.home, run.id)["images_per_second"]:
                return speed
    return None


# The list of runs


def build_runs(shared: Shared) -> None:
    """All runs, each with its last grid; a click opens one."""
    gr.HTML(f"<h3>{escape(say('train.runs'))}</h3>")

    def list_runs(asked: list) -> str:
        """What the list's script asks for: all runs, the watched one marked."""
        run, key = (str(part) for part in asked)
        return run_cards(visible_runs(shared, key), run)

    runs = gr.HTML(
        run_cards([], ""),
        js_on_load=look.polling("runs.js") + PICK_JS,
        server_functions=[list_runs],
        elem_id="runs",
    )

    def open_run(event: gr.EventData):
        return gr.update(value=event.name) if is_run(shared.home, event.name) else gr.skip()

    runs.choose(open_run, None, shared.run, api_name="ui_open_run", **QUIET).then(
        None,
        None,
        None,
        js="() => window.scrollTo({top: 0, behavior: 'smooth'})",
        api_name="ui_runs_top",
        **PRIVATE,
    )


def run_cards(rows: list, watched: str) -> str:
    """The list of runs."""
    cards = "".join(run_card(row, row.id == watched) for row in rows)
    return f'<div class="cards runs">{cards or look.note(say("train.no_runs"))}</div>'


def run_card(row: store.RunSummary, watched: bool) -> str:
    """One run: its last grid, name, state, recipe, size, step and best score."""
    picture = (
        f'<img src="{look.grid_address(escape(row.id), row.last_grid)}" alt="" loading="lazy">'
        if row.last_grid is not None
        else '<span class="blank"></span>'
    )
    parts = [f"{row.recipe}", f"{row.size_px} px"] if row.state != "damaged" else [row.sentence]
    if row.step:
        parts.append(say("train.numbers.step", step=f"{row.step:,}"))
    if row.score is not None:
        parts.append(f"KID {row.score:.3f}")
    state = say(f"state.{'shipped' if row.shipped else 'blend' if row.blend else row.state}")
    return (
        f'<button type="button" class="card run" data-pick="{escape(row.id)}" aria-current="{str(watched).lower()}">'
        f'{picture}<span class="about"><strong>{escape(row.name)}</strong>'
        f'<span class="chip" data-state="{escape(row.state)}">{escape(state)}</span>'
        f'<span class="subdued">{escape(" · ".join(parts))}</span></span></button>'
    )

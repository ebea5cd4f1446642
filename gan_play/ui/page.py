"""The page put together: what the tabs share, the thin bar, the verbs in the order of the work.

`make(home, public)` returns the Blocks. Each tab is `build(shared)` in a file of its own. The address says where
one is: `?run=` opens a run, `?art=` an artwork; both stay in step with the page, so a reload leads back.
"""

import secrets
import time
from pathlib import Path

import gradio as gr
from gradio.components.api_component import Api

from gan_play.refusals import Refused
from gan_play.runs import store
from gan_play.share import artwork as artworks
from gan_play.ui import api, gallery, gather, look, play, train, translate
from gan_play.ui.desk import packed, tray_picks
from gan_play.ui.shared import (
    LIVE,
    PRIVATE,
    QUIET,
    STARTER,
    Shared,
    is_run,
    owns,
    recent_runs,
    visible_runs,
)
from gan_play.ui.words import say

MOST_CODE_CHARS = 1000
"""A share code has at most 600; the rest is refused by its parser, in a sentence."""

ADDRESS = """(run, made, here, translated) => {
  // What is told of the tab may come later than what is shown on it.
  const seen = document.querySelector('#tabs [role=tab][aria-selected=true]')?.id.match(/^tab-(\\w+)-button$/);
  const tab = seen ? seen[1] : here, url = new URL(location), art = {play: made, transform: translated}[tab];
  if (run) url.searchParams.set('run', run); else url.searchParams.delete('run');
  if (art) url.searchParams.set('art', art); else if (tab !== 'play') url.searchParams.delete('art');
  if (url.href !== location.href) history.replaceState(null, '', url);
}"""

BUILDERS = {
    "gather": gather.build,
    "train": train.build,
    "play": play.build,
    "transform": translate.build,
    "gallery": gallery.build,
}


def make(home: Path, public: bool = False) -> gr.Blocks:
    """The whole page over the runs in `home`."""
    with gr.Blocks(title=say("page.title"), delete_cache=(3600, 86400), analytics_enabled=False) as blocks:
        gr.HTML(look.masthead(), elem_id="masthead")
        state = {
            name: gr.Textbox(visible="hidden", elem_id=f"state-{name}", label=name)
            for name in (
                *("run", "model", "tray", "art", "made", "picked", "chosen", "owner", "brought"),
                "translated",
            )
        }
        here = gr.Textbox("play", visible="hidden", elem_id="state-tab", label="tab")
        bar = gr.HTML(
            look.bar(None, None, 0),
            elem_id="bar",
            js_on_load=look.polling("bar.js"),
            server_functions=[barkeeper(home, public)],
        )
        with gr.Tabs(selected="play", elem_id="tabs", overflow_behavior="wrap") as tabs:
            tab = {name: gr.Tab(say(f"tab.{name}"), id=name, elem_id=f"tab-{name}") for name in BUILDERS}
        shared = Shared(
            home=home,
            public=public,
            tabs=tabs,
            train_tab=tab["train"],
            transform_tab=tab["transform"],
            go=gr.Button(say("gather.go"), variant="primary", elem_id="go", render=False),
            busy=gr.HTML("", elem_id="busy", render=False),
            key=gr.BrowserState("", storage_key="gan-play-key", secret="not-a-secret", render=False),
            kept=gr.BrowserState({}, storage_key="gan-play-kept", secret="not-a-secret", render=False),
            **state,
        )
        follow_bar(shared, bar)
        for name, build in BUILDERS.items():
            with tab[name]:
                gr.HTML(look.sentence(say(f"{name}.sentence")))
                build(shared)
        keep_address(shared, tab, here)
        shared.key.render()
        shared.kept.render()  # last: where a browser blocks storage, nothing declared below would render
        arrive(shared, blocks, here)
        api.register(shared)
        leave_out(blocks)
        tell_one(blocks, bar)
    return blocks


def leave_out(blocks: gr.Blocks) -> None:
    """Keeps the 220 parameters of the endpoints for programs out of the page.

    Gradio makes a component of each and lays it out, though nothing of it is seen: a third of all, and of what the page
    goes through for each of its events before it is there.
    """
    for one in [child for child in blocks.children if isinstance(child, Api)]:
        # The page waits until all is laid out that isn't said to be invisible.
        one.get_config = lambda known=one.get_config: {**known(), "visible": False}
        blocks.children.remove(one)


def tell_one(blocks: gr.Blocks, one: gr.HTML) -> None:
    """Lets one piece stand for all outputs of each event whose progress isn't shown.

    Gradio's page tells every output several times an event that it waits or is done, at half a millisecond each: with
    the sixty outputs of Play that was 0.3 of the 0.8 s from a click to its answer.
    """
    for event in blocks.fns.values():
        if event.show_progress == "hidden":
            event.show_progress_on = [one]


def barkeeper(home: Path, public: bool):
    """What the thin bar's script asks for: the model in hand, what is training, the time left, the device."""
    server = secrets.token_hex(8)

    def bar(asked: list) -> dict[str, str]:
        model, key = (str(part) for part in asked)
        return {"html": look.bar(*bar_facts(home, public, model, key)), "server": server}

    return bar


def follow_bar(shared: Shared, bar: gr.HTML) -> None:
    """A click on the thin bar leads to the tab and the run that it speaks of."""

    def follow(event: gr.EventData):
        """Go to the tab that was clicked, and to its run."""
        run = event.run if is_run(shared.home, event.run) else ""
        return gr.Tabs(selected="train" if event.tab == "train" else "play"), gr.update(
            value=run
        ) if run else gr.skip()

    bar.open(follow, None, [shared.tabs, shared.run], api_name="ui_follow", **QUIET)


def bar_facts(home: Path, public: bool, model: str, key: str) -> tuple[dict | None, dict | None, int]:
    """The model in hand, the run on its way (only its own, where strangers may come), how many wait behind it."""
    in_hand = store.status(home, model) if is_run(home, model) else None
    live = [run for run in recent_runs(home, int(time.monotonic())) if run.state in LIVE]
    running = next((run for run in live if run.state != "queued"), None)
    if running and public and not owns(home, running.id, key):
        running = None
    waiting = sum(run.state == "queued" for run in live)
    return in_hand, running and store.status(home, running.id), waiting


def keep_address(shared: Shared, tab: dict[str, gr.Tab], here: gr.Textbox) -> None:
    """Keep the address and this browser's memory in step with the page; both happen in the browser alone."""
    for name, one in tab.items():
        one.select(None, None, here, js=f"() => '{name}'", api_name=f"ui_here_{name}", **PRIVATE)
    gr.on(
        [one.change for one in (shared.run, shared.made, here, shared.translated)],
        None,
        [shared.run, shared.made, here, shared.translated],
        None,
        js=ADDRESS,
        api_name="ui_address",
        **PRIVATE,
    )
    gr.on(
        [one.change for one in (shared.run, shared.model, shared.tray, shared.chosen, here)],
        None,
        [shared.run, shared.model, shared.tray, shared.chosen, here],
        shared.kept,
        js="(run, model, tray, chosen, tab) => ({run, model, tray, chosen, tab})",
        api_name="ui_keep",
        **PRIVATE,
    )


def arrive(shared: Shared, blocks: gr.Blocks, here: gr.Textbox) -> None:
    """What a freshly loaded page shows: the address decides, then what this browser had, then what is going on."""

    def load(kept: dict, key: str, request: gr.Request):
        kept = kept if isinstance(kept, dict) else {}
        key = key or secrets.token_urlsafe(24)
        asked = request.query_params.get("run", "")
        art = request.query_params.get("art", "")[:MOST_CODE_CHARS]
        translated = is_translation(art)
        live = [run.id for run in visible_runs(shared, key) if run.state in LIVE]
        run = next((run for run in (asked, *live, kept.get("run")) if is_run(shared.home, run)), "")
        model = next((run for run in (kept.get("model"), STARTER) if is_run(shared.home, run)), "")
        if asked and not is_run(shared.home, asked):
            gr.Warning(say("page.no_run"), title="")
        arrived = {
            shared.run: gr.update(value=run),
            shared.model: gr.update(value=model),
            shared.tray: gr.update(value=tray_text(kept.get("tray"))),
            shared.art: gr.update(value="" if translated else art),
            shared.translated: gr.update(value=art if translated else ""),
            shared.chosen: gr.update(value=str(kept.get("chosen") or "")[:MOST_CODE_CHARS]),
            shared.key: key,
            shared.owner: gr.update(value=key),
        }
        tab = "transform" if translated else first_tab(asked, art, kept)
        if tab != "play":  # it is there already, and a quick visitor may have left it
            arrived |= {shared.tabs: gr.Tabs(selected=tab), here: gr.update(value=tab)}
        return arrived

    outputs = [
        *(shared.run, shared.model, shared.tray, shared.art, shared.chosen, shared.key, shared.owner),
        *(shared.translated, shared.tabs, here),
    ]
    blocks.load(
        load, [shared.kept, shared.key], outputs, api_name="ui_arrive", show_progress="hidden", **PRIVATE
    )


def is_translation(code: str) -> bool:
    """Whether a code in an address names a translated picture; what is no code is Play's to refuse."""
    try:
        return artworks.decode(code).task == "translate"
    except Refused:
        return False


def first_tab(run: str, art: str, kept: dict) -> str:
    """Where a page opens. Only Play writes an artwork into the address, so a reload of Train never leads to Play."""
    if art or not run:
        return "play"
    return (
        kept["tab"]
        if run == kept.get("run") and kept.get("tab") in ("gather", "transform", "gallery")
        else "train"
    )


def tray_text(text: object) -> str:
    """The remembered tray, if it is one."""
    return packed(tray_picks(text))

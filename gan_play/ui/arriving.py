"""Which model Play has in hand: the one chosen, that of a link which was opened, or of a tile picked while training."""

import contextlib
import dataclasses
import json
import time
from types import SimpleNamespace

import gradio as gr

from gan_play.latent import sample
from gan_play.refusals import Refused
from gan_play.share import artwork as artworks
from gan_play.share.gallery import check_alive
from gan_play.ui import blend, gallery, tiles
from gan_play.ui.desk import Desk, desk_of, fitting, go, label_text, pick, training_pick, tray_picks
from gan_play.ui.shared import QUIET, Shared, is_run, recent_runs
from gan_play.ui.wires import Wires, paints, playable
from gan_play.ui.words import say

MOST_TRIED = 5
"""Models tried for one that can be read, where nothing is in hand."""


def wire(shared: Shared, room: SimpleNamespace, wires: Wires) -> None:
    """Wires the list of models, and all that brings another one."""
    home, answer, offered = shared.home, wires.answer, wires.offered
    begin, blending, desk_in, desk_out = room.begin, room.blending, room.desk_in, room.desk_out
    digest, first, handled, label = room.digest, room.first, room.handled, room.label
    message, model, newest, nothing = room.message, room.model, room.newest, room.nothing
    truncation, whole = room.truncation, room.whole

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
        said |= {nothing: gr.update(visible=False), whole: gr.update(visible=True)}
        return said | {model: offered(in_hand, key)}

    arrival = [shared.model, shared.art, shared.picked, handled, shared.key, *desk_in]
    arrived = [nothing, whole, model, handled, shared.art, *desk_out]
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
        """A model from the list, in its newest state; the link and the tile that were opened are done with."""
        if not is_run(home, chosen):
            raise gr.Error(say("play.no_run"), print_exception=False)
        return {
            shared.model: gr.update(value=chosen),
            shared.art: gr.update(value=""),
            shared.picked: gr.update(value=""),
            handled: gr.update(value="{}"),
        }

    chosen_out = [shared.model, shared.art, shared.picked, handled, message]
    for name, event in (("choose", model.input), ("newest", newest.click)):
        event(choose, model, chosen_out, api_name=f"ui_play_{name}", **QUIET).then(
            arrive, arrival, arrived, api_name=f"ui_play_{name}_arrive", **QUIET
        )

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

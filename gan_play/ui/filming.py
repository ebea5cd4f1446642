"""Play's films: the timeline of keyframes with its sound, and making a film of it, with progress."""

import contextlib
import dataclasses
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import gradio as gr

from gan_play.latent import sample
from gan_play.refusals import Refused, refuse
from gan_play.share import artwork as artworks
from gan_play.share.artwork import Artwork
from gan_play.steps import Ended, steps_of
from gan_play.ui import breed, look, sounds, stopping, tiles, timeline
from gan_play.ui.desk import Desk, artwork_of, stay
from gan_play.ui.gather import uploaded
from gan_play.ui.line import TOGETHER, Line
from gan_play.ui.shared import PRIVATE, QUIET, Shared, told
from gan_play.ui.wires import Wires, prover
from gan_play.ui.words import say

LINE = Line("film")
"""One film is made at a time: two would take twice as long each, and twice the memory."""


def films(home: Path, artwork: Artwork, form: str) -> Iterator[str]:
    """Makes a film and yields sentences on the way; whoever stops listening cancels it, and nothing stays behind."""
    begun = shown_at = time.monotonic()
    yield tiles.waiting(say("play.film.begin"), 0.0)
    with contextlib.closing(
        steps_of(lambda progress: artworks.render(home, artwork, form, progress))
    ) as steps:
        for done, total in steps:
            now = time.monotonic()
            if total and now - shown_at > 0.25:
                shown_at = now
                LINE.left_s = (now - begun) / done * (total - done)
                left = look.time_words(LINE.left_s)
                yield tiles.waiting(say("play.film.frames", done=done, total=total, left=left), done / total)


def filmed(home: Path, desk: Desk, data: dict) -> Desk:
    """More pictures on the timeline: the tray, the one picked last, or that of a code; or no more sound."""
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


def wire(shared: Shared, room: SimpleNamespace, wires: Wires) -> None:
    """Wires the timeline, and the button that makes its film."""
    home, on, on_piece, refusal_of = shared.home, wires.on, wires.on_piece, wires.refusal_of
    cancel, code, desk_in, desk_out = room.cancel, room.code, room.desk_in, room.desk_out
    edited, facts = room.edited, room.facts
    form, heard, keyframes, make = room.form, room.heard, room.keyframes, room.make
    message, moment, planning, progress = room.message, room.moment, room.planning, room.progress

    def filmed_in(desk: Desk, data: dict) -> Desk:
        return filmed(home, desk, data)

    def planned(desk: Desk, text: str) -> Desk:
        in_hand = sample.load_digest(home, desk.digest)
        return dataclasses.replace(desk, plan=timeline.changed(desk, in_hand, text))

    def edit(text: str, *values):
        """What was done in the row: a mark, which comes back with it, and the plan as it is by now."""
        desk, (mark, _, plan) = Desk.sent(values), text.partition(" ")
        return wires.ask(desk, lambda: planned(desk, plan), mark) if desk.digest else gr.skip()

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
    on_piece(keyframes.more, filmed_in, "film_add")
    edited.change(
        edit,
        [edited, *desk_in],
        desk_out,
        api_name="ui_play_film_plan",
        trigger_mode="always_last",
        **QUIET,
    )
    keyframes.sound(
        hear,
        desk_in,
        [heard, message, keyframes],
        api_name="ui_play_film_sound",
        concurrency_limit=1,  # each decodes in a process of its own
        **QUIET | {"queue": True},
    )
    on(heard.change, sounded, heard)

    def make_film(request: gr.Request, when: str, *values):
        """Make the film of the walk on the desk, with progress; the film stays if the page is closed after it."""
        desk, over, said = Desk.sent(values), stopping.asker(request, "film", when), ""
        with told():
            artwork = artwork_of(desk)
            if artwork is None or not artwork.is_film:
                raise gr.Error(say("play.need.walk"), print_exception=False)
            steps = films(home, artwork, desk.form)
            turns = LINE.served(steps, over, lambda said: tiles.waiting(said, 0.0))
            try:
                with contextlib.closing(turns):
                    for sentence in turns:
                        if over():
                            raise Ended
                        shown = gr.update(visible=True, value=say("play.film.cancel"))
                        yield gr.update(value=sentence), gr.update(visible=False), shown
            except Ended:
                said = tiles.note(say("play.film.cancelled"))
        yield gr.update(value=said), gr.skip(), gr.skip()

    buttons = [progress, make, cancel]
    making = make.click(
        make_film,
        [moment, *desk_in],
        buttons,
        js=stopping.NOW,
        api_name="ui_play_film",
        show_progress="minimal",
        show_progress_on=progress,
        **PRIVATE | TOGETHER,
    )
    on(making.success, stay).then(prover(home), [code, form], facts, api_name="ui_play_film_proof", **QUIET)

    def idle():
        return gr.update(visible=True), gr.update(visible=False)

    making.then(idle, None, [make, cancel], api_name="ui_play_film_over", **QUIET)
    making.failure(
        lambda: (gr.update(value=""), *idle()), None, buttons, api_name="ui_play_film_failed", **QUIET
    )
    cancel.click(
        stopping.stopper("film", say("play.film.cancelling")),
        moment,
        cancel,
        js=stopping.NOW,
        api_name="ui_play_film_cancel",
        **QUIET,
    )

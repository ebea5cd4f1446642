"""Play's searches, wired: a picture of one's own is found in the model, and a picture painted towards five colours."""

import contextlib
import dataclasses
from collections.abc import Callable
from types import SimpleNamespace

import gradio as gr

from gan_play.latent import palette
from gan_play.refusals import Refused
from gan_play.steps import Ended
from gan_play.ui import stopping, tiles, yours
from gan_play.ui.desk import Desk, found_in
from gan_play.ui.line import TOGETHER
from gan_play.ui.share_routes import picture
from gan_play.ui.shared import PRIVATE, QUIET, Shared
from gan_play.ui.wires import Wires
from gan_play.ui.words import say


def wire(shared: Shared, room: SimpleNamespace, wires: Wires) -> None:
    """Wires both, with their Stop buttons."""
    home, on = shared.home, wires.on
    code, colours, digest, moment = room.code, room.colours, room.digest, room.moment
    own, point = room.own, room.point

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

    def follow(part: dict, begin: Callable, over: Callable[[], bool]):
        """A search on the page: its progress, its Stop button and the point so far. A stop comes into force at a look,
        so that there is something to keep."""
        where, stop = part["progress"], part["stop"]
        yield {stop: gr.update(visible=True, value=say("yours.stop")), point: gr.update(value="")}
        try:
            turns = yours.LINE.served(begin(), over, lambda said: (tiles.waiting(said, 0.0), ""))
            with contextlib.closing(turns):
                for html, so_far in turns:
                    ended = bool(so_far) and over()
                    said = tiles.note(say("yours.stopped")) if ended else html
                    yield {where: gr.update(value=said), point: gr.update(value=so_far)}
                    if ended:
                        break
        except Refused as refused:
            yield wrong(where, refused)
        except Ended:  # before its turn
            yield {where: gr.update(value=tiles.note(say("gather.cancelled")))}
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
            show_progress="minimal",
            show_progress_on=part["progress"],
            **PRIVATE | TOGETHER | options,
        )
        on(searching.success, found_in, point)
        part["stop"].click(
            stopping.stopper(name, say("yours.stopping")),
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

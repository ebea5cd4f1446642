"""What is clicked in Play's grid and tray is shown at once: the page's script doesn't wait for Gradio's event.

    GET /gradio_api/seeds?turns=next&digest=&first=&seed=&tray=&truncation=&label=    the grid of the page turned to
    .. &ahead=1    the same for a hand that hasn't come yet: 204, and nothing in it, while anybody waits for a picture

A tile's picture is the one that the stage will show, so a click only moves it there; the next page of seeds comes from
this route, as the event will send it, but with small pictures in it: one request in place of 37. The event decides:
what is done is told to it one thing after the other, and what is done meanwhile together in the next; whatever the
script laid out gives way to the last answer. Whatever else changes the desk by a button of the tray, a slider or a box
is told in the same row, so that no two desks are on their way at once.
"""

import base64
import dataclasses
import json
import re
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import gradio as gr
from fastapi import Request
from fastapi.responses import HTMLResponse, Response
from fastapi.routing import APIRoute

from gan_play.latent import sample
from gan_play.refusals import Refused
from gan_play.ui import look, routes, share_routes, showing, tiles
from gan_play.ui.desk import Desk, fitting, stay, turn
from gan_play.ui.shared import PRIVATE
from gan_play.ui.wires import Wires
from gan_play.ui.words import say

MOST_DONE = 100
"""What a hand does while the server is asked; more at once is no hand's."""

CALM_MS = 700
"""How long a page of seeds is looked at before the next one is painted ahead."""

LONGEST_MS = 10_000
"""A page that couldn't be painted ahead, since others waited, is asked for again after twice as long, up to this."""

QUIET_S = 0.3
"""How long nobody has to have waited for a picture before a page is begun ahead: among many visitors it would only be
broken off again."""

MOST_INLINED_PX = 64
"""Side of pictures that come with their grid: 36 are 0.5 MB and 0.3 s of two cores; of 128 px, four times that."""

ASKED = ("digest", "first", "seed", "tray", "truncation", "label")
"""What of a desk the grid depends on."""

FOLLOWING = ("sample", "breed", "steer", "project")
"""Tools in which the stage shows the picture that was picked last."""


ACTS = (
    *("left", "right", "move", "out", "clear", "swap"),
    *("to-mix", "to-walk", "to-breed", "to-steer", "to-film"),
)
"""What the buttons and keys of the tray, of the two pictures of a mix and under the stage do."""


def after(desk: Desk, data: dict, ways: dict[str, Callable[[Desk, dict], Desk]]) -> Desk:
    """The desk after all that a browser says was done, in its order; `ways` has what each kind of deed makes of one."""
    did = data.get("did")
    for deed in did[:MOST_DONE] if isinstance(did, list) else []:
        way = ways.get(str(deed.get("do"))) if isinstance(deed, dict) else None
        desk = way(desk, deed) if way else desk
    return desk


def wire(
    room: SimpleNamespace,
    wires: Wires,
    picked: Callable[[Desk, dict], Desk],
    acted: Callable[[Desk, dict], Desk],
) -> None:
    """Wires what is done by hand; `picked` is what a click on a tile makes of a desk, `acted` what an act does."""

    def use_tool(desk: Desk, _: dict) -> Desk:
        return dataclasses.replace(desk, chosen="", came="") if desk.tool == "breed" else desk

    ways = dict.fromkeys(ACTS, acted) | {
        "pick": picked,
        "next": lambda desk, _: turn(desk, 1),
        "previous": lambda desk, _: turn(desk, -1),
        "tool": use_tool,
        "stay": lambda desk, _: stay(desk),
    }
    doing = wires.on_piece(room.hand.did, lambda desk, data: after(desk, data, ways), "did")
    for over in ("then", "failure"):
        js = "() => { document.dispatchEvent(new Event('gan-play-answered')); }"
        getattr(doing, over)(None, None, None, js=js, api_name=f"ui_play_did_{over}", **PRIVATE)

    js = "() => { document.dispatchEvent(new Event('gan-play-page')); }"
    gr.on(
        [room.digest.change, room.first.change], None, None, None, js=js, api_name="ui_play_page", **PRIVATE
    )

    # While sliders are dragged the page's script asks for the picture: `ui/sliders.py`.
    sliders = [room.truncation, *room.bands.values(), *room.steering.values(), room.seconds, room.strength]
    moved = [*(slider.release for slider in sliders), room.let_go.change]
    for choice in (room.band, room.loop, room.how, room.easing, room.form, room.held):
        moved.append(choice.input)
    for box in (room.rows, room.columns, room.kinds, room.across):
        moved += [box.submit, box.blur]
    for event, do in ((room.tool.input, "tool"), *((event, "stay") for event in moved)):
        told = f"() => {{ document.dispatchEvent(new CustomEvent('gan-play-did', {{detail: {{do: '{do}'}}}})); }}"
        event(None, None, None, js=told, api_name=f"ui_play_{do}", **PRIVATE)


_ahead = threading.Lock()  # one page is painted ahead at a time


def free() -> bool:
    """Whether a page may be painted ahead now."""
    return not _ahead.locked() and share_routes.quiet_s() >= QUIET_S


def painted(home: Path, codes: Sequence[str], ahead: bool) -> list[bytes] | None:
    """The PNG of each picture, as many painted at once as may be. Ahead of a hand one after the other, and None as soon
    as somebody else waits for a picture, or another page is painted ahead.
    """
    if not ahead:
        with ThreadPoolExecutor(sample.PAINTERS) as painters:
            return list(painters.map(lambda code: share_routes.picture(home, code).png, codes))
    if not _ahead.acquire(blocking=False):
        return None
    try:
        pngs = []
        for code in codes:
            if share_routes.waited_for():
                return None
            pngs.append(share_routes.picture(home, code).png)
        return pngs
    finally:
        _ahead.release()


def inlined(home: Path, html: str, ahead: bool = False) -> str | None:
    """A grid with its pictures in it, the same bytes as at their addresses; None as `painted`."""
    codes = re.findall(r'data-code="([^"]+)"', html)
    pngs = painted(home, codes, ahead)
    if pngs is None:
        return None
    shown = {
        tiles.address(code): f"data:image/png;base64,{base64.b64encode(png).decode()}"
        for code, png in zip(codes, pngs)
    }
    return re.sub(r'src="([^"]+)"', lambda found: f'src="{shown.get(found[1], found[1])}"', html)


def turned(home: Path, asked: dict[str, str]) -> str | None:
    """The grid after turns such as "next,previous", from what the page says of its desk. Refused for nonsense; None
    where it is asked for ahead of a hand and others wait.

    Small pictures are in it; larger ones take long enough to be seen coming one by one, from their addresses.
    """
    desk = Desk(**{name: asked[name] for name in ASKED if name in asked})
    desk = dataclasses.replace(desk, truncation=sample.check_truncation(desk.truncation))
    for way in asked.get("turns", "").split(",")[:MOST_DONE]:
        desk = turn(desk, 1 if way == "next" else -1)
    model = sample.load_digest(home, desk.digest)
    html = showing.grid(fitting(desk, model), model)
    return inlined(home, html, "ahead" in asked) if model.generator.size_px <= MOST_INLINED_PX else html


def address_routes(home: Path) -> list[APIRoute]:
    """The route over one home."""

    def seeds(request: Request) -> Response:
        asked, uncached = dict(request.query_params), {"Cache-Control": "no-store"}
        try:
            html = turned(home, asked) if "ahead" not in asked or free() else None
        except Refused as refused:
            return share_routes.missing(refused)
        return (
            Response(status_code=204, headers=uncached)
            if html is None
            else HTMLResponse(html, headers=uncached)
        )

    return [routes.route("/gradio_api/seeds", seeds)]


def script() -> str:
    """The script, with its words."""
    words = {"open": say("act.open.of", title="{title}"), "like": say("act.like")}
    known = {
        "words": words,
        "following": FOLLOWING,
        "acts": ACTS,
        "calm": CALM_MS,
        "longest": LONGEST_MS,
    }
    return f"const known = {json.dumps(known)};\n" + look.asset("at_once.js")

"""The pieces that Play and Gallery are laid out with: tiles, the stage, the tray. HTML out; no state, no gradio.

Every picture here is an address (`gradio_api/art/CODE.png`), so that what one sees, saves with a right click,
downloads and shares are the same bytes. Tiles are real buttons: Tab reaches them, arrows move, Enter picks.
Functions take plain text and escape it; the result is for a `gr.HTML` with its default template.
"""

import base64
import json
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from gan_play.pictures import images
from gan_play.ui import look
from gan_play.ui.words import say

MOST_IN_TRAY = 12
"""Seeds in the tray: as many as a walk may have."""


@dataclass(frozen=True)
class Tile:
    """One picture on the page: where it is, what it is called, and what a click on it takes along."""

    code: str  # its share code
    title: str  # for people who can't see it, and as a tooltip
    seed: int | None = None
    badge: str = ""  # a word or number in its corner
    current: bool = False  # shown on the stage
    label: int | None = None


def address(code: str, suffix: str = "png") -> str:
    """Where the page finds an artwork; relative, so that it works behind any prefix."""
    return f"gradio_api/art/{code}.{suffix}"


def data_url(pixels: np.ndarray) -> str:
    """A picture as text, for an <img>: lossless, since it stands in for one with an address."""
    return "data:image/png;base64," + base64.b64encode(images.encode(pixels, "png")).decode()


def public_base() -> str:
    """The address that links start with where the page can't know it: on a Space, inside its frame; else ""."""
    host = os.environ.get("SPACE_HOST", "").strip().lower()
    return f"https://{host}/" if re.fullmatch(r"[a-z0-9.-]+", host) else ""


def tile(picture: Tile, kind: str = "tile") -> str:
    """One picture as a button."""
    seed = "" if picture.seed is None else f' data-seed="{picture.seed}"'
    seed += "" if picture.label is None else f' data-label="{picture.label}"'
    badge = f'<span class="badge">{escape(picture.badge)}</span>' if picture.badge else ""
    return (
        f'<button type="button" class="{kind}{" current" if picture.current else ""}"{seed} '
        f'data-code="{escape(picture.code)}" aria-pressed="{"true" if picture.badge else "false"}" '
        f'title="{escape(picture.title)}"><img src="{escape(address(picture.code))}" '
        f'alt="{escape(picture.title)}" draggable="false" decoding="async">{badge}</button>'
    )


def tiles(pictures: Sequence[Tile], title: str, size_px: int, settings: str = "") -> str:
    """A grid of pictures that can be picked; `settings` is what they were painted with, for the page's script."""
    sharp = " sharp" if size_px < 64 else ""
    inside = "".join(tile(picture) for picture in pictures)
    return (
        f'<div class="tiles{sharp}" role="group" aria-label="{escape(title)}" '
        f'data-settings="{escape(settings)}">{inside}</div>'
    )


def tray(pictures: Sequence[Tile], size_px: int, settings: str = "") -> str:
    """The strip along the bottom: the picked seeds in their order, and what can be done with the current one."""
    sharp = " sharp" if size_px < 64 else ""
    here = any(picture.current for picture in pictures)
    inside = "".join(tile(picture, "tile picked") for picture in pictures)
    inside += '<span class="slot"></span>' * (MOST_IN_TRAY - len(pictures))
    buttons = "".join(
        f'<button type="button" class="quiet" data-do="{do}" title="{escape(say(f"tray.{do}.hint"))}"'
        f"{'' if able else ' disabled'}>{escape(say(f'tray.{do}'))}</button>"
        for do, able in (("left", here), ("right", here), ("out", here), ("clear", bool(pictures)))
    )
    count = escape(
        say("tray.count", count=len(pictures), most=MOST_IN_TRAY) if pictures else say("tray.empty")
    )
    return (
        f'<div class="tray"><div class="tray-head"><strong>{escape(say("tray.title"))}</strong>'
        f'<span class="subdued">{count}</span></div>'
        f'<div class="tray-strip{sharp}" role="group" aria-label="{escape(say("tray.title"))}" '
        f'data-settings="{escape(settings)}">{inside}</div>'
        f'<div class="tray-buttons">{buttons}</div></div>'
    )


def action(do: str, key: str, code: str, href: str = "") -> str:
    """One of the actions under a picture: a link where it leads to a file, else a button."""
    hint, text = escape(say(f"act.{key}.hint")), escape(say(f"act.{key}"))
    if href:
        return f'<a class="action" href="{escape(href)}" download title="{hint}">{text}</a>'
    return (
        f'<button type="button" class="action" data-do="{do}" data-code="{escape(code)}" title="{hint}">'
        f"{text}</button>"
    )


def actions(
    code: str, also: Sequence[str] = (), film: str = "", keep: bool = True, like: bool = False
) -> str:
    """The same actions in the same order everywhere: open large, download, keep, like, copy link; then special ones."""
    href = film or address(code) + "?download=1"
    buttons = [action("open", "open", code), action("", "download", code, href)]
    buttons += [action(key, key, code) for key in (*["keep"] * keep, *["like"] * like, "share", *also)]
    return f'<div class="actions" data-base="{escape(public_base())}">{"".join(buttons)}</div>'


def stage(code: str, title: str, size_px: int, *, also: Sequence[str] = ()) -> str:
    """The picked picture, large, with its actions."""
    sharp = " sharp" if size_px < 64 else ""
    return (
        f'<figure class="stage{sharp}">'
        f'<button type="button" class="large" data-do="open" data-code="{escape(code)}" '
        f'aria-label="{escape(say("act.open.of", title=title))}">'
        f'<img src="{escape(address(code))}" alt="{escape(title)}"></button>'
        f"<figcaption>{escape(title)}</figcaption>{actions(code, also, like=True)}</figure>"
    )


def film(code: str, title: str, src: str, form: str) -> str:
    """A finished film, playing, with its actions."""
    moving = (
        f'<video src="{escape(src)}" poster="{escape(address(code))}" controls loop autoplay muted playsinline '
        f'aria-label="{escape(title)}"></video>'
        if form == "mp4"
        else f'<img src="{escape(src)}" alt="{escape(title)}">'
    )
    return (
        f'<figure class="stage film">{moving}<figcaption>{escape(title)}</figcaption>'
        f"{actions(code, film=src + '?download=1')}</figure>"
    )


def figure(inside: str, columns: int, code: str, title: str, size_px: int) -> str:
    """A table of tiles as one artwork, with its actions."""
    sharp = " sharp" if size_px < 64 else ""
    return (
        f'<figure class="stage{sharp}"><div class="table" role="group" aria-label="{escape(title)}" '
        f'style="grid-template-columns:repeat({columns},minmax(0,1fr))">{inside}</div>'
        f"<figcaption>{escape(title)}</figcaption>{actions(code)}</figure>"
    )


def row_name(text: str) -> str:
    """What a row of a figure is called."""
    return f'<span class="kind" title="{escape(text)}">{escape(text)}</span>'


def stills(code: str, title: str, count: int, size_px: int, gap_px: int = 2, film: str = "") -> str:
    """A walk before its film is made: the moments of its strip in a few rows, with its actions; `film` is what is
    downloaded where it can't be shown."""
    wide = 100 * (count * size_px + (count - 1) * gap_px) / size_px
    places = [f"{100 * place / (count - 1):.4f}%" for place in range(count)]
    paint = f"background: url('{escape(address(code))}')"
    moments = "".join(f'<span style="{paint} {place} 0 / {wide:.2f}% 100%"></span>' for place in places)
    return (
        f'<figure class="stage"><button type="button" class="large" data-do="open" data-code="{escape(code)}" '
        f'aria-label="{escape(say("act.open.of", title=title))}"><span class="stills">{moments}</span></button>'
        f"<figcaption>{escape(title)}</figcaption>{actions(code, film=film)}</figure>"
    )


def pair(two: Sequence[Tile]) -> str:
    """The two pictures of a mix, side by side, and the button that swaps them."""
    first, second = (
        f'<span class="half">{tile(picture)}<span>{escape(say(f"play.pair.{which}"))}</span></span>'
        for which, picture in zip("ab", two)
    )
    swap = f'<button type="button" class="quiet" data-do="swap">{escape(say("play.swap"))}</button>'
    return f'<div class="pair">{first}{swap}{second}</div>'


def parents(two: Sequence[Tile]) -> str:
    """What is bred: one picture, or two between which the children lie."""
    names = ("breed.parent",) if len(two) == 1 else ("breed.parent.a", "breed.parent.b")
    halves = [
        f'<span class="half">{tile(picture)}<span>{escape(say(name))}</span></span>'
        for picture, name in zip(two, names)
    ]
    return f'<div class="pair">{"".join(halves)}</div>'


def family(
    pictures: Sequence[tuple[Tile, str]],
    places: Sequence[tuple[int, int]],
    lines: Sequence[tuple[tuple[int, int], tuple[int, int]]],
    more: str = "",
) -> str:
    """A family tree: pictures with what was done, at their places; lines from parents to children. It can be zoomed.

    Places are the left top corners, in CSS pixels; `more` is a sentence below.
    """
    size, half = 64, 32
    width, height = (max(place[axis] for place in places) + 120 for axis in (0, 1))
    paths = "".join(
        f'<path d="M{x1 + size} {y1 + half} C{x1 + 100} {y1 + half} {x2 - 36} {y2 + half} {x2} {y2 + half}"/>'
        for (x1, y1), (x2, y2) in lines
    )
    inside = "".join(
        f'<span class="member" style="left:{x}px;top:{y}px">{tile(picture)}<span>{escape(words)}</span></span>'
        for (picture, words), (x, y) in zip(pictures, places)
    )
    buttons = "".join(
        f'<button type="button" class="quiet" data-zoom="{times}" aria-label="{escape(say(f"breed.zoom.{name}"))}">'
        f"{sign}</button>"
        for times, name, sign in (("0.8", "out", "−"), ("1.25", "in", "+"))
    )
    return (
        f'<div class="family"><div class="family-head"><strong>{escape(say("breed.tree"))}</strong>'
        f'<span class="subdued">{escape(say("breed.tree.hint"))}</span>{buttons}</div>'
        f'<div class="family-view" tabindex="0" role="group" aria-label="{escape(say("breed.tree"))}">'
        f'<div class="family-plane" style="width:{width}px;height:{height}px"><svg width="{width}" height="{height}" '
        f'aria-hidden="true">{paths}</svg>{inside}</div></div>{note(more)}</div>'
    )


@dataclass(frozen=True)
class Near:
    """A picture that a model learnt from: where it is, what it is called, how far a painting is from copying it."""

    address: str
    title: str
    words: str


def nearest(code: str, title: str, near: Sequence[Near], sentence: str, size_px: int) -> str:
    """A painting, then the pictures that are nearest to it, each with how far it is from copying them."""
    sharp = " sharp" if size_px < 64 else ""
    own = (
        f'<span class="half own"><img src="{escape(address(code))}" alt="{escape(title)}">'
        f"<span>{escape(say('play.near.own'))}</span></span>"
    )
    others = "".join(
        f'<span class="half"><img src="{escape(one.address)}" alt="{escape(one.title)}">'
        f"<span>{escape(one.words)}</span></span>"
        for one in near
    )
    return (
        f'<figure class="nearest{sharp}"><p>{escape(sentence)}</p>'
        f'<div class="row" role="group" aria-label="{escape(say("play.near"))}">{own}{others}</div></figure>'
    )


def empty_stage(sentence: str) -> str:
    """What stands where a picture will be: what to do to get one."""
    return f'<figure class="stage"><p class="empty">{escape(sentence)}</p></figure>'


def waiting(sentence: str, share: float) -> str:
    """Progress of something that takes a while: a bar, and a sentence with the time left."""
    percent = max(0, min(100, round(share * 100)))
    return (
        f'<div class="waiting" role="progressbar" aria-valuenow="{percent}" aria-valuemin="0" aria-valuemax="100">'
        f'<div class="waiting-bar" style="width:{percent}%"></div></div><p class="subdued">{escape(sentence)}</p>'
    )


def note(text: str, kind: str = "") -> str:
    """A quiet line: facts, or a calm message."""
    return f'<p class="note {kind}">{escape(text)}</p>' if text else ""


STYLE = f"<style>{look.asset('tiles.css')}{look.asset('transform.css')}{look.asset('draw.css')}</style>"
"""For the page's head: Gradio rewrites a style sheet that it is given, and loses nested rules on the way."""


SCRIPTED = ("share", "copied", "select", "link", "wait", "lost", "like", "liked", "withdraw")
"""Words that the script writes itself."""


def script() -> str:
    """The script of the pieces, with its words."""
    words = {key: say(f"act.{key}") for key in SCRIPTED}
    return f"const words = {json.dumps(words)};\n" + look.asset("tiles.js")

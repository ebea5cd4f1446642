"""The desk of a translator: a sheet to draw on, or a picture of one's own with a brush for its damage.

What is drawn lies on a canvas of the browser's. While the pen moves, `live` paints what lies there, one picture at a
time; once it rests, the whole is painted as an artwork (`ui/translate.py`).
"""

import base64
import binascii
from collections.abc import Callable
from html import escape
from pathlib import Path

import numpy as np

from gan_play import limits
from gan_play.latent.sample import canonical
from gan_play.pictures import images
from gan_play.refusals import Refusal, Refused
from gan_play.share import translating
from gan_play.translate import translator
from gan_play.translate.translator import Translator
from gan_play.ui import look, tiles, transform
from gan_play.ui.collect import strings
from gan_play.ui.words import say

SHEET_PX = 512
"""Of the sheet, so that lines are fine on any screen; what is painted of it is smaller."""

MOST_SENT_CHARS = 2_000_000
"""Of a canvas as text: 512 px of pure noise are 1,100,000."""

MOST_LIVE_PX = 256
"""Of what is painted while the pen moves: four times as long as 128."""

OVER = {"repair": "damage", "colour": "hints"}
"""Presets whose pictures lie under a brush, and the canvas's class."""

DRAWN = ("sketch", "flat", "")
"""Presets that take a drawing; "" are real pairs and two sets, of which nobody knows."""

COLOURS = (
    "#1b1b1b",
    "#f4efe2",
    "#8fb4d8",
    "#2f4f6f",
    "#7a9a4f",
    "#3f5a34",
    "#b08a4f",
    "#b5562e",
    "#d9b36c",
    "#8a8580",
)
"""Of a painter's box: ink, paper, sky, water, meadow, wood, earth, brick, sand, stone."""


def draws(model: Translator) -> bool:
    """Whether one draws for this translator."""
    return translator.preset_of(model) in DRAWN


def side_of(model: Translator, drawn: bool) -> int:
    """How long a picture is when nobody says otherwise: what it learnt on, or of a photo twice as much."""
    size = model.settings.size_px if drawn else max(256, 2 * model.settings.size_px)
    return min(size, limits.MOST_TRANSLATED_PX)


# What is shown


def tool(name: str, on: bool) -> str:
    """A button that stays pressed."""
    return (
        f'<button type="button" class="quiet" data-tool="{name}" aria-pressed="{"true" if on else "false"}">'
        f"{escape(say(f'draw.{name}'))}</button>"
    )


def tools(names: str, size: int, colours: bool = False) -> str:
    """Brushes, how thick, the colours, and the way back."""
    chosen = names.split()
    kinds = "".join(tool(name, name == chosen[0]) for name in chosen)
    back = "".join(
        f'<button type="button" class="quiet" data-undo="{name}">{escape(say(f"draw.{name}"))}</button>'
        for name in ("undo", "redo", "clear")
    )
    thick = (
        f'<label>{escape(say("draw.thick"))} <input type="range" min="1" max="64" value="{size}" '
        f'aria-label="{escape(say("draw.thick"))}"></label>'
    )
    box = ""
    if colours:
        pots = "".join(
            f'<button type="button" class="pot" data-colour="{colour}" style="background:{colour}" '
            f'aria-label="{escape(say("draw.colour.of", colour=colour))}"></button>'
            for colour in COLOURS
        )
        label = escape(say("yours.colour"))
        box = f'<div class="own-row pots">{pots}<input type="color" value="{COLOURS[0]}" aria-label="{label}"></div>'
    return f'{box}<div class="own-row">{kinds}{thick}</div><div class="own-row">{back}</div>'


def other(act: str) -> str:
    """A button that brings another kind of picture on the desk."""
    return f'<button type="button" class="quiet" data-act="{act}">{escape(say(f"draw.{act}"))}</button>'


def fitting(path: str) -> tuple[int, int]:
    """(width, height) of a canvas for a picture."""
    width, height = images.png_size(Path(path).read_bytes())
    scale = min(1.0, SHEET_PX / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def ground_of(model: Translator, pixels: np.ndarray) -> np.ndarray:
    """What a photo (H, W, 3) becomes where it lies under a drawing: what this translator takes of it, so of a sketch's
    its lines."""
    width, height = pixels.shape[1::-1]
    preset = translator.preset_of(model)
    if preset == "sketch":  # larger, its lines would be thinner on the painting than those that it learnt
        scale = min(1.0, translator.MOST_PEN * model.settings.size_px / max(width, height))
        size = tuple(max(limits.LEAST_SIDE_PX, round(side * scale)) for side in (width, height))
        pixels = images.resize(pixels, size)
    with canonical():
        x = translator.source_of(model, images.to_tensor(pixels[None]), translator.USUAL)
        return images.to_pixels(x)[0]


def layers() -> str:
    """The place for the list of layers, with its words: the script fills it."""
    words = " ".join(
        f'data-{name}="{escape(say(f"draw.layer.{name}"))}"'
        for name in ("layer", "ground", "show", "up", "down", "out", "more", "more-hint")
    )
    return f'<div class="layers" role="group" aria-label="{escape(say("draw.layers"))}" {words}></div>'


def sheet(model: Translator, begun: str = "", photo: str = "") -> str:
    """A sheet of paper; `begun` is where a picture lies that is drawn on, `photo` one to lie under the drawing."""
    hint = "sketch" if translator.preset_of(model) == "sketch" else "flat"
    colours = hint == "flat"
    start = f' data-src="{escape(transform.address(begun))}"' if begun else ""
    names = "pen rubber ground" if colours else "pen rubber"
    width, height = fitting(photo or begun) if photo or begun else (SHEET_PX, SHEET_PX)
    larger = SHEET_PX / max(width, height)
    width, height = round(width * larger), round(height * larger)
    trace, see = "", ""
    if photo:
        made = ground_of(model, images.read_kept(Path(photo).read_bytes()))
        ground = transform.file(images.encode(made, "png"), "ground.png")
        start += f' data-ground="{escape(transform.address(ground))}"'
        if translator.preset_of(model):  # else it is painted as it is, and so seen already
            trace = f'<img class="trace" hidden src="{escape(transform.address(photo))}" alt="">'
            see = (
                f'<button type="button" class="quiet" data-trace="1" aria-pressed="false" '
                f'title="{escape(say("draw.trace.hint"))}">{escape(say("draw.trace"))}</button>'
            )
    return (
        f'<div class="own drawing"><canvas class="sheet" width="{width}" height="{height}" role="img" '
        f'aria-label="{escape(say("draw.sheet"))}"{start}></canvas>{trace}</div>'
        f"{tools(names, 24 if colours else 4, colours)}{layers()}{tiles.note(say(f'draw.{hint}.hint'))}"
        f"{transform.choose('ground', 1, more=True)}"
        f'<div class="own-row">{see}{other("photo")}</div>'
    )


def photo(model: Translator, path: str, marks: str = "") -> str:
    """A picture of one's own; for a repair under a brush that marks the damage, for colouring under one that says what
    is coloured how. `marks` are those of a link."""
    brush, below, preset = "", "", translator.preset_of(model)
    if preset in OVER:
        width, height = fitting(path)
        start = f' data-src="{escape(transform.address(marks))}"' if marks else ""
        brush = (
            f'<canvas class="{OVER[preset]}" width="{width}" height="{height}" role="img" '
            f'aria-label="{escape(say(f"draw.{OVER[preset]}"))}"{start}></canvas>'
        )
        below = tools("pen rubber", 24, preset == "colour") + tiles.note(say(f"draw.{OVER[preset]}.hint"))
    more = other("another") + (other("draw") if draws(model) else "")
    image = f'<img src="{escape(transform.address(path))}" alt="{escape(say("yours.canvas"))}">'
    own = f"own {OVER[preset]}-own" if preset in OVER else "own"
    return f'<div class="{own}">{image}{brush}</div>{below}<div class="own-row">{more}</div>'


def desk(model: Translator | None, path: str = "", kind: str = "", begun: str = "", anew: str = "") -> str:
    """The desk: a sheet (`kind` "draw", the picture at `path` under it), that picture, or a place to drop one. `begun`:
    see the two. What was drawn since on one that is laid again stays, unless `anew` says another word."""
    if model is None:
        return ""
    if kind == "draw":
        inside = sheet(model, begun, path)
    elif path:
        inside = photo(model, path, begun)
    else:
        inside = transform.choose("own", 1)
        inside += f'<div class="own-row">{other("draw")}</div>' if draws(model) else ""
    title = escape(say("draw.title" if kind == "draw" else "transform.own"))
    of = f"{model.digest[:16]} {kind} {path} {begun} {anew}"
    return (
        f'<div class="desk" data-of="{escape(of)}" data-run="{escape(model.run_id)}" data-kind="{escape(kind)}" '
        f'data-preset="{escape(translator.preset_of(model))}" data-px="{model.settings.size_px}">'
        f'<p class="piece-title">{title}</p>{inside}</div>'
    )


def script() -> str:
    """The script of the desk."""
    return look.asset("brush.js") + look.asset("files.js") + look.asset("draw.js")


# What a browser sends


def read_canvas(sent: object, most_px: int = SHEET_PX) -> tuple[np.ndarray, np.ndarray]:
    """The pixels (H, W, 3) of a canvas over white, and where it is opaque (H, W). Refused for anything else."""
    text = sent if isinstance(sent, str) and len(sent) <= MOST_SENT_CHARS else ""
    try:
        data = base64.b64decode(text.removeprefix("data:image/png;base64,"), validate=True)
    except (binascii.Error, ValueError):
        data = b""
    painted = images.decode_painted(data, say("draw.sheet"), most_px)
    if isinstance(painted, Refusal):
        raise Refused(painted)
    return painted


def read_drawing(sent: object, side_px: int) -> np.ndarray:
    """A drawing (H, W, 3) with its longer side at `side_px`. Refused for what is none."""
    pixels, _ = read_canvas(sent)
    height, width = pixels.shape[:2]
    scale = side_px / max(height, width)
    return images.resize(pixels, tuple(max(1, round(side * scale)) for side in (width, height)))


def read_damage(sent: object, height: int, width: int) -> np.ndarray | None:
    """Where a brush marked a picture of this size.  # bool (H, W). None where nothing was sent."""
    if not sent:
        return None
    _, opaque = read_canvas(sent)
    rows = np.arange(height) * opaque.shape[0] // height
    columns = np.arange(width) * opaque.shape[1] // width
    return opaque[rows][:, columns]


def read_hints(sent: object, height: int, width: int) -> np.ndarray | None:
    """The colours that a brush laid on a picture of this size, opaque where they are.  # uint8 (H, W, 4)

    None where nothing was sent.
    """
    if not sent:
        return None
    pixels, opaque = read_canvas(sent)
    painted = np.dstack([pixels, np.where(opaque, 255, 0).astype(np.uint8)])
    rows = np.arange(height) * opaque.shape[0] // height
    columns = np.arange(width) * opaque.shape[1] // width
    return painted[rows][:, columns]


def live(home: Path) -> Callable[[object], dict]:
    """What the sheet asks for while the pen moves: [run, the canvas, side, strength, "back" or ""] -> {"src": the
    painting}, or {"sentence": why not}."""

    def live(asked: object) -> dict:
        run, sent, side, strength, back = strings(asked, 5)
        try:
            model = translator.load(home, run)
            dials = translator.check_dials(model, strength or 1, True, bool(back))
            side_px = translating.check_side(side or model.settings.size_px)
            if side_px > MOST_LIVE_PX:
                side_px = min(model.settings.size_px, MOST_LIVE_PX)
            pixels = read_drawing(sent, side_px)
            made = translator.preview(model, pixels, dials)
        except Refused as refused:
            return {"sentence": refused.refusal.sentence}
        picture = base64.b64encode(images.encode(made, "jpeg", quality=92)).decode()
        return {"src": f"data:image/jpeg;base64,{picture}"}

    return live

"""Play's tool for a picture of one's own: drop it in, paint on it, hide what the model shall fill in, find it.

The picture lies on a canvas of the browser's; what comes back is one PNG whose hidden places are transparent. The
search is `latent/project.py`; what it finds is put into the tray like any picked picture.
"""

import base64
import binascii
import json
import secrets
import time
from collections.abc import Iterator
from html import escape
from pathlib import Path

import gradio as gr
import numpy as np

from gan_play.latent import found, palette, project, sample
from gan_play.pictures import images, intake
from gan_play.refusals import Refusal, Refused
from gan_play.share import artwork as artworks
from gan_play.ui import look, tiles
from gan_play.ui.gather import uploaded
from gan_play.ui.line import Line
from gan_play.ui.share_routes import picture
from gan_play.ui.words import say

LINE = Line("search")

SIDE_PX = 256
"""Of the canvas: fine enough to paint on, small enough to be sent."""

MOST_SENT_CHARS = 600_000
"""Of a canvas as text: 256 px of pure noise are 400,000."""


def on_canvas(pixels: np.ndarray) -> str:
    """The piece: a picture (H, W, 3), cropped to a square, on a canvas with its brushes."""
    side = min(pixels.shape[:2])
    times = SIDE_PX // side
    square = images.fit(pixels, side if times > 1 else SIDE_PX)[0]
    square = images.enlarge(square, times) if times > 1 else square
    buttons = "".join(
        f'<button type="button" class="quiet" data-brush="{name}" aria-pressed="{"true" if first else "false"}" '
        f'title="{escape(say(f"yours.{name}.hint"))}">{escape(say(f"yours.{name}"))}</button>'
        for name, first in (("hide", True), ("paint", False))
    )
    buttons += "".join(
        f'<button type="button" class="quiet" data-undo="{name}">{escape(say(f"yours.{name}"))}</button>'
        for name in ("undo", "clear")
    )
    return (
        f'<div class="yours" data-new="{secrets.token_hex(4)}"><canvas data-src="{tiles.data_url(square)}" '
        f'width="{square.shape[1]}" height="{square.shape[0]}" role="img" '
        f'aria-label="{escape(say("yours.canvas"))}"></canvas>'
        f'<div class="yours-row">{buttons}</div>'
        f'<div class="yours-row"><label>{escape(say("yours.colour"))} <input type="color" value="#6f8fb0"></label>'
        f"<label>{escape(say('yours.size'))} "
        f'<input type="range" min="4" max="96" value="36" aria-label="{escape(say("yours.size"))}"></label></div>'
        f'<button type="button" class="primary" data-find="1">{escape(say("yours.find"))}</button></div>'
    )


def read_file(path: object) -> np.ndarray:
    """The pixels of a file that somebody dropped. Refused for what is no picture, too small, too large."""
    return intake.read_picture_file(uploaded(path))


def read_canvas(sent: object) -> tuple[np.ndarray, np.ndarray]:
    """The pixels (H, W, 3) and what isn't hidden (H, W) of a canvas that a browser sent. Refused for anything else."""
    text = sent if isinstance(sent, str) and len(sent) <= MOST_SENT_CHARS else ""
    try:
        data = base64.b64decode(text.removeprefix("data:image/png;base64,"), validate=True)
    except (binascii.Error, ValueError):
        data = b""
    painted = images.decode_painted(data, say("yours.canvas"), 2 * SIDE_PX)
    if isinstance(painted, Refusal):
        raise Refused(painted)
    return painted


def sent(text: object) -> tuple[object, object]:
    """The canvas and the moment in what the canvas's script wrote; nothing of nonsense."""
    try:
        data = json.loads(str(text))
    except (ValueError, RecursionError):
        data = None
    return (data.get("png"), data.get("at")) if isinstance(data, dict) else (None, None)


def compared(target: np.ndarray, seen: project.Look) -> str:
    """Side by side: what is looked for, and how far the search is."""
    halves = "".join(
        f'<span class="half"><img src="{tiles.data_url(pixels)}" alt="{escape(say(f"yours.{name}"))}">'
        f"<span>{escape(say(f'yours.{name}'))}</span></span>"
        for name, pixels in (("yours", target), ("found", seen.pixels))
    )
    small = " sharp" if target.shape[0] < 64 else ""
    return f'<div class="pair yours-pair{small}">{halves}</div>'


def watched(
    looks: Iterator[project.Look], steps: int, target: np.ndarray, words: bool = True
) -> Iterator[tuple[str, str]]:
    """A search on the page: HTML of where it is, and the point so far. `words` says what the distance means."""
    begun, first = time.monotonic(), None
    yield tiles.waiting(say("yours.begin"), 0.0), ""
    for seen in looks:
        first = seen.step if first is None else first
        spent = time.monotonic() - begun
        left = spent / (seen.step - first) * (steps - seen.step) if seen.step > first else None
        LINE.left_s = left
        if seen.step < steps:
            said = say("yours.step", step=seen.step, steps=steps)
            said += f", {say('bar.left', time=look.time_words(left))}" if left else ""
            bar = tiles.waiting(said, seen.step / steps)
        else:
            bar = tiles.note(project.sentence(seen.distance) if words else say("yours.done"))
        yield compared(target, seen) + bar, str(seen.point)


def search(home: Path, digest: str, sent: object) -> Iterator[tuple[str, str]]:
    """Looks for what lies on the canvas in the model in hand. Refused before anything begins."""
    model = sample.load_digest(home, digest)
    target = project.check_target(model, *read_canvas(sent))
    looks = project.resumed(home, model, target, project.STEPS)
    seen = np.where(target.mask[:, :, None] > 0, target.pixels, images.NEUTRAL[0]).astype(np.uint8)
    return watched(looks, project.STEPS, seen)


def towards(home: Path, code: str, colours: str) -> Iterator[tuple[str, str]]:
    """Paints what is on the stage towards a palette. Refused before anything begins."""
    wanted, begun = palette.parse_palette(colours), artworks.decode(code)
    model = sample.load_digest(home, begun.model)
    looks = palette.towards(model, begun.genome, wanted, begun.truncation, begun.steps, palette.STEPS)
    return watched(looks, palette.STEPS, picture(home, code).pixels, words=False)


def swatches(colours: palette.Palette) -> list[str]:
    """Five colours as Gradio's pickers take them; of fewer the last again."""
    each = [f"#{bytes(colour).hex()}" for colour in colours[: palette.COLOURS]]
    return each + each[-1:] * (palette.COLOURS - len(each))


def colour_text(colour: object) -> str:
    """A colour as a picker sends it, `#1a2b3c` or `rgba(26, 43.2, 60, 1)`, as hex; what is neither stays as it is."""
    text = str(colour or "").strip()
    if text.startswith("rgb"):
        parts = text[text.find("(") + 1 :].rstrip(")").split(",")[:3]
        try:
            return "#" + bytes(min(255, max(0, round(float(part)))) for part in parts).hex()
        except (ValueError, OverflowError):
            return text
    return text


def is_point(text: object) -> bool:
    """Whether a text is a found point."""
    try:
        return bool(found.Found(str(text)))
    except Refused:
        return False


def script() -> str:
    """The script of the canvas."""
    return look.brushed("yours.js")


def controls() -> dict[str, gr.Component]:
    """The tool's components, in their place; `play.build` wires them."""
    with gr.Row(elem_id="yours-choose"):
        drop = gr.UploadButton(say("yours.choose"), file_types=["image"], size="md", elem_id="yours-drop")
        stage = gr.Button(say("yours.stage"), size="md", elem_id="yours-stage")
    canvas = gr.HTML(
        "",
        elem_id="yours",
        elem_classes="piece",
        js_on_load=script(),
        apply_default_css=False,
    )
    progress = gr.HTML("", elem_id="yours-progress", elem_classes="piece", apply_default_css=False)
    stop = gr.Button(say("yours.stop"), visible=False, elem_id="yours-stop")
    sent = gr.Textbox("", visible="hidden", elem_id="yours-sent", label="sent")
    return {
        "drop": drop,
        "stage": stage,
        "canvas": canvas,
        "progress": progress,
        "stop": stop,
        "sent": sent,
    }


def palette_controls() -> dict[str, object]:
    """Below Steer's sliders: five colours, from a picture or chosen, and the button that paints towards them."""
    with gr.Accordion(say("palette.title"), open=False, elem_id="palette"):
        with gr.Row(elem_id="palette-colours"):
            first = ("#20304a", "#5f7f9f", "#c9b98a", "#b5562e", "#f2ead8")
            colours = [
                gr.ColorPicker(
                    colour,
                    label=say("palette.colour", number=number),
                    show_label=False,
                    container=False,
                    min_width=44,
                    elem_id=f"palette-{number}",
                )
                for number, colour in enumerate(first, 1)
            ]
        with gr.Row():
            drop = gr.UploadButton(
                say("palette.from"), file_types=["image"], size="md", elem_id="palette-drop"
            )
            paint = gr.Button(say("palette.paint"), size="md", variant="primary", elem_id="palette-paint")
        progress = gr.HTML("", elem_id="palette-progress", elem_classes="piece", apply_default_css=False)
        stop = gr.Button(say("yours.stop"), visible=False, elem_id="palette-stop")
    return {"colours": colours, "drop": drop, "paint": paint, "progress": progress, "stop": stop}

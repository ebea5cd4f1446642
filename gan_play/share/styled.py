"""A picture painted in a style leaves the house: its PNG, with a card that says how it came about.

No code brings it back, since no code holds the pictures that it was made from: the card names them by their digests,
and the dials, so that who has them can paint it again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from gan_play import __version__, files
from gan_play.pictures import images, metadata
from gan_play.share.artwork import CARD_VERSION
from gan_play.steps import steps_of
from gan_play.translate import instant, style
from gan_play.translate.style import Look, Wish

MADE = "Painted from pictures by a neural network (style transfer, Gatys 2016)."
MADE_AT_ONCE = "Painted from pictures by a neural network (instant style transfer, Huang 2017)."
RIGHTS = "Painted with GAN Play. Rights in the pictures that it was painted from stay with their makers."


def recipe(wish: Wish, how: Look | str) -> str:
    """What it was made of: the digests of the pixels, 16 hex digits each, and the dials.

    `how` is the last look, or the SHA-256 of the decoder that painted at once.
    """

    def named(*pictures) -> str:
        return "+".join(files.sha256(pixels.tobytes())[:16] for pixels in pictures)

    dials = wish.dials
    said = f"content {named(wish.content)}, style {named(*wish.styles)}, size {dials.size_px}"
    said += f", strength {dials.strength:g}, scale {dials.scale:g}, "
    said += f"at once by {how[:16]}" if isinstance(how, str) else f"steps {how.step} of {how.steps}"
    said += "".join(f"{', weights ' if not i else '+'}{share:.3g}" for i, share in enumerate(wish.weights))
    said += ", colours kept" if dials.keep_colours else ""
    said += "" if wish.mask is None else f", mask {named(wish.mask)}"
    return said + (f", elsewhere {named(*wish.elsewhere)}" if wish.elsewhere else "")


def png(wish: Wish, look: Look) -> bytes:
    """A look of a painting with its card inside: in plain words, and as XMP."""
    return _carded(wish, look.pixels, recipe(wish, look), MADE)


def png_at_once(wish: Wish, progress: Callable[[int, int], None] | None = None) -> bytes:
    """A wish painted at once, with its card inside. Refused where memory is short; see `instant.paint`."""
    instant.check_memory(*wish.content.shape[:2])
    return _carded(wish, instant.paint(wish, progress), recipe(wish, instant.DECODER_SHA256), MADE_AT_ONCE)


def _carded(wish: Wish, pixels: np.ndarray, how: str, made: str) -> bytes:
    program = f"GAN Play {__version__}"
    title = "A picture painted in the style of " + ("another" if len(wish.styles) == 1 else "others")
    own = {"Card": str(CARD_VERSION), "Styled": how, "Torch": torch.__version__}
    said = {"Software": program, "Copyright": RIGHTS, "Description": made, "Title": title}
    said |= {"Styled": how, "Torch": torch.__version__}
    packet = metadata.packet(own, title, made, RIGHTS, program)
    return images.encode(pixels, "png", text={**said, metadata.PNG_KEY: packet})


class Moment(NamedTuple):
    """A look as a file, and how far it is."""

    png: bytes
    share: float
    step: int
    steps: int
    style: float
    content: float
    sentence: str


def painting(home: Path, *wished: object) -> Iterator[Moment]:
    """Reads a wish (see `style.read`) and paints it: what a child process does for the page. Refused as there."""
    wish = style.read(home, *wished)
    for look in style.transfer(wish):
        made, said = png(wish, look), style.sentence(look)
        yield Moment(made, look.share, look.step, look.steps, look.style, look.content, said)


def at_once(home: Path, *wished: object) -> Iterator[bytes]:
    """Reads a wish and paints it at once, for a child process: its PNG. Refused as there."""
    yield png_at_once(style.read(home, *wished))


def at_once_in_pieces(home: Path, *wished: object) -> Iterator[tuple[int, int]]:
    """The same for the page: (tiles done, in all) on the way; returns the PNG."""
    return (yield from steps_of(lambda progress: png_at_once(style.read(home, *wished), progress)))

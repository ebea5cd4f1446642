"""A point among a model's styles that no seed leads to: where a picture of the artist's own was found.

It stands wherever a seed may stand, in a tray, a mix, a walk or a link, and is text, as a seed can be: nothing else
has to be kept for it. Its styles are whole numbers along the main axes of the model's own styles, one set for each
band (composition, form, colour), or one in all for networks without styles; its noise is that of a seed. It belongs to
the model that it was found in: in the next state of a training the axes already lie otherwise.

Promises: the same text and model give the same styles, in float32, to the last bit on the same build. Truncation
doesn't move it: it stays where it was found.
"""

from __future__ import annotations

import base64
import contextlib
import re
import weakref
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from gan_play.models.seeds import z_of
from gan_play.refusals import Refused, refuse

if TYPE_CHECKING:
    from gan_play.latent.sample import Model

SIGN = "~"
"""What a found point's text begins with; a seed's is digits only."""

AXES = 52
"""Of a network with styles, for each band: two such points, and what is made of them, fit into a share code."""

MOST_AXES = 127
LEVELS = 32
"""Whole numbers to a standard deviation along an axis; a byte holds four of these either way."""

STYLES = 2_000
"""Seeds whose styles say which axes matter."""

HEAD_BYTES = 1 + 4 + 8
MOST_CHARS = 2 + 4 * (HEAD_BYTES + MOST_AXES * 3) // 3

_known: weakref.WeakKeyDictionary[Model, Axes] = weakref.WeakKeyDictionary()


class Axes(NamedTuple):
    """The main axes of a model's styles: w = mean + sum of c_k axes_k."""

    mean: Tensor  # (D,)
    axes: Tensor  # (K, D), orthogonal, each one standard deviation long
    rows: int  # sets of numbers: one for each band, or 1 in all


class Found(str):
    """The text of a found point. Refused for any other text.

    Its bytes, in base64: 1 or 3 rows and the number of axes K in one byte, the first four of the model's digest, the
    seed of the noise in eight, then K signed bytes for each row.
    """

    model: str  # the first eight hex digits of its digest
    noise_seed: int
    levels: Tensor  # int8 (rows, K)

    def __new__(cls, text: str) -> Found:
        data = b""
        if len(text) <= MOST_CHARS and re.fullmatch(rf"{SIGN}[A-Za-z0-9_-]+", text, re.ASCII):
            with contextlib.suppress(ValueError):
                data = base64.urlsafe_b64decode(text[1:] + "==")
        count, rows = (data[0] & 127, 3 if data[0] & 128 else 1) if data else (0, 0)
        if not count or len(data) != HEAD_BYTES + rows * count or data[5] > 127 or to_text(data) != text:
            raise Refused(refuse("seed", text[:40]))
        self = super().__new__(cls, text)
        self.model = data[1:5].hex()
        self.noise_seed = int.from_bytes(data[5:HEAD_BYTES], "big")
        self.levels = torch.frombuffer(bytearray(data[HEAD_BYTES:]), dtype=torch.int8).view(rows, count)
        return self

    def __getnewargs__(self) -> tuple[str]:
        return (str(self),)

    @property
    def data(self) -> bytes:
        """Its bytes, for a share code."""
        return base64.urlsafe_b64decode(self[1:] + "==")

    @property
    def name(self) -> str:
        """A few letters that tell it from others."""
        return self[-5:]


def to_text(data: bytes) -> str:
    """The text of a found point's bytes."""
    return SIGN + base64.urlsafe_b64encode(data).decode().rstrip("=")


def size_of(head: int) -> int:
    """How many bytes a found point has that begins with this one."""
    return HEAD_BYTES + (head & 127) * (3 if head & 128 else 1)


def write(model: Model, levels: Tensor, noise_seed: int) -> Found:
    """A found point of a model, from whole numbers (rows, K) in int8 and the seed of its noise."""
    rows, count = levels.shape
    head = count | (128 if rows == 3 else 0)
    data = bytes([head]) + bytes.fromhex(model.digest[:8]) + noise_seed.to_bytes(8, "big")
    return Found(to_text(data + levels.contiguous().numpy().tobytes()))


def axes_of(model: Model) -> Axes:
    """A model's main axes; call it in `canonical()`. Remembered as long as the model is in hand.

    Where each layer has styles of its own: the largest principal components (GANSpace, Harkonen 2020), signs by their
    largest entry. Where z itself is the style no axis is larger than another, and each stands for itself.
    """
    if model not in _known:
        generator = model.generator
        z = z_of(range(STYLES), generator.z_dim)
        count = generator.num_labels
        labels = torch.arange(len(z)) % count if count else None
        styles = generator.mapping(z, labels)[:, 0].double()
        mean = styles.mean(dim=0)
        if generator.num_ws > 1:
            values, vectors = torch.linalg.eigh(torch.cov(styles.T))
            largest = vectors.T.flip(0)[:AXES]  # eigenvalues come in rising order
            sign = largest.gather(1, largest.abs().argmax(dim=1, keepdim=True)).sign()
            axes = largest * sign * values.flip(0)[:AXES, None].clamp(min=0).sqrt()
        else:
            axes = torch.diag(styles.std(dim=0))[:MOST_AXES]
        with torch.inference_mode(False):  # so that gradients may pass through them later
            _known[model] = Axes(mean.float().clone(), axes.float().clone(), 3 if generator.num_ws > 1 else 1)
    return _known[model]


def fits(model: Model, point: Found) -> bool:
    """Whether a point was found in this model, and has as many numbers as that takes."""
    generator = model.generator
    if point.model != model.digest[:8]:
        return False
    count = min(generator.w_dim, AXES if generator.num_ws > 1 else MOST_AXES)
    return tuple(point.levels.shape) == (3 if generator.num_ws > 1 else 1, count)


def coefficients_of(model: Model, ws: Tensor) -> Tensor:
    """The coefficients that come nearest to styles (1, L, D): (1, rows, K); call it in `canonical()`."""
    mean, axes, rows = axes_of(model)
    along = (ws - mean) @ axes.T / axes.square().sum(dim=1).clamp(min=1e-12)  # (1, L, K)
    if rows == 1:
        return along[:, :1]
    return torch.stack([along[:, list(band)].mean(dim=1) for band in model.generator.bands.values()], dim=1)


def spread(model: Model, coefficients: Tensor) -> Tensor:
    """The styles of coefficients (B, rows, K), in standard deviations along the axes.  # (B, L, D)"""
    generator, (mean, axes, rows) = model.generator, axes_of(model)
    bands = mean + coefficients @ axes  # (B, rows, D)
    if rows == 1:
        return bands.expand(-1, generator.num_ws, -1)
    layers = [place for place, band in enumerate(generator.bands.values()) for _ in band]
    return bands[:, layers]


def styles(model: Model, point: Found) -> Tensor:
    """A point's styles, never truncated; call it in `canonical()`.  # (1, L, D). Refused where it doesn't fit."""
    if not fits(model, point):
        raise Refused(refuse("found-elsewhere", f"{SIGN}{point.name}", model=model.name))
    return spread(model, point.levels[None].float() / LEVELS)

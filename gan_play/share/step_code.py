"""Steps of steering as bytes of a share code, and back.

A step by an attribute has two bytes: its place and the amount. One by a direction has three: the first says the family
and, with a bit for each, the bands; then its number, and the amount. Tables grow at the end only.
"""

from __future__ import annotations

from collections.abc import Callable

from gan_play.latent import directions
from gan_play.latent.mix import BANDS
from gan_play.latent.steer import STEP, Steps
from gan_play.measure.attributes import ATTRIBUTES

STEER_NAMES, FAMILY_NAMES = tuple(ATTRIBUTES), tuple(directions.FAMILIES)
DIRECTION = 128  # in the first byte of a direction


def write(steps: Steps) -> bytes:
    """How many, then each of them."""
    return bytes([len(steps)]) + b"".join(_step(name) + bytes([level_of(by)]) for name, by in steps)


def read(byte: Callable[[], int]) -> Steps:
    """What was written; `byte` gives the next byte each time. IndexError or Refused where it is none."""
    steps = []
    for _ in range(byte()):
        first = byte()
        name = direction(first, byte()) if first >= DIRECTION else STEER_NAMES[first]
        steps.append((name, amount_of(byte())))
    return tuple(steps)


def level_of(amount: float) -> int:
    """An amount as one byte: whole steps of steering, 128 is none."""
    return 128 + round(amount / STEP)


def amount_of(level: int) -> float:
    """The amount that `level_of` made a byte of."""
    return round((level - 128) * STEP, 2)


def _step(name: str) -> bytes:
    if name in STEER_NAMES:
        return bytes([STEER_NAMES.index(name)])
    return direction_bytes(name)


def direction_bytes(name: str) -> bytes:
    """A direction: its family with a bit for each band, and its number."""
    family, number, bands = directions.read(name)
    bits = sum(on << place for place, on in enumerate(bands))
    return bytes([DIRECTION | bits << 4 | FAMILY_NAMES.index(family), number - 1])


def direction(first: int, number: int) -> str:
    """The direction that `direction_bytes` made two bytes of. IndexError or Refused where it is none."""
    bands = tuple(bool(first >> 4 & 1 << place) for place in range(len(BANDS)))
    return directions.Direction(FAMILY_NAMES[first & 15], number + 1, bands).name

"""A translation as bytes of a share code, and back: which picture, which mask, and the dials."""

from __future__ import annotations

import re
from typing import NamedTuple

from gan_play import limits
from gan_play.latent.sample import check_number
from gan_play.refusals import Refused, refuse
from gan_play.share.timeline_code import Reader, number
from gan_play.translate.inputs import DIGEST_CHARS
from gan_play.translate.translator import TIMES, USUAL, Dials

_DRAWN, _BACK, _MASKED, _MORE = 1, 2, 4, 8  # flags; with the last one a byte follows: how many times as large
_FLAGS = _DRAWN | _BACK | _MASKED | _MORE


class Translation(NamedTuple):
    """What a translated picture was made from, by digest (see `translate/inputs.py`), and how."""

    picture: str
    dials: Dials = USUAL
    mask: str = ""  # where it was painted: white; "" is everywhere


def check(translation: Translation) -> Translation:
    """The same, or Refused where it could never be one."""
    for digest in (translation.picture, *([translation.mask] if translation.mask else [])):
        if not isinstance(digest, str) or not re.fullmatch(rf"[0-9a-f]{{{DIGEST_CHARS}}}", digest):
            raise Refused(refuse("no-input", str(digest)))
    dials = translation.dials
    if dials.times not in (1, *TIMES):
        raise Refused(refuse("operation", "translate"))
    strength = check_number(dials.strength, 0.0, limits.MOST_STRENGTH, "translate-strength")
    return translation._replace(dials=Dials(strength, bool(dials.drawn), bool(dials.back), int(dials.times)))


def write(translation: Translation) -> bytes:
    """Its flags, digests and numbers."""
    dials, masked = translation.dials, bool(translation.mask)
    flags = _DRAWN * dials.drawn | _BACK * dials.back | _MASKED * masked | _MORE * (dials.times > 1)
    data = bytes([flags]) + bytes.fromhex(translation.picture) + bytes.fromhex(translation.mask)
    return data + number(round(dials.strength * 1000)) + (bytes([dials.times]) if dials.times > 1 else b"")


def read(reader: Reader) -> Translation:
    """What was written. IndexError or Refused where it is none."""
    flags = reader.byte()
    if flags & ~_FLAGS:  # nothing has them yet
        raise IndexError
    digests = [
        bytes(reader.byte() for _ in range(DIGEST_CHARS // 2)).hex() for _ in range(1 + bool(flags & _MASKED))
    ]
    strength, times = reader.number() / 1000, reader.byte() if flags & _MORE else 1
    dials = Dials(strength, bool(flags & _DRAWN), bool(flags & _BACK), times)
    return check(Translation(digests[0], dials, digests[1] if len(digests) > 1 else ""))

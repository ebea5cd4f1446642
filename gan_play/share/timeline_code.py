"""A timeline as the bytes of a share code, and back.

The places of names in their tables are part of the code: tables grow at the end only.
"""

from __future__ import annotations

from gan_play import limits
from gan_play.latent import found
from gan_play.latent.breed import FULL, Genome
from gan_play.latent.found import Found
from gan_play.latent.mix import BANDS
from gan_play.latent.sample import Seed
from gan_play.latent.steer import Steps
from gan_play.latent.timeline import KINDS, SOURCES, TARGETS, Key, Music, Reaction, Timeline
from gan_play.latent.walk import EASINGS
from gan_play.share import step_code
from gan_play.share.step_code import STEER_NAMES, amount_of, level_of

_FOUND = b"\x80\x00"  # in the place of a seed a found point follows: 0 in two bytes, as no number is written
_UNTIL, _SWEPT, _MUSIC, _LABELLED, _LOOP = 8, 16, 32, 64, 128  # flags beside the three bands that move
_RESTS, _STEERED, _BRED, _AS_BEFORE = 16, 32, 64, 128  # flags beside the easing of a keyframe
MOST_GENES = limits.MOST_IN_BAND * len(BANDS)
EASING_NAMES, KIND_NAMES = tuple(EASINGS), tuple(KINDS)
HEARING = (*TARGETS, *STEER_NAMES)


def number(value: int) -> bytes:
    """A whole number in as few bytes as it needs: seven bits in each, the last one below 128."""
    data = bytearray()
    while value > 127:
        data.append(value & 127 | 128)
        value >>= 7
    return bytes([*data, value])


def seed_bytes(seed: Seed) -> bytes:
    """A seed as a number; a found point as a mark that is no number, and its bytes."""
    return _FOUND + seed.data if isinstance(seed, Found) else number(seed)


class Reader:
    """Reads what was written, from a place on. IndexError where the bytes end too early."""

    def __init__(self, data: bytes, place: int) -> None:
        self.data, self.place = data, place

    def byte(self) -> int:
        """One byte."""
        self.place += 1
        return self.data[self.place - 1]

    def number(self) -> int:
        """A whole number below 2**64, as `number` writes it."""
        value = shift = 0
        while shift < 64:
            byte = self.byte()
            value |= (byte & 127) << shift
            if byte < 128:
                return value
            shift += 7
        raise IndexError

    def seed(self) -> Seed:
        """A seed or a found point, as `seed_bytes` writes it. Refused for bytes that are none."""
        if self.data[self.place : self.place + len(_FOUND)] != _FOUND:
            return self.number()
        begin = self.place + len(_FOUND)
        self.place = begin + found.size_of(self.data[begin])
        return Found(found.to_text(self.data[begin : self.place]))

    def target(self) -> str:
        """What music drives."""
        first = self.byte()
        return HEARING[first] if first < step_code.DIRECTION else step_code.direction(first, self.byte())

    def steps(self) -> Steps:
        """Amounts of attributes and directions."""
        return step_code.read(self.byte)


def write(timeline: Timeline) -> bytes:
    """The bytes of a timeline."""
    labelled = bool(timeline.labels)
    swept = bool(timeline.start or timeline.end)
    flags = sum(1 << place for place, name in enumerate(BANDS) if name in timeline.moving)
    flags |= _UNTIL * (timeline.until is not None) | _SWEPT * swept | _MUSIC * (timeline.music is not None)
    flags |= _LABELLED * labelled | _LOOP * timeline.loop
    data = bytes([flags, KIND_NAMES.index(timeline.kind) << 2 | timeline.grid])
    data += number(timeline.fps) + number(round(timeline.radius * 1000))
    if timeline.until is not None:
        data += number(round(timeline.until * 1000))
    if swept:
        data += step_code.write(timeline.start) + step_code.write(timeline.end)
    if timeline.music is not None:
        data += bytes.fromhex(timeline.music.digest) + number(round(timeline.music.seconds * 100))
        data += bytes([len(timeline.music.reactions)])
        for target, source, amount in timeline.music.reactions:
            what = bytes([HEARING.index(target)]) if target in HEARING else step_code.direction_bytes(target)
            data += what + bytes([SOURCES.index(source), level_of(amount)])
    data += number(len(timeline.keys))
    before = 0.0
    for key in timeline.keys:
        data += _key(key, key.seconds == before)
        before = key.seconds
    return data


def _key(key: Key, as_before: bool) -> bytes:
    genome = key.genome
    bred = len(genome.seeds) > 1
    flags = EASING_NAMES.index(key.easing) | _RESTS * (key.hold > 0) | _STEERED * bool(key.steps)
    data = bytes([flags | _BRED * bred | _AS_BEFORE * as_before])
    if not as_before:
        data += number(round(key.seconds * 100))
    if key.hold:
        data += number(round(key.hold * 100))
    if key.steps:
        data += step_code.write(key.steps)
    if bred:
        data += number(len(genome.seeds))
    data += b"".join(seed_bytes(seed) for seed in genome.seeds) + b"".join(
        number(one) for one in genome.labels
    )
    return data + (bytes(share for row in genome.shares for share in row) if bred else b"")


def read(data: bytes, place: int) -> tuple[Timeline, int]:
    """The timeline at a place of a code's bytes, and where it ends. IndexError or Refused for what is none."""
    reader = Reader(data, place)
    flags, kind = reader.byte(), reader.byte()
    moving = tuple(name for at, name in enumerate(BANDS) if flags >> at & 1)
    given: dict[str, object] = {"moving": moving, "loop": bool(flags & _LOOP), "grid": kind & 3}
    given |= {"kind": KIND_NAMES[kind >> 2], "fps": reader.number(), "radius": reader.number() / 1000}
    if flags & _UNTIL:
        given["until"] = reader.number() / 1000
    if flags & _SWEPT:
        given |= {"start": reader.steps(), "end": reader.steps()}
    if flags & _MUSIC:
        digest = bytes(reader.byte() for _ in range(8)).hex()
        seconds = reader.number() / 100
        reactions = [
            Reaction(reader.target(), SOURCES[reader.byte()], amount_of(reader.byte()))
            for _ in range(reader.byte())
        ]
        given["music"] = Music(digest, seconds, tuple(reactions))
    count, keys, before = reader.number(), [], 0.0
    if count > limits.MOST_KEYS:
        raise IndexError
    for _ in range(count):
        keys.append(_read_key(reader, before, bool(flags & _LABELLED)))
        before = keys[-1].seconds
    return Timeline(tuple(keys), **given), reader.place


def _read_key(reader: Reader, before: float, labelled: bool) -> Key:
    flags = reader.byte()
    if flags & 8:  # nothing has it yet
        raise IndexError
    seconds = before if flags & _AS_BEFORE else reader.number() / 100
    hold = reader.number() / 100 if flags & _RESTS else 0.0
    steps = reader.steps() if flags & _STEERED else ()
    bred = bool(flags & _BRED)
    count = reader.number() if bred else 1
    if count > MOST_GENES:
        raise IndexError
    seeds = tuple(reader.seed() for _ in range(count))
    labels = tuple(reader.number() for _ in range(count)) if labelled else ()
    shares = tuple(tuple(reader.byte() for _ in BANDS) for _ in range(count)) if bred else ((FULL,) * 3,)
    return Key(Genome(seeds, shares, labels), steps, seconds, EASING_NAMES[flags & 7], hold)

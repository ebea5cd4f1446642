"""Films from words: keyframes, sweeps and what music does, as people type them; and the artwork that they make."""

from __future__ import annotations

import re

from gan_play import limits
from gan_play.latent import timeline as timelines
from gan_play.latent.mix import BANDS
from gan_play.latent.music import Sound
from gan_play.latent.sample import Model, check_number, check_truncation, find_label
from gan_play.latent.steer import Steps, check_steps
from gan_play.latent.timeline import Key, Music, Reaction, Timeline
from gan_play.latent.walk import EASINGS, best_way
from gan_play.refusals import Refused, refuse
from gan_play.share import artwork as artworks
from gan_play.share.artwork import Artwork


def best_kind(model: Model) -> str:
    """The kind of film that suits a network."""
    return "spherical" if best_way(model) == "z" else "linear"


def key_of(artwork: Artwork, **times: object) -> Key:
    """A picture as a keyframe. Refused for a figure or a film."""
    return Key(artwork.genome, artwork.steps, **times)


def parse_keys(model: Model, text: str, label: object = None, easing: str = "smooth") -> tuple[Key, ...]:
    """Keyframes from text as people write it: `1:2s,5:1.5s:hold=0.5,9`. Anything else is Refused.

    Each begins with a seed or a code; then, in any order, seconds to the next one, `hold=` seconds, the name of an
    easing, `label=` the name or number of a label.
    """
    words = [word for word in re.split(r"[,\s]+", text.strip()) if word]
    if len(text) > limits.MOST_KEYS_CHARS or not words:
        raise Refused(refuse("keys", text[:200]))
    keys = []
    for word in words:
        name, *parts = word.split(":")
        given: dict[str, object] = {"easing": easing}
        kind = label
        for part in parts:
            what, has, value = part.partition("=")
            if re.fullmatch(r"[0-9]*\.?[0-9]+s?", part, re.ASCII):
                given["seconds"] = float(part.rstrip("s"))
            elif has and what in ("hold", "seconds"):
                given[what] = value.removesuffix("s")
            elif part in EASINGS or what == "easing":
                given["easing"] = value or part
            elif has and what == "label":
                kind = value
            else:
                raise Refused(refuse("keys", word))
        keys.append(key_of(artworks.parent(model, name, find_label(model, kind)), **given))
    return tuple(keys)


def parse_sweep(text: str, truncation: object) -> tuple[float, float | None, Steps, Steps]:
    """Truncation at first and in the end, amounts of attributes at first and in the end, from text such as
    `truncation=0.2..1.2, light=-1..2`. Anything else is Refused."""
    first, until = check_truncation(truncation), None
    start, end = {}, {}
    for word in re.split(r"[,\s]+", text.strip()):
        if not word:
            continue
        name, _, way = word.partition("=")
        begin, dots, to = way.partition("..")
        if not dots or not to or name in end or (name == "truncation" and until is not None):
            raise Refused(refuse("sweep", word))
        if name == "truncation":
            first = check_truncation(begin) if begin else first
            until = check_truncation(to)
        else:
            start[name], end[name] = begin or 0.0, to
    return first, until, check_steps(list(start.items())), check_steps(list(end.items()))


def parse_reactions(text: str) -> tuple[Reaction, ...]:
    """What music does, from text such as `speed=onset:0.8, truncation=loudness, light=low:-1.5`; an amount is 0.5
    where none is given. Anything else is Refused."""
    found = []
    for word in re.split(r"[,\s]+", text.strip()):
        if not word:
            continue
        target, _, rest = word.partition("=")
        source, _, amount = rest.partition(":")
        low, high = timelines.reach(target)
        found.append(Reaction(target, source, check_number(amount or 0.5, low, high, "reaction-amount")))
    return tuple(found)


def music_of(sound: Sound, reactions: tuple[Reaction, ...], seconds: object = None) -> Music:
    """The music of a film: as long as its sound, or `seconds` of it. Refused where that is longer than the sound."""
    length = sound.seconds
    if seconds is not None:
        length = check_number(seconds, limits.LEAST_FILM_SECONDS, sound.seconds, "seconds")
    return Music(sound.digest, round(length, 2), reactions)


def parse_moving(text: str) -> tuple[str, ...]:
    """The bands that move, from text such as `middle, fine`; all of them for nothing. Refused for anything else."""
    words = [word for word in text.replace(",", " ").split() if word]
    if set(words) - set(BANDS):
        raise Refused(refuse("film-moving"))
    return tuple(words) or tuple(BANDS)


def film(
    model: Model,
    keys: str,
    *,
    kind: str = "",
    truncation: object = 0.7,
    label: object = None,
    moving: str = "",
    sweep: str = "",
    music: Music | None = None,
    **plan: object,
) -> Artwork:
    """The artwork of a film in words; `plan` is what else a `Timeline` takes. Refused for what can be none."""
    kind = kind or best_kind(model)
    first, until, start, end = parse_sweep(sweep, truncation)
    made = Timeline(
        parse_keys(model, keys, label, "linear" if kind == "circle" else "smooth"),
        kind=kind,
        moving=parse_moving(moving),
        until=until,
        start=start,
        end=end,
        music=music,
        **plan,
    )
    return Artwork("film", model.digest[:16], (), first, timeline=made)

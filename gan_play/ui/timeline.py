"""Play's timeline: the keyframes of a film in a row, each with its own time, and how the film goes between them.

The plan on the desk is a share code, so that whatever the page shows is a film that can be made and sent. What the
browser sends back is checked into a new one. Functions of the desk; HTML out, no gradio.
"""

import dataclasses
import json
import secrets
from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path

from gan_play import limits
from gan_play.latent.breed import genome_of
from gan_play.latent.mix import BANDS
from gan_play.latent.music import Sound, find, outline
from gan_play.latent.sample import Model, check_number
from gan_play.latent.sample import fits as sample_fits
from gan_play.latent.steer import STEP, check_steps
from gan_play.latent.timeline import (
    GRIDS,
    KINDS,
    SOURCES,
    STILLS,
    Key,
    Music,
    Reaction,
    Timeline,
    reach,
)
from gan_play.latent.walk import EASINGS
from gan_play.measure.attributes import ATTRIBUTES
from gan_play.refusals import Refused, refuse
from gan_play.share import artwork as artworks
from gan_play.share import films, naming
from gan_play.share.artwork import Artwork
from gan_play.ui import look, tiles
from gan_play.ui.words import say

FPS = 24
MOST_SENT = 40_000
"""Characters of a plan that a browser may send: 36 codes and their numbers."""


def fits(code: str, model: Model) -> bool:
    """Whether a film's keyframes have labels that the model has, or none as it."""
    try:
        keys = artworks.decode(code).timeline.keys
    except (Refused, AttributeError):
        return False
    labels = [key.genome.labels for key in keys]
    if not all(sample_fits(model, seed) for key in keys for seed in key.genome.seeds):
        return False  # a point that was found in another model
    return all(
        bool(one) == bool(model.labels) and all(label < len(model.labels) for label in one) for one in labels
    )


def plan_of(desk) -> Timeline:
    """The timeline on the desk. Refused where a browser sent nonsense."""
    timeline = artworks.decode(desk.plan).timeline
    if timeline is None:
        raise Refused(refuse("not-a-code", desk.plan))
    return timeline


def code_of(timeline: Timeline, desk, model: Model) -> str:
    """The code of a film as it is on the desk. Refused where it holds too much."""
    return artworks.encode(Artwork("film", model.digest[:16], (), desk.truncation, timeline=timeline))


# From one plan to the next


def begin(desk, model: Model) -> str:
    """The walk through the tray as a plan; with fewer than two pictures in it, the current one breathes."""
    picks = desk.picks
    if len(picks) < 2:
        seed, label = picks[0] if picks else desk.current
        lone = Key(genome_of(seed, label), seconds=6.0)
        return code_of(Timeline((lone,), "breathe", FPS), desk, model)
    seconds = max(limits.LEAST_STRETCH, round(desk.seconds / (len(picks) - (not desk.loop)), 1))
    keys = tuple(Key(genome_of(seed, label), (), seconds, desk.easing) for seed, label in picks)
    return code_of(Timeline(keys, "spherical" if desk.how == "z" else "linear", FPS, desk.loop), desk, model)


def added(desk, model: Model, pictures: Sequence[Artwork]) -> str:
    """The plan with more keyframes at its end; a new one where there is none."""
    new = tuple(films.key_of(picture) for picture in pictures)
    if not desk.plan:
        kind = {"kind": films.best_kind(model)} if len(new) > 1 else {"kind": "breathe"}
        return code_of(Timeline(new, fps=FPS, **kind), desk, model)
    plan = plan_of(desk)
    keys = (*plan.keys, *(key._replace(seconds=plan.keys[-1].seconds) for key in new))
    lone = len(plan.keys) == 1 and plan.kind == "breathe"
    kind = films.best_kind(model) if lone or (plan.kind == "circle" and len(keys) > 2) else plan.kind
    return code_of(dataclasses.replace(plan, keys=keys, kind=kind), desk, model)


def changed(desk, model: Model, text: str) -> str:
    """The plan that the browser's JSON says. Refused where it can't be, or is nonsense."""
    try:
        if len(text) > MOST_SENT:
            raise ValueError
        sent = json.loads(text)
        keys = tuple(_key(one) for one in sent["keys"])
        plan, loop, kind = plan_of(desk), bool(sent["loop"]), sent["kind"]
        if len(keys) == 1 < len(plan.keys) and kind in ("linear", "spherical"):
            kind = "breathe"  # nothing else would move
        music = plan.music
        if music:
            reactions = tuple(Reaction(str(a), str(b), float(c)) for a, b, c in sent.get("reactions") or ())
            music = Music(music.digest, float(sent.get("length") or music.seconds), reactions)
        sweeps = [(str(name), float(first), float(last)) for name, first, last in sent.get("sweeps") or ()]
        return code_of(
            dataclasses.replace(
                plan,
                keys=keys,
                kind=kind,
                loop=loop,
                moving=tuple(map(str, sent["moving"])),
                radius=sent.get("radius") or 0.0,
                until=sent.get("until"),
                grid=int(sent.get("grid") or 1),
                music=music,
                start=tuple((name, first) for name, first, _ in sweeps),
                end=tuple((name, last) for name, _, last in sweeps),
            ),
            desk,
            model,
        )
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError) as error:
        raise Refused(refuse("keys", text[:80])) from error


def sounding(desk, model: Model, sound: Sound | None) -> str:
    """The plan with a sound, whose onsets drive its pace at first; None takes the sound out."""
    plan = plan_of(desk)
    reactions = plan.music.reactions if plan.music else (Reaction("speed", "onset", 0.5),)
    music = sound and films.music_of(sound, reactions)
    return code_of(dataclasses.replace(plan, music=music), desk, model)


def told(sound: Sound) -> str:
    """A kept sound as text that passes through the browser."""
    return f"{sound.digest} {sound.seconds:g} {secrets.token_hex(4)}"  # the same sound again is news, too


def heard(home: Path, text: str) -> Sound:
    """The kept sound that `told` said. Refused where it isn't here; a browser may say any length, as it may set one."""
    digest, seconds, _ = (*text.split(" "), "", "", "")[:3]
    return Sound(
        find(home, digest), digest, check_number(seconds, 0, limits.MOST_TIMELINE_SECONDS, "seconds"), False
    )


def _key(sent: dict) -> Key:
    """A keyframe as the browser sends it."""
    picture = artworks.decode(str(sent["code"]))
    return films.key_of(picture, seconds=sent["seconds"], easing=sent["easing"], hold=sent["hold"])


# What it looks like


def picture_of(key: Key, desk, model: Model) -> Artwork:
    """A keyframe as a picture of its own."""
    return artworks.bred(key.genome, model.digest[:16], desk.truncation, key.steps)


def html(desk, model: Model, home: Path, mark: str = "") -> str:
    """The keyframes in a row, the film's settings and its music; nothing where there is no plan on the desk.

    What was done to the row by hand stays until another text comes: with a new `mark` it is put back, unless the page
    waits for the answer with another one.
    """
    if not desk.plan or desk.tool != "walk":
        return ""
    plan, ways = plan_of(desk), ways_of(home, model)
    row = "".join(
        _key_html(key, place, plan, picture_of(key, desk, model)) for place, key in enumerate(plan.keys, 1)
    )
    facts = say("film.facts", count=len(plan.keys), seconds=f"{plan.seconds:g}")
    buttons = "".join(
        f'<button type="button" class="quiet" data-add="{what}" title="{escape(say(f"film.add.{what}.hint"))}">'
        f"{escape(say(f'film.add.{what}'))}</button>"
        for what in ("tray", "picture")
    )
    sharp = " sharp" if model.generator.size_px < 64 else ""
    return (
        f'<section class="timeline" data-mark="{escape(mark)}" aria-label="{escape(say("film.timeline"))}">'
        '<div class="timeline-head">'
        f'<strong>{escape(say("film.timeline"))}</strong> <span class="subdued">{escape(facts)}</span>'
        f"{_flip(plan, desk, model)}</div>"
        f'<ol class="keys{sharp}">{row}</ol><div class="key-add">{buttons}'
        f'<input type="text" data-add="code" maxlength="{limits.MOST_LINK_CHARS}" '
        f'placeholder="{escape(say("film.add.code"))}" aria-label="{escape(say("film.add.code"))}"></div>'
        f'<div class="film-settings">{_settings(plan)}</div>{_sweeps(plan, ways)}{_music(plan, home, ways)}</section>'
    )


def _flip(plan: Timeline, desk, model: Model) -> str:
    """A first look at how it moves: the moments of the film's strip, one after the other."""
    side = plan.grid * model.generator.size_px + 2 * (plan.grid - 1)
    wide = 100 * (STILLS * (side + 2) - 2) / side
    address = escape(tiles.address(code_of(plan, desk, model)))
    return (
        f'<span class="flip" role="img" aria-label="{escape(say("film.preview"))}" '
        f"style=\"background-image: url('{address}'); background-size: {wide:.2f}% 100%\"></span>"
    )


def _number(
    name: str, value: float, low: float, high: float, step: float, words: str, kind: str = "key"
) -> str:
    """A box for a number; `name` is what the script sends it as."""
    return (
        f'<label><span>{escape(words)}</span><input type="number" inputmode="decimal" data-{kind}="{name}" '
        f'value="{value:g}" min="{low:g}" max="{high:g}" step="{step:g}"></label>'
    )


def _choice(
    name: str, value: object, names: Sequence[object], words: Callable, label: str, kind: str = "plan"
) -> str:
    """A list to choose from."""
    options = "".join(
        f'<option value="{escape(str(one))}"{" selected" if one == value else ""}>{escape(words(one))}</option>'
        for one in names
    )
    return f'<label><span>{escape(label)}</span><select data-{kind}="{name}">{options}</select></label>'


def _tick(name: str, on: bool, words: str, value: str = "") -> str:
    """A box to tick."""
    return (
        f'<label class="tick"><input type="checkbox" data-plan="{name}"{f" value={value}" if value else ""}'
        f"{' checked' if on else ''}><span>{escape(words)}</span></label>"
    )


def _key_html(key: Key, place: int, plan: Timeline, picture: Artwork) -> str:
    last = place == len(plan.keys) and not plan.loop and len(plan.keys) > 1
    code, most = escape(artworks.encode(picture)), limits.MOST_STRETCH
    name = escape(say("film.key", place=place))
    times = ""
    if not last:
        times = _number("seconds", key.seconds, limits.LEAST_STRETCH, most, 0.1, say("film.seconds"))
        times += _choice(
            "easing",
            key.easing,
            tuple(EASINGS),
            lambda one: say(f"play.easing.{one}"),
            say("play.easing"),
            kind="key",
        )
    times += _number("hold", key.hold, 0, most, 0.1, say("film.hold"))
    buttons = "".join(
        f'<button type="button" class="quiet" data-move="{by}" aria-label="{escape(say(f"film.{what}", place=place))}" '
        f'title="{escape(say(f"film.{what}", place=place))}"{" disabled" if not able else ""}>{sign}</button>'
        for by, what, sign, able in (
            ("-1", "earlier", "←", place > 1),
            ("1", "later", "→", place < len(plan.keys)),
            ("0", "out", "✕", len(plan.keys) > 1),
        )
    )
    return (
        f'<li class="key" draggable="true" data-code="{code}" data-seconds="{key.seconds:g}" '
        f'data-easing="{key.easing}"><img src="{escape(tiles.address(code))}" alt="{name}" draggable="false">'
        f'<span class="badge">{place}</span><div class="key-times">{times}</div>'
        f'<div class="key-buttons">{buttons}</div></li>'
    )


def _settings(plan: Timeline) -> str:
    """How the film goes between its keyframes."""
    parts = [_choice("kind", plan.kind, tuple(KINDS), lambda one: say(f"film.kind.{one}"), say("film.kind"))]
    if plan.kind == "breathe":
        parts.append(_number("radius", plan.radius, 0.02, 1, 0.02, say("film.radius"), "plan"))
    sides = [one for one in GRIDS if one == 1 or plan.loop or len(plan.keys) >= 2 * one**2]
    parts.append(
        _choice("grid", plan.grid, sides, lambda one: say("film.grid.one", side=one), say("film.grid"))
    )
    until = plan.until is not None
    parts.append(_tick("sweep", until, say("film.until")))
    if until:
        parts.append(
            _number("until", plan.until, 0, limits.MOST_TRUNCATION, 0.05, say("film.until.to"), "plan")
        )
    moving = "".join(_tick("moving", band in plan.moving, say(f"play.{band}"), band) for band in BANDS)
    ticks = f"<fieldset><legend>{escape(say('film.moving'))}</legend>{moving}</fieldset>"
    return _tick("loop", plan.loop, say("play.loop")) + ticks + "".join(parts)


def ways_of(home: Path, model: Model) -> dict[str, str]:
    """What a film can steer by, and what it is called: the attributes, then the model's first directions.

    Those of the directions that weren't tried out yet (see `naming`) are numbered. Where strangers may come, the names
    that visitors gave are each visitor's own, and aren't here.
    """
    ways = {name: say(f"steer.{name}") for name in ATTRIBUTES}
    for place, one in enumerate(naming.named(home, model, measured=False), 1):
        name = one.name if one.kept or one.proposed else say("film.direction", place=place)
        ways[one.way] = f"{name} ({one.id})"
    return ways


def _sweeps(plan: Timeline, ways: dict[str, str]) -> str:
    """What is steered on the way, each with its amounts at first and in the end, and one to add."""
    first, last, most = dict(plan.start), dict(plan.end), limits.MOST_AMOUNT
    swept = tuple(name for name, _ in check_steps([(name, 1) for name in {**first, **last}]))
    rows = ""
    for name in (*swept, ""):
        names = {"": say("film.attribute.none")} | {
            one: words for one, words in ways.items() if one not in swept
        }
        names |= {name: ways.get(name, name)} if name else {}
        boxes = _choice("name", name, tuple(names), names.get, say("film.attribute"), "sweep")
        if name:
            ends = (("from", first.get(name, 0.0)), ("to", last.get(name, 0.0)))
            for part, value in ends:
                boxes += _number(part, value, -most, most, STEP, say(f"film.{part}"), "sweep")
        rows += f'<div class="sweep">{boxes}</div>'
    return f'<div class="reactions" role="group" aria-label="{escape(say("film.attribute"))}">{rows}</div>'


def _music(plan: Timeline, home: Path, ways: dict[str, str]) -> str:
    """The sound of the film: what is heard in it, and what it does."""
    say_file = escape(say("film.music.add" if plan.music is None else "film.music.other"))
    chosen = (
        f'<label class="quiet file">{say_file}<input type="file" data-add="sound" '
        f'accept=".wav,.mp3,.flac,.ogg,.oga,.opus,audio/*"></label>'
    )
    if plan.music is None:
        return f'<div class="film-music">{chosen}{tiles.note(say("film.music.hint"))}</div>'
    out = f'<button type="button" class="quiet" data-add="silence">{escape(say("film.music.out"))}</button>'
    length = _number(
        "length",
        plan.music.seconds,
        limits.LEAST_FILM_SECONDS,
        limits.MOST_TIMELINE_SECONDS,
        0.1,
        say("film.length"),
        "plan",
    )
    reactions = (*plan.music.reactions, None)[: limits.MOST_REACTIONS]
    rows = "".join(_reaction(reaction, ways) for reaction in reactions)
    return (
        f'<div class="film-music">{_plot(plan.music, home)}<div class="film-settings">{length}{chosen}{out}</div>'
        f'<div class="reactions" role="group" aria-label="{escape(say("film.music.does"))}">{rows}</div></div>'
    )


def _reaction(reaction: Reaction | None, ways: dict[str, str]) -> str:
    """One thing that music does, with its dial; for None one to add."""
    target, source, amount = reaction or ("", "onset", 0.5)
    words = {"": "film.attribute.none", "speed": "film.speed", "truncation": "play.truncation"}
    names = (
        {one: say(key) for one, key in words.items()}
        | ways
        | ({} if target in words | ways else {target: target})
    )
    low, high = reach(target) if target else (-limits.MOST_AMOUNT, limits.MOST_AMOUNT)
    boxes = _choice("target", target, tuple(names), names.get, say("film.moves"), "react")
    boxes += _choice("source", source, SOURCES, lambda one: say(f"film.heard.{one}"), say("film.by"), "react")
    boxes += _number("amount", amount, low, high, STEP, say("film.amount"), "react")
    return f'<div class="reaction">{boxes}</div>'


def _plot(music: Music, home: Path) -> str:
    """Loudness as a shape and onsets as lines; a sentence where the sound is silent, or isn't here."""
    try:
        heard = outline(find(home, music.digest))
    except Refused as refused:
        return tiles.note(refused.refusal.sentence, "bad")
    if not heard.any():
        return tiles.note(say("film.music.silent"))
    loud, onset = heard[:, SOURCES.index("loudness")] // 6, heard[:, SOURCES.index("onset")]
    shape = " ".join(f"{x},{48 - y}" for x, y in enumerate(loud.tolist()))
    lines = "".join(f"M{x} 48v-{y // 6}" for x, y in enumerate(onset.tolist()) if y > 64)
    return (
        f'<svg class="heard" viewBox="0 0 {len(heard)} 48" preserveAspectRatio="none" role="img" '
        f'aria-label="{escape(say("film.music.plot"))}"><polygon points="0,48 {shape} {len(heard) - 1},48"/>'
        f'<path d="{lines}"/></svg>'
    )


STYLE = f"<style>{look.asset('timeline.css')}</style>"


def script() -> str:
    """The script of the piece."""
    return look.asset("timeline.js")

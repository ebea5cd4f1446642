"""Play's directions: what the model in hand can be steered by, each with its name, slider, layers and strip.

What the browser keeps of them is one text, such as `sefa2@fine=1.5 pca9=0`: a row for each that was touched or asked
for; the first few stand there without it. Functions of that text and of the desk; HTML out, no gradio.
"""

import dataclasses
import itertools
import json
from html import escape
from pathlib import Path

from gan_play import limits
from gan_play.latent import directions, steer
from gan_play.latent.mix import BANDS
from gan_play.latent.sample import Model
from gan_play.latent.steer import Steps, check_steps
from gan_play.measure.attributes import ATTRIBUTES
from gan_play.refusals import Refused, refuse
from gan_play.share import artwork as artworks
from gan_play.share import naming
from gan_play.share.artwork import Artwork
from gan_play.ui import look, tiles
from gan_play.ui.share_routes import bands_words
from gan_play.ui.words import say

MOST_ROWS = 64
"""On the page: more than are offered of a model, and than fit into a code."""

RANGES = [bands for bands in itertools.product((True, False), repeat=len(BANDS)) if any(bands)]
"""The layers that a direction can be applied to."""


def rows_of(text: str) -> dict[str, float]:
    """Rows from the browser's text, by the direction's name. Refused for nonsense."""
    words = str(text).split()
    if len(words) > MOST_ROWS:
        raise Refused(refuse("direction", f"{len(words)} of them", most=limits.MOST_DIRECTION))
    found = {}
    for word in words:
        way, _, by = word.partition("=")
        name = directions.read(way).name
        found[name] = dict(check_steps([(name, by)])).get(name, 0.0)
    return found


def text_of(rows: dict[str, float]) -> str:
    """The browser's text of rows."""
    return " ".join(f"{way}={by:g}" for way, by in list(rows.items())[:MOST_ROWS])


def steps_of(text: str) -> list[tuple[str, float]]:
    """The steps in the browser's text."""
    return list(rows_of(text).items())


def at_rest(text: str, steps: Steps = ()) -> str:
    """The same rows with every slider in the middle, but for the directions among `steps`."""
    ways = {name: by for name, by in steps if name not in ATTRIBUTES}
    return text_of(ways | {way: ways.get(way, 0.0) for way in rows_of(text)})


def fitting(text: str, model: Model) -> str:
    """The rows that the model has directions for."""
    found = directions.vectors(model)
    rows = {directions.read(way): (way, by) for way, by in rows_of(text).items()}
    return text_of(dict(row for one, row in rows.items() if one.number <= len(found.get(one.family, ()))))


def more(text: str, model: Model) -> str:
    """Rows for the next few that aren't shown."""
    rows = rows_of(text)
    shown = {directions.read(way).id for way in rows}
    hidden = [one for one in directions.offered(model)[naming.SHOWN :] if one not in shown]
    return text_of(rows | dict.fromkeys(hidden[: naming.SHOWN], 0.0))


def asked(text: str) -> dict:
    """What the list's script wrote; {} for nonsense."""
    try:
        data = json.loads(text)
    except (ValueError, TypeError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def changed(desk, model: Model, data: dict):
    """The desk after something was done in the list, which sends all its rows: none is lost where two follow closely.

    Refused for a direction or an amount that can't be.
    """
    found = text_of(rows_of(data.get("rows") or desk.found))
    found = more(found, model) if data.get("do") == "more" else found
    return dataclasses.replace(desk, found=found, opened="")


def measure(home: Path, owner: str, desk, model: Model) -> str:
    """Tries out what has no name yet; a text that is another after each time, "" where nothing was left to do."""
    also = [directions.read(way).id for way in rows_of(desk.found)]
    if all(one.changes for one in naming.named(home, model, owner, also=also, measured=False)):
        return ""
    named = naming.named(home, model, owner, also=also)
    return f"{model.digest[:16]} {' '.join(one.id for one in named)}"


def rename(home: Path, owner: str, model: Model, data: dict) -> None:
    """A direction gets a name; with none it goes by its proposed one again. Refused as `naming` does."""
    way, name = str(data.get("way", "")), str(data.get("name", ""))
    if name.strip():
        naming.keep(home, model, way, name, owner)
    else:
        naming.put_back(home, model, way, owner)


# What it looks like


def list_html(home: Path, owner: str, desk, model: Model, origin: Artwork) -> str:
    """The list for the picture that is steered, `origin`. What wasn't measured yet goes by its id."""
    rows = rows_of(desk.found)
    also = [directions.read(way).id for way in rows]
    named = naming.named(home, model, owner, also=also, measured=False)
    parts = []
    for one in named:
        ways = {way: by for way, by in rows.items() if directions.read(way).id == one.id}
        for way, by in (ways or {one.way: 0.0}).items():
            parts.append(row_html(one, way, by, origin, model))
    more_there = len(directions.offered(model)) > len({directions.read(one.id).id for one in named})
    button = (
        f'<button type="button" class="quiet" data-do="more">{escape(say("directions.more"))}</button>'
        if more_there
        else ""
    )
    waits = "" if all(one.proposed for one in named) else tiles.note(say("directions.naming"))
    return (
        f'<div class="directions" role="group" aria-label="{escape(say("directions.title"))}">'
        f'<div class="directions-head"><strong>{escape(say("directions.title"))}</strong>'
        f'<img class="directions-now" src="{escape(tiles.address(artworks.encode(origin)))}" alt=""></div>'
        f"{tiles.note(say('directions.hint'))}{waits}"
        f'<div class="directions-rows">{"".join(parts)}</div>{button}</div>'
    )


def row_html(one: naming.Named, way: str, by: float, origin: Artwork, model: Model) -> str:
    """One direction."""
    direction = directions.read(way)
    name = escape(one.name)
    options = "".join(
        f'<option value="{escape(direction._replace(bands=bands).name)}"'
        f"{' selected' if bands == direction.bands else ''}>{escape(bands_words(bands))}</option>"
        for bands in RANGES
    )
    pictures = []
    for at, step in zip(naming.STRIP, naming.strip(way)):
        code = artworks.encode(artworks.bred(origin.genome, origin.model, origin.truncation, step))
        title = escape(say("directions.picture", name=one.name, by=f"{at:+g}" if at else "0"))
        pictures.append(
            f'<button type="button" data-by="{at:g}" title="{title}"><img src="{escape(tiles.address(code))}" '
            f'alt="{title}" loading="lazy" decoding="async" draggable="false"></button>'
        )
    back = (
        f'<button type="button" class="direction-back" data-do="back">{escape(say("directions.reset"))}</button>'
        if one.kept
        else ""
    )
    seen = escape(f"{one.id}: {changes_words(one)}" if one.changes else one.id)
    sharp = " sharp" if model.generator.size_px < 64 else ""
    return (
        f'<div class="direction{sharp}" data-way="{escape(way)}"><div class="direction-head">'
        f'<input type="text" class="direction-name" value="{name}" data-was="{name}" '
        f'maxlength="{limits.MOST_DIRECTION_NAME_CHARS}" aria-label="{escape(say("directions.name", id=one.id))}">'
        f'<select class="direction-range" aria-label="{escape(say("directions.range", name=one.name))}">{options}'
        f"</select><output>{by:+g}</output></div>"
        f'<input type="range" min="{-limits.MOST_AMOUNT}" max="{limits.MOST_AMOUNT}" step="{steer.STEP}" '
        f'value="{by:g}" data-by="{by:g}" aria-label="{name}">'
        f'<div class="direction-strip">{"".join(pictures)}</div>'
        f'<p class="note"><span>{seen}</span>{back}</p></div>'
    )


def changes_words(one: naming.Named) -> str:
    """What a direction was seen to change: what gave it its name, else the largest."""
    return ", ".join(
        say("directions.change", name=say(f"steer.{change.attribute}").lower(), by=f"{change.by:+.2f}",
            share=f"{change.steady:.0%}")
        for change in directions.clear(one.changes) or one.changes[:1]
    )  # fmt: skip


def script() -> str:
    """The script of the list."""
    return look.asset("directions.js")

"""Play's Breed: a parent or two, twelve children, and the family tree. Functions of the desk; HTML out, no gradio.

Who is bred is said by codes: the parents' on the desk, the chosen child's on the stage. So each is an artwork like any
other, and the tree (`share/family.py`) needs no pictures of its own.
"""

import contextlib
import dataclasses
import functools
import json
import math
import re
import secrets
from collections.abc import Sequence
from pathlib import Path

from gan_play.latent import blend, sample
from gan_play.latent.mix import BANDS
from gan_play.latent.sample import Model
from gan_play.refusals import Refusal, Refused
from gan_play.share import artwork as artworks
from gan_play.share import family
from gan_play.share.artwork import Artwork
from gan_play.ui import tiles
from gan_play.ui.share_routes import title_of
from gan_play.ui.tiles import Tile
from gan_play.ui.words import say

CHILDREN = 12
"""At a time: as many as Ganbreeder showed, and as one sees at a glance."""

FIRST_SEED = 1_000_000
"""Children turn towards seeds from here on: away from those that people pick by hand, and short in a code."""

ROLLS = 2**24
MOST_MEMBERS = 300
"""Pictures of a tree on the page; of a larger family the newest."""

STEP_X, STEP_Y = 136, 124
"""Between two pictures of the tree, in CSS pixels."""


def new_roll() -> str:
    """The number of a draw of children."""
    return str(secrets.randbelow(ROLLS))


def in_model(code: str, model: Model, truncation: float) -> Artwork:
    """What a code names, to be bred and painted by the model in hand. Refused for a figure or a film."""
    artwork = artworks.decode(code)
    return artworks.bred(artwork.genome, model.digest[:16], truncation, artwork.steps)


def fits(code: str, model: Model) -> bool:
    """Whether a code's picture has labels that the model has, or none as it, and no point found in another one."""
    try:
        genome = artworks.decode(code).genome
    except Refused:
        return False
    labels = genome.labels
    known = bool(labels) == bool(model.labels) and all(label < len(model.labels) for label in labels)
    return known and all(sample.fits(model, seed) for seed in genome.seeds)


def parents_of(desk, model: Model) -> list[Artwork]:
    """One or two parents; the picture that was picked last, where none was named."""
    found = [in_model(code, model, desk.truncation) for code in desk.parents.split()[:2]]
    return found or [
        Artwork("sample", model.digest[:16], (desk.current.seed,), desk.truncation, desk.current.label)
    ]


def brood_of(desk, model: Model) -> list[Artwork]:
    """The twelve: mutations of one parent, or the pictures on the way from one to the other.

    Where a parent was steered, its children are too.
    """
    parents = parents_of(desk, model)
    roll = int(desk.roll) % ROLLS if re.fullmatch(r"[0-9]{1,9}", str(desk.roll), re.ASCII) else 0
    first = FIRST_SEED + CHILDREN * roll
    return artworks.brood(parents, range(first, first + CHILDREN), desk.strength, desk.held)


def how_of(desk) -> dict[str, object]:
    """What is being done to the parents, for the tree."""
    held = [name for name in BANDS if name in desk.held]
    if len(desk.parents.split()) == 2:
        return {"do": "cross", "held": held}
    return {"do": "mutate", "strength": desk.strength, "held": held}


def came(desk, model: Model, code: str) -> str:
    """Where a child that was just chosen came from, as JSON for the desk: its parents, and what was done to them."""
    parents = [artworks.encode(parent) for parent in parents_of(desk, model)]
    return "" if code in parents else json.dumps({"parents": parents, "how": how_of(desk)})


def keep_in_tree(home: Path, owner: str, desk, model: Model, chosen: Artwork) -> None:
    """Writes the picture on the stage into the tree, with those that it came from, and keeps its model for good."""
    sample.pin(home, model)
    for code in desk.parents.split()[:2]:
        carry_over(home, owner, code, model, desk.truncation)
    with contextlib.suppress(
        ValueError, TypeError, KeyError, AttributeError
    ):  # nonsense of a browser's: a founder
        said = json.loads(desk.came or "{}")
        parents, how = [family.plain(str(code)) for code in said["parents"]][:2], dict(said["how"])
        known = {name: how[name] for name in ("do", "strength", "held") if name in how}
        return family.keep(home, owner, artworks.encode(chosen), parents, known)
    family.keep(home, owner, artworks.encode(chosen))


def carry_over(home: Path, owner: str, code: str, model: Model, truncation: float) -> None:
    """A parent of another model or truncation goes into the tree as it is here, below what it was, if related."""
    here = artworks.encode(in_model(code, model, truncation))
    if family.plain(code) == here or family.find(home, owner, code) is None:
        return
    old = artworks.decode(code)
    if old.model == model.digest[:16]:
        family.keep(home, owner, here, [code], {"do": "truncation"})
        return
    try:
        run = sample.load_digest(home, old.model).run_id
    except Refused:  # its model is gone: then nobody can say whether it is related
        return
    if blend.related(home, run, model.run_id):
        family.keep(home, owner, here, [code], {"do": "model", "model": model.name})


# What it looks like


def tile_of(artwork: Artwork, model: Model, chosen: str, badge: str = "") -> Tile:
    """A picture that can be chosen."""
    code = artworks.encode(artwork)
    return Tile(code, title_of(artwork, model), badge=badge, current=code == chosen)


def parents_html(desk, model: Model) -> str:
    """The parents, with what happens between them."""
    return tiles.parents([tile_of(parent, model, desk.chosen) for parent in parents_of(desk, model)])


def brood_html(desk, model: Model) -> str:
    """The children, to choose one of."""
    pictures = [tile_of(child, model, desk.chosen) for child in brood_of(desk, model)]
    return tiles.tiles(pictures, say("breed.children"), model.generator.size_px)


def how_words(how: dict[str, object]) -> str:
    """What was done to a picture's parents, in words."""
    do = how.get("do")
    held = [say(f"play.{name}").lower() for name in BANDS if name in (how.get("held") or ())]
    if do == "mutate" and isinstance(how.get("strength"), (int, float)):
        said = say("breed.how.mutate", strength=f"{how['strength']:.0%}")
    elif do in ("cross", "truncation", "model"):
        said = say(f"breed.how.{do}", model=how.get("model", ""))
    else:
        said = say("breed.how.seed")
    return said + (say("breed.how.held", held=", ".join(held)) if held else "")


def tree_html(home: Path, owner: str, desk, model: Model) -> str:
    """The family of the parents on the desk; a sentence where nothing of it was kept yet. Refused as `family` is."""
    codes = [artworks.encode(parent) for parent in parents_of(desk, model)]
    members = {}
    for code in codes + desk.parents.split()[:2]:
        members |= {member.code: member for member in family.relatives(home, owner, code, MOST_MEMBERS)}
    if not members:
        return tiles.note(say("breed.tree.empty"))
    ordered = sorted(members.values(), key=lambda member: (member.at, member.code))[-MOST_MEMBERS:]
    places = laid_out(ordered)
    pictures = []
    for member in ordered:
        words = how_words(member.how)
        pictures.append((Tile(member.code, words, current=member.code in codes), words))
    lines = [
        (places[parent], places[member.code])
        for member in ordered
        for parent in member.parents
        if parent in places
    ]
    more = say("breed.tree.many", most=MOST_MEMBERS) if len(ordered) == MOST_MEMBERS else ""
    return tiles.family(pictures, [places[member.code] for member in ordered], lines, more)


def laid_out(members: Sequence[family.Member]) -> dict[str, tuple[int, int]]:
    """Where each stands, in CSS pixels: a column a generation, and in it each as near as can be to its parents."""
    known = {member.code: member for member in members}

    @functools.cache
    def generation_of(code: str) -> int:
        return 1 + max(
            (generation_of(parent) for parent in known[code].parents if parent in known), default=-1
        )

    generation = {code: generation_of(code) for code in known}
    for code in known:  # a founder who comes in later stands just before its first child
        children = [generation[other.code] for other in members if code in other.parents]
        if not generation[code] and children:
            generation[code] = min(children) - 1
    row: dict[str, int] = {}
    for column in range(max(generation.values()) + 1):
        inside = [code for code in known if generation[code] == column]

        def wish(code: str) -> float:
            above = [row[parent] for parent in known[code].parents if parent in row]
            return sum(above) / len(above) if above else math.inf

        free = 0
        for code in sorted(inside, key=lambda code: (wish(code), known[code].at)):
            row[code] = max(free, round(wish(code))) if wish(code) < math.inf else free
            free = row[code] + 1
    return {code: (generation[code] * STEP_X, row[code] * STEP_Y) for code in known}


# From one desk to the next


def begin(desk, code: str):
    """A picture as the one parent, on the stage too, with new children; as adventurous as it is."""
    artwork = artworks.decode(code)
    now = {"tool": "breed", "digest": artwork.model, "truncation": artwork.truncation, "roll": new_roll()}
    return dataclasses.replace(desk, **now, parents=code, chosen=code, came="", opened="")


def cross_with(desk, model: Model, code: str):
    """The picture on the stage as the second parent of the first; the first itself again, and it is alone."""
    first = artworks.encode(parents_of(desk, model)[0])
    return dataclasses.replace(desk, parents=first if first == code else f"{first} {code}")


def step_back(home: Path, owner: str, desk, model: Model):
    """One generation back: the parents of the (first) parent. Refused where the tree knows none."""
    first = artworks.encode(parents_of(desk, model)[0])
    member = family.find(home, owner, first)
    for code in desk.parents.split()[:1]:
        member = member or family.find(home, owner, code)
    if member is None or not member.parents:
        raise Refused(Refusal("no-parents", "", say("breed.no_way_back")))
    return dataclasses.replace(begin(desk, member.parents[0]), parents=" ".join(member.parents))

"""What Play shows of a desk: the stage, the grid, the tray, and the lines that say what is proved. HTML; no gradio."""

import dataclasses
from pathlib import Path

from gan_play.latent import sample
from gan_play.latent.sample import Model
from gan_play.refusals import Refused
from gan_play.runs import store
from gan_play.share import artwork as artworks
from gan_play.share.artwork import Artwork
from gan_play.ui import breed, sliders, tiles, timeline, verdict
from gan_play.ui.desk import PAGE, SINGLE, Desk, Pick, artwork_of, code_of, label_text, pair, read_label
from gan_play.ui.share_routes import film_address, known_film, picture, title_of
from gan_play.ui.shared import Shared, may_steer
from gan_play.ui.tiles import Tile
from gan_play.ui.words import say

STILLS = 12
"""Moments of a walk's strip, as `walk.strip` makes it."""


def seed_tile(desk: Desk, model: Model, pick: Pick, badge: str = "") -> Tile:
    """A seed's picture as the model in hand paints it."""
    artwork = Artwork("sample", model.digest[:16], (pick.seed,), desk.truncation, pick.label)
    here = (str(pick.seed), label_text(pick.label)) == (desk.seed, desk.label)
    return Tile(artworks.encode(artwork), title_of(artwork, model), pick.seed, badge, here, pick.label)


def settings_of(desk: Desk) -> str:
    """What all seeds of a desk are painted with, as the page's script says it: the model, and how adventurous."""
    return f"{desk.digest[:16]} {desk.truncation:g}"


def grid(desk: Desk, model: Model) -> str:
    """The page of seeds, in the label that was chosen; those in the tray wear their place in it."""
    places = {pick: str(place) for place, pick in reversed(list(enumerate(desk.picks, 1)))}
    label = read_label(desk.label)
    first = sample.whole_seed(desk.first)
    last = min(first + PAGE - 1, sample.limits.MOST_SEED)
    page = [Pick(seed, label) for seed in range(first, last + 1)]
    pictures = [seed_tile(desk, model, pick, places.get(pick, "")) for pick in page]
    title = say("play.seeds", first=first, last=last)
    return tiles.tiles(pictures, title, model.generator.size_px, settings_of(desk))


def tray(desk: Desk, model: Model) -> str:
    """The strip of picked pictures."""
    pictures = [seed_tile(desk, model, pick, str(place)) for place, pick in enumerate(desk.picks, 1)]
    return tiles.tray(pictures, model.generator.size_px, settings_of(desk))


def stage(desk: Desk, model: Model, home: Path) -> tuple[str, str]:
    """The large picture, and its code."""
    artwork = artwork_of(desk, model)
    if artwork is None:
        return tiles.empty_stage(say(f"play.need.{desk.tool}")), ""
    code, title, size_px = code_of(desk, artwork), title_of(artwork, model), model.generator.size_px
    if artwork.operation == "mix_grid":
        return figure(artwork, model, code, title), code
    if artwork.operation == "label_grid":
        return label_figure(artwork, model, code, title), code
    if artwork.is_film:
        made = known_film(home, artwork, desk.form)
        frames = film_address(code, "zip") + "?download=1" if made and desk.form == "zip" else ""
        if made and not frames:
            return tiles.film(code, title, film_address(code, desk.form), desk.form), code
        side = artwork.timeline.grid if artwork.timeline else 1
        return tiles.stills(code, title, STILLS, 2 * (side - 1) + side * size_px, film=frames), code
    also = ("to-mix", "to-walk") if artwork.operation == "sample" else ()
    if set(artwork.weights or ()) <= {0.0, 1.0}:  # what is mixed half-way can't be bred as it is
        also += tuple(f"to-{tool}" for tool in ("breed", "steer", "film") if tool != desk.tool)
    return tiles.stage(code, title, size_px, also=also), code


def figure(artwork: Artwork, model: Model, code: str, title: str) -> str:
    """Style mixing as a table of pictures: each is a mix of its own, and can be opened as one."""
    base = {"model": artwork.model, "truncation": artwork.truncation, "label": artwork.label}
    weights = artworks.BANDS[artwork.band]

    def one(seed: int) -> str:
        alone = Artwork("sample", seeds=(seed,), **base)
        shown = Tile(artworks.encode(alone), title_of(alone, model), seed, label=artwork.label)
        return tiles.tile(shown, "tile head")

    def mixed(row: int, column: int) -> str:
        both = Artwork("mix", seeds=(column, row), weights=weights, **base)
        return tiles.tile(Tile(artworks.encode(both), title_of(both, model)))

    heads = "<span></span>" + "".join(map(one, artwork.columns))
    body = "".join(
        one(row) + "".join(mixed(row, column) for column in artwork.columns) for row in artwork.seeds
    )
    return tiles.figure(heads + body, len(artwork.columns) + 1, code, title, model.generator.size_px)


def label_figure(artwork: Artwork, model: Model, code: str, title: str) -> str:
    """Label by seed as a table: a row's name, then its pictures; each can be picked as one."""

    def one(seed: int, label: int) -> str:
        alone = Artwork("sample", artwork.model, (seed,), artwork.truncation, label)
        return tiles.tile(Tile(artworks.encode(alone), title_of(alone, model), seed, label=label))

    body = "".join(
        tiles.row_name(model.labels[label]) + "".join(one(seed, label) for seed in artwork.seeds)
        for label in artwork.labels
    )
    return tiles.figure(body, len(artwork.seeds) + 1, code, title, model.generator.size_px)


def two_heads(desk: Desk, model: Model) -> str:
    """The two pictures that Mix works on."""
    try:
        two = pair(desk)
    except Refused:
        two = None
    if two is None:
        return ""
    return tiles.pair([seed_tile(desk, model, pick) for pick in two])


def painted(home: Path, desk: Desk, mark: str = "") -> dict[str, object]:
    """Every piece of the tab for a desk, by name."""
    model = sample.load_digest(home, desk.digest)
    shown, code = stage(desk, model, home)
    first = sample.whole_seed(desk.first)
    return {
        "stage": shown,
        "code": code,
        "grid": grid(desk, model),
        "tray_view": tray(desk, model),
        "pair": two_heads(desk, model),
        "parents_view": breed.parents_html(desk, model) if desk.tool == "breed" else "",
        "brood": breed.brood_html(desk, model) if desk.tool == "breed" else "",
        "timeline": timeline.html(desk, model, home, mark),
        "adventure": tiles.note(sliders.adventure(desk.truncation)),
        "range": tiles.note(say("play.seeds", first=first, last=first + PAGE - 1)),
    }


def shown(home: Path, old: Desk, new: Desk, mark: str = "") -> dict[str, object]:
    """What the page needs to go from one desk to the next: the controls that moved, and every piece painted anew; the
    timeline with a mark."""
    before, after = dataclasses.asdict(old), dataclasses.asdict(new)
    moved = {name: value for name, value in after.items() if value != before[name]}
    return moved | painted(home, new, mark)


def proof(home: Path, code: str, form: str) -> str:
    """The line under the stage: the SHA-256 of what is shown, and whether it is what was shared."""
    if not code:
        return ""
    artwork = artworks.decode(code)
    if artwork.is_film:
        made = artworks.film_proof(home, artwork, form)
        if not made:
            return tiles.note(say("play.proof.strip"))
        sha256, _, sentence = made
    else:
        found = picture(home, code)
        sha256, sentence = found.sha256, found.sentence
    said = tiles.note(sentence, "good" if sentence.startswith("Identical") else "") if artwork.seal else ""
    return f'<div data-of="{code}">{said}{tiles.note(say("play.proof", sha256=sha256))}</div>'


def nearest(shared: Shared, code: str, key: str) -> str:
    """The picture that a code names beside the nearest ones that its model learnt from; or a sentence that says why
    not. In public these are for who trained it alone. Refused for a bad or a foreign code."""
    artwork = artworks.decode(code) if code else None
    if artwork is None or artwork.operation not in SINGLE:
        return tiles.note(say("play.near.film"))
    model = sample.load_digest(shared.home, artwork.model)
    folder = store.find_run(shared.home, model.run_id)
    if not store.is_shipped(folder) and not may_steer(shared, model.run_id, key):
        return tiles.note(say("play.near.not_yours"))
    pixels = picture(shared.home, code).pixels
    return verdict.beside_nearest(folder, pixels, code, title_of(artwork, model))

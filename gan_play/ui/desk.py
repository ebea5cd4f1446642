"""What lies on Play's table, and what a click makes of it.

A desk is what the tab's controls say, as a browser sent them; what it shows is one `Artwork`, so it has a code, an
address and a link. Functions from desk to desk, and between desks and artworks; no gradio, no HTML.
"""

import dataclasses
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from gan_play import limits
from gan_play.latent import sample, steer
from gan_play.latent.found import Found
from gan_play.latent.sample import Model
from gan_play.measure.attributes import ATTRIBUTES
from gan_play.refusals import Refused, refuse
from gan_play.share import artwork as artworks
from gan_play.share.artwork import Artwork
from gan_play.ui import breed, directions, timeline, yours
from gan_play.ui.tiles import MOST_IN_TRAY

PAGE = 36
"""Seeds of one grid."""


FPS = 24
"""Frames a second of the films made here; the command line and the API offer others."""


MOST_LINES = 6
"""Rows and columns of the figure on the page, so that its tiles stay large enough to see and to tap."""


MOST_KINDS = 12
"""Labels of the grid of label by seed, and stops of a walk through all labels: as many as the codes hold."""


FEW_LINES = 4
"""Columns of the grid of label by seed where the tray gives fewer."""


TOOLS = ("sample", "mix", "breed", "steer", "project", "mix_grid", "walk")


SINGLE = ("sample", "mix", "label_mix", *artworks.GENETIC)
"""Artworks that are one picture."""


LABEL_TOOLS = (*TOOLS, "label_grid")
"""What there is to do with any model, and with one that has labels."""


class Pick(NamedTuple):
    """One picture in the tray: a seed, and the label that it was picked in where the model has labels."""

    seed: sample.Seed
    label: int | None = None


@dataclass(frozen=True)
class Desk:
    """What lies on the table: the tab's controls, as the browser sent them. All of it is checked before use."""

    digest: str = ""  # of the model in hand
    seed: str = "0"  # the picture that was picked last
    first: str = "0"  # of the grid
    tray: str = "[]"
    truncation: float = 0.7
    tool: str = "sample"
    coarse: float = 0.0
    middle: float = 0.0
    fine: float = 1.0
    band: str = "coarse"
    rows: str = ""  # seeds as text; empty: from the tray
    columns: str = ""
    seconds: float = 8.0
    loop: bool = True
    how: str = "w"
    easing: str = "smooth"
    form: str = "mp4"
    opened: str = ""  # the code of the link that was opened, with its seal
    label: str = ""  # of the grid, and of the picture that was picked last; empty for a model without labels
    kinds: str = ""  # rows of the grid of label by seed, as text; empty: all
    across: str = ""  # its columns, seeds as text; empty: from the tray
    parents: str = ""  # codes of the one or two that are bred; empty: the picture picked last
    chosen: str = ""  # code of the child on the stage; empty: the picture picked last
    came: str = ""  # where that child came from, as JSON (`ui/breed.py`)
    roll: str = "0"  # which children
    strength: float = 0.3
    held: Sequence[str] = ()  # bands that stay as they are
    plan: str = ""  # code of the film on the timeline; empty: the walk through the tray
    base: str = ""  # code of the picture that is steered; empty: the one picked last
    found: str = ""  # and by which of the model's own directions, as text (`ui/directions.py`)
    light: float = 0.0  # how it is steered, as are all below
    warmth: float = 0.0
    saturation: float = 0.0
    hue: float = 0.0
    contrast: float = 0.0
    detail: float = 0.0
    symmetry: float = 0.0
    horizon: float = 0.0
    busyness: float = 0.0

    @classmethod
    def sent(cls, values: tuple) -> "Desk":
        """The desk of a browser's values, in the order of the fields; what it left out is as it was at first."""
        known = zip(dataclasses.fields(cls), values)
        return cls(*(field.default if value is None else value for field, value in known))

    @property
    def picks(self) -> list[Pick]:
        """The pictures in the tray."""
        return tray_picks(self.tray)

    @property
    def picked(self) -> list[int]:
        """The seeds in the tray, each once."""
        return list(dict.fromkeys(pick.seed for pick in self.picks))

    @property
    def steps(self) -> list[tuple[str, float]]:
        """How the picture is steered."""
        return [(name, getattr(self, name)) for name in ATTRIBUTES] + directions.steps_of(self.found)

    @property
    def current(self) -> Pick:
        """The picture that was picked last. Refused where a browser sent nonsense."""
        return Pick(sample.check_seed(self.seed), read_label(self.label))


def read_label(text: object) -> int | None:
    """A label's number as a browser sends it, None for none. Refused for what can be no label of any model."""
    if text in (None, ""):
        return None
    if not re.fullmatch(r"[0-9]{1,4}", str(text), re.ASCII) or int(text) >= limits.MOST_LABELS:
        raise Refused(refuse("label", str(text), count=limits.MOST_LABELS))
    return int(text)


def tray_picks(text: str) -> list[Pick]:
    """The pictures of a tray's JSON: seeds, or pairs of seed and label; nothing where it is none."""
    try:
        found = json.loads(text or "[]")
        pairs = [one if isinstance(one, list) else (one, None) for one in found if isinstance(found, list)]
        return [Pick(sample.check_seed(seed), read_label(label)) for seed, label in pairs][:MOST_IN_TRAY]
    except (ValueError, TypeError, RecursionError, Refused):
        return []


def packed(picks: list[Pick]) -> str:
    """The tray's JSON of pictures; `tray_picks` reads it back."""
    return json.dumps([pick.seed if pick.label is None else list(pick) for pick in picks])


def label_text(label: int | None) -> str:
    """A label's number as the page keeps it."""
    return "" if label is None else str(label)


def fitting(desk: Desk, model: Model) -> Desk:
    """The desk with labels that the model has: none, where it has none; its first, for none or for one too many.

    What a link shows stays as it is, and names take the place of numbers in the rows that it came with.
    """
    count = len(model.labels)

    def fit(label: int | None) -> int | None:
        if not count or (label is None and desk.opened):
            return None
        return label if label is not None and label < count else 0

    label = label_text(fit(read_label(desk.label)))
    picks = [Pick(pick.seed, fit(pick.label)) for pick in desk.picks if sample.fits(model, pick.seed)]
    desk = desk if sample.fits(model, desk.current.seed) else dataclasses.replace(desk, seed="0")
    changes = {} if picks == desk.picks else {"tray": packed(list(dict.fromkeys(picks)))}
    rows = [row.strip() for row in desk.kinds.split(",")]
    if count and all(re.fullmatch(r"#[0-9]{1,4}", row, re.ASCII) and int(row[1:]) < count for row in rows):
        changes["kinds"] = ", ".join(sample.name_label(model, int(row[1:])) for row in rows)
    if desk.plan and not timeline.fits(desk.plan, model):
        changes["plan"] = ""
    tool = "sample" if desk.tool == "label_grid" and not count else desk.tool
    if not all(breed.fits(code, model) for code in f"{desk.parents} {desk.chosen} {desk.base}".split()):
        # of a model with other labels, or with none
        changes |= dict.fromkeys(("parents", "chosen", "came", "base"), "")
    changes["found"] = directions.fitting(desk.found, model)
    return dataclasses.replace(desk, label=label, tool=tool, **changes)


def pair(desk: Desk) -> tuple[Pick, Pick] | None:
    """What Mix works on: the first in the tray, and the picture picked last or else the second; None for less."""
    picked = desk.picks
    if not picked:
        return None
    second = desk.current
    if second == picked[0] or second not in picked:
        second = picked[1] if len(picked) > 1 else picked[0]
    return None if second == picked[0] else (picked[0], second)


def lines(desk: Desk) -> tuple[list[int], list[int]] | None:
    """Rows and columns of the figure: as typed, else the first and the second half of the tray; None for less."""
    picked = desk.picked
    half = (len(picked) + 1) // 2
    rows = sample.parse_seeds(desk.rows, 1, MOST_LINES) if desk.rows.strip() else picked[:half]
    columns = sample.parse_seeds(desk.columns, 1, MOST_LINES) if desk.columns.strip() else picked[half:]
    return (rows, columns) if rows and columns else None


def kinds_and_seeds(desk: Desk, model: Model) -> tuple[list[int], list[int]] | None:
    """Rows and columns of label by seed: as typed, else all labels (or the first twelve) and the tray's seeds, with
    some of the page where these are few. Refused for labels that the model hasn't.
    """
    first = sample.whole_seed(desk.first)
    page = [*desk.picked, desk.current.seed, *range(first, first + FEW_LINES)]
    few = list(dict.fromkeys(page))[: max(FEW_LINES, len(desk.picked))]
    seeds = sample.parse_seeds(desk.across, 1, MOST_LINES) if desk.across.strip() else few
    labels = sample.parse_labels(model, desk.kinds, 1, MOST_KINDS) if desk.kinds.strip() else []
    every = list(range(len(model.labels)))[:MOST_KINDS]
    return labels or every, seeds[:MOST_LINES]


def through(operation: str, picks: Sequence[Pick]) -> dict[str, object]:
    """What an artwork says of pictures in their order: with one label all over, or with one for each."""
    labels = tuple(pick.label or 0 for pick in picks)
    seeds = tuple(pick.seed for pick in picks)
    if len(set(labels)) > 1:
        return {"operation": f"label_{operation}", "seeds": seeds, "labels": labels}
    return {"operation": operation, "seeds": seeds, "label": picks[0].label}


def artwork_of(desk: Desk, model_in_hand: Model | None = None) -> Artwork | None:
    """What the controls ask for; None where the tray holds too little. Refused where they ask for the impossible.

    Only the grid of label by seed needs the model itself.
    """
    model, truncation = desk.digest[:16], desk.truncation
    label = read_label(desk.label)
    if desk.tool == "mix":
        two = pair(desk)
        weights = (desk.coarse, desk.middle, desk.fine)
        return two and Artwork(**through("mix", two), model=model, truncation=truncation, weights=weights)
    if desk.tool == "mix_grid":
        both = lines(desk)
        return both and Artwork(
            "mix_grid", model, tuple(both[0]), truncation, label, columns=tuple(both[1]), band=desk.band
        )
    if desk.tool == "label_grid" and model_in_hand is not None:
        kinds, seeds = kinds_and_seeds(desk, model_in_hand)
        return Artwork("label_grid", model, tuple(seeds), truncation, labels=tuple(kinds))
    if desk.tool == "walk" and desk.plan:
        return dataclasses.replace(artworks.decode(desk.plan), model=model, truncation=truncation, seal="")
    if desk.tool == "walk":
        if len(desk.picks) < 2:
            return None
        return Artwork(
            **through("walk", desk.picks),
            model=model,
            truncation=truncation,
            seconds=desk.seconds,
            fps=FPS,
            how=desk.how,
            easing=desk.easing,
            loop=desk.loop,
        )
    if desk.tool == "breed" and desk.chosen:
        chosen = artworks.decode(desk.chosen)
        return artworks.bred(chosen.genome, model, truncation, chosen.steps)
    alone = Artwork("sample", model, (desk.current.seed,), truncation, label)
    if desk.tool == "steer":
        genome = (artworks.decode(desk.base) if desk.base else alone).genome
        return artworks.bred(genome, model, truncation, steer.check_steps(desk.steps))
    return alone


def desk_of(artwork: Artwork, code: str, desk: Desk) -> Desk:
    """The desk on which an artwork was made: its tool is open with the same settings; the tray keeps what fits."""
    tool = {"label_walk": "walk", "label_mix": "mix", "film": "walk"}.get(
        artwork.operation, artwork.operation
    )
    each = artwork.labels if tool in ("walk", "mix", *artworks.GENETIC) else ()
    stops = [Pick(*stop) for stop in zip(artwork.seeds, each or [artwork.label] * len(artwork.seeds))]
    tray = [*stops, *(Pick(seed, artwork.label) for seed in artwork.columns)]
    tray = (
        []
        if tool in ("sample", "label_grid", *artworks.GENETIC) or artwork.timeline
        else list(dict.fromkeys(tray))
    )
    tray = (tray + [pick for pick in desk.picks if pick not in tray])[:MOST_IN_TRAY]
    if tool == "walk" and not artwork.timeline:
        tray = stops  # a walk is exactly its stops, in order, even one met twice
    shown = stops[1] if tool == "mix" else stops[0]
    first = desk.first if isinstance(shown.seed, Found) else str(shown.seed - shown.seed % PAGE)
    new = dataclasses.replace(
        desk,
        digest=artwork.model,
        seed=str(shown.seed),
        first=first,
        tray=packed(tray),
        truncation=artwork.truncation,
        tool=tool,
        opened=code,
        label=label_text(shown.label),
        found=desk.found
        if desk.digest[:16] == artwork.model
        else "",  # another model's directions are others
    )
    if tool == "steer":
        return steered(new, artwork)
    if tool == "breed":
        return dataclasses.replace(
            new, parents=artworks.encode(dataclasses.replace(artwork, seal="")), chosen=code
        )
    if tool == "label_grid":
        rows, columns = ", ".join(f"#{label}" for label in artwork.labels), ", ".join(map(str, artwork.seeds))
        return dataclasses.replace(new, label=str(artwork.labels[0]), kinds=rows, across=columns)
    if tool == "mix":
        coarse, middle, fine = artwork.weights
        return dataclasses.replace(new, coarse=coarse, middle=middle, fine=fine)
    if artwork.operation == "mix_grid":
        rows, columns = (", ".join(map(str, line)) for line in (artwork.seeds, artwork.columns))
        return dataclasses.replace(new, band=artwork.band, rows=rows, columns=columns)
    if artwork.timeline:
        return dataclasses.replace(new, plan=artworks.encode(dataclasses.replace(artwork, seal="")))
    if tool == "walk":
        return dataclasses.replace(
            new, plan="", seconds=artwork.seconds, loop=artwork.loop, how=artwork.how, easing=artwork.easing
        )
    return new


def steered(desk: Desk, artwork: Artwork | None = None) -> Desk:
    """The desk on which a picture is steered, from where its own steps have led; None for the one picked last."""
    base = artwork and artworks.encode(artworks.bred(artwork.genome, artwork.model, artwork.truncation))
    steps = artwork.steps if artwork else ()
    sliders = {name: dict(steps).get(name, 0.0) for name in ATTRIBUTES}
    found = directions.at_rest(desk.found, steps)
    return dataclasses.replace(desk, tool="steer", base=base or "", found=found, **sliders)


def code_of(desk: Desk, artwork: Artwork) -> str:
    """The code of what the desk shows; the opened link's own, sealed one while it still shows just that."""
    plain = artworks.encode(artwork)
    try:
        opened = artworks.decode(desk.opened) if desk.opened else None
    except Refused:
        opened = None
    if opened and artworks.encode(dataclasses.replace(opened, seal="")) == plain:
        return desk.opened
    return plain


def stay(desk: Desk) -> Desk:
    """The desk as it is: for events that only ask for it to be shown."""
    return desk


def pick(desk: Desk, seed: int, label: int | None = None) -> Desk:
    """A click on a tile: onto the stage and into the tray; a second click takes it out again."""
    chosen, picked = Pick(seed, label), desk.picks
    if (str(seed), label_text(label)) == (desk.seed, desk.label) and chosen in picked:
        picked.remove(chosen)
    elif chosen not in picked and len(picked) < MOST_IN_TRAY:
        picked.append(chosen)
    return dataclasses.replace(desk, seed=str(seed), label=label_text(label), tray=packed(picked))


def rearrange(desk: Desk, do: str, chosen: Pick, to: Pick) -> Desk:
    """What the tray's buttons, keys and dragging do with one of its pictures."""
    picked = desk.picks
    if do == "clear":
        picked = []
    elif do == "swap":
        two = pair(desk)
        if two:
            rest = [other for other in picked if other not in two]
            last, swapped = two[0], packed([two[1], two[0], *rest])
            return dataclasses.replace(desk, tray=swapped, seed=str(last.seed), label=label_text(last.label))
    elif chosen in picked and do in ("left", "right", "move", "out"):
        at = picked.index(chosen)
        picked.remove(chosen)
        if do in ("left", "right"):
            picked.insert(max(0, at + (1 if do == "right" else -1)), chosen)
        elif do == "move" and to in picked:
            picked.insert(picked.index(to) + (picked.index(to) >= at), chosen)
        elif do == "move":
            picked.insert(at, chosen)
    return dataclasses.replace(desk, tray=packed(picked))


def through_labels(desk: Desk, model: Model) -> Desk:
    """The picture that was picked last in every label, or in twelve of them evenly, as the stops of a walk."""
    count = len(model.labels)
    shown = range(count) if count <= MOST_KINDS else [i * (count - 1) // (MOST_KINDS - 1) for i in range(12)]
    stops = [Pick(desk.current.seed, label) for label in shown]
    return dataclasses.replace(desk, tray=packed(stops), tool="walk") if stops else desk


def found_in(desk: Desk, text: object) -> Desk:
    """A point that was found: onto the stage and into the tray, as a picked picture. Other text changes nothing."""
    if not yours.is_point(text):
        return desk
    chosen = Pick(sample.check_seed(text), read_label(desk.label))
    away = dataclasses.replace(desk, seed="" if chosen not in desk.picks else str(text), opened="")
    picked = away if chosen in desk.picks else pick(away, *chosen)
    return steered(picked) if desk.tool == "steer" else picked


def turn(desk: Desk, pages: int) -> Desk:
    """The next or the previous page of seeds."""
    first = sample.whole_seed(desk.first) + pages * PAGE
    return dataclasses.replace(desk, first=str(min(max(first, 0), sample.limits.MOST_SEED - PAGE + 1)))


def go(desk: Desk, text: str) -> Desk:
    """A seed that was typed: onto the stage, with its page in the grid."""
    seed = sample.whole_seed(text)
    return dataclasses.replace(desk, seed=str(seed), first=str(seed - seed % PAGE), tool="sample")


def training_pick(text: str) -> tuple[float, str, int, int | None]:
    """When a tile was clicked in a training grid, in which run, its seed and label; (0, "", 0, None) for none."""
    try:
        sent = json.loads(text or "{}")
        label = read_label(sent.get("label"))
        return float(sent["at"]), str(sent["run"]), sample.whole_seed(sent["seed"]), label
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, Refused):
        return 0.0, "", 0, None

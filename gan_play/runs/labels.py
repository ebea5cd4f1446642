"""The labels of a run: whether it learns its set's folders apart, what they are called, and which picture shows which.

A set has labels where its pictures lie in two or more folders (`datasets.labels_of`). A run learns them where
`run.json` says "labelled"; its `set` keeps their names, and how many squares of each are learnt, in `label_counts`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from gan_play.refusals import Refused, printable, refuse

LEAST_OF_LABEL = 2  # below it there is nothing to learn but one picture by heart
FEW_OF_LABEL = 10  # below it a warning: it learns mostly from the other labels
MOST_NAMED = 3  # labels in one sentence
GOLDEN = 0.6180339887498949  # the golden ratio's fraction: its multiples fill an interval most evenly


def names(run: Mapping[str, object]) -> list[str]:
    """What the labels that a run learns are called, by `run.json`; [] where it learns none."""
    taken = run.get("set")
    found = taken.get("labels") if isinstance(taken, Mapping) else None
    if run.get("labelled") is not True or not isinstance(found, list):
        return []
    return [name for name in found if isinstance(name, str)]


def counts(run: Mapping[str, object]) -> list[int]:
    """How many pictures of each label of a run are learnt, by `run.json`; all alike where it doesn't say."""
    taken, count = run.get("set"), len(names(run))
    found = taken.get("label_counts") if isinstance(taken, Mapping) else None
    whole = isinstance(found, list) and all(type(one) is int and one >= 0 for one in found)
    return list(found) if whole and len(found) == count and sum(found) else [1] * count


def of_set(set_folder: Path) -> dict[str, int]:
    """The labels of a set and how many pictures each has; {} for one without. Refused where there is no such set."""
    from gan_play.pictures import datasets

    manifest = datasets.read_manifest(set_folder)
    found = Counter(picture["label"] for picture in manifest["pictures"])
    return {name: found[i] for i, name in enumerate(manifest["label_names"])}


def only_folder(set_folder: Path) -> str | None:
    """The name of the one folder that holds all pictures of a set; None where there are others, or none."""
    from gan_play.pictures import datasets

    folders = {
        picture["name"].rpartition("/")[0] for picture in datasets.read_manifest(set_folder)["pictures"]
    }
    (one,) = folders if len(folders) == 1 else ("",)
    return one.rpartition("/")[2] or None


def asks(recipe: str, wanted: bool | None = None, preset: str = "") -> bool:
    """Whether a run of this recipe is to learn labels: always where it needs them, else if that is `wanted`.

    A `preset` makes its pairs of all pictures, whatever their folders. Refused where labels are wanted of a recipe
    that can't.
    """
    from gan_play.trainers.recipes import RECIPES, needs_labels

    row = RECIPES.get(recipe)
    if row is None or preset:
        return False  # an unknown one is refused by `check_settings`
    if wanted and row.labels == "none":
        able = ", ".join(other.name for other in RECIPES.values() if other.labels != "none")
        raise Refused(refuse("labels-not", recipe, recipe=row.title, able=able))
    return bool(wanted) or needs_labels(recipe)


def decide(recipe: str, set_folder: Path, wanted: bool | None = None, preset: str = "") -> bool:
    """Whether a run of this recipe learns the labels of this set, as in `asks`. Refused where the set can't serve."""
    from gan_play.pictures import datasets
    from gan_play.trainers.recipes import RECIPES, SETS_NEEDED

    if not asks(recipe, wanted, preset):
        return False
    found, takes = of_set(set_folder), RECIPES[recipe].takes
    if takes != "pictures" and len(found) != 2:
        raise Refused(refuse(SETS_NEEDED[takes], recipe, recipe=RECIPES[recipe].title))
    if takes == "pairs":
        datasets.pairs_of(datasets.read_manifest(set_folder))
    if not found:
        if one := only_folder(set_folder):
            raise Refused(refuse("one-label", one))
        raise Refused(refuse("labels-needed", recipe, recipe=RECIPES[recipe].title))
    for name, count in found.items():
        if count < LEAST_OF_LABEL:
            raise Refused(refuse("label-too-few", name))
    return True


def warning(found: Mapping[str, int]) -> str:
    """Which labels have too few pictures to be learnt well, in a sentence; "" where all have enough."""
    few = [(name, count) for name, count in found.items() if count < FEW_OF_LABEL]
    if not few:
        return ""
    said = ", ".join(f"{printable(name, 24)} ({count})" for name, count in few[:MOST_NAMED])
    more = f" and {len(few) - MOST_NAMED} more" if len(few) > MOST_NAMED else ""
    return (
        f"Few pictures: {said}{more}. With fewer than {FEW_OF_LABEL} a label comes out much like the others."
    )


def like(found: Sequence[int], number: int, first: int = 0) -> list[int]:
    """`number` labels, as frequent as `found` counts them, in every stretch about evenly: for samples to be scored.

    The i-th is the one in whose share of 0 to 1 the i-th multiple of the golden ratio falls. `first` goes on.
    """
    ends, total = [], 0
    for count in found:
        total += count
        ends.append(total)
    places = (((first + i + 0.5) * GOLDEN % 1) * total for i in range(number))
    return [next((label for label, end in enumerate(ends) if place < end), len(ends) - 1) for place in places]


def of_tiles(num_labels: int, tiles: int, columns: int) -> list[int] | None:
    """The label of each tile of a training's grid: one a row, spread over all; None for a run without labels."""
    if not num_labels:
        return None
    rows = -(-tiles // columns)
    if num_labels <= rows:
        shown = [row * num_labels // rows for row in range(rows)]
    else:
        shown = [row * (num_labels - 1) // max(1, rows - 1) for row in range(rows)]
    return [shown[tile // columns] for tile in range(tiles)]

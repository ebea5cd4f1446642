"""What the run of a translator shows of itself, and what it is scored by: what it makes of pictures of its set.

It is shown and scored on pictures that it never learnt from, where enough are held back. What it is compared with are
the targets: the pictures that a preset made its pairs of, the second of two folders.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor, nn

    from gan_play.pictures.datasets import ImageSet
    from gan_play.runs.worker import Scored
    from gan_play.trainers.loop import Training
    from gan_play.trainers.recipes import Settings

COLUMNS = 6
STRIPES = 2  # of rows: source, result, and what it was, or what is made of the result on the way back
SCORED_PICTURES = 300
AT_ONCE = 12
LEAST_TO_SCORE = 16  # pictures on a side: beside fewer a KID says nothing


class Sides(NamedTuple):
    """Pictures as sources (N, C, S, S) in [-1, 1] and, where they have them, their targets (N, S, S, 3) uint8."""

    source: Tensor
    target: np.ndarray | None


def is_translator(settings: Settings) -> bool:
    """Whether a training is of a recipe that translates."""
    from gan_play.trainers.recipes import RECIPES

    return RECIPES[settings.recipe].task == "translate"


def evenly(count: int, most: int) -> np.ndarray:
    """At most so many of `count` places, spread evenly."""
    return np.linspace(0, count - 1, min(most, count)).round().astype(int)


def places_of(settings: Settings, pictures: ImageSet) -> tuple[np.ndarray, np.ndarray]:
    """The places of sources and of targets in a set; of a preset these are the same."""
    if settings.preset:
        every = np.arange(len(pictures.names))
        return every, every
    first, second = ((pictures.labels == label).nonzero()[0] for label in (0, 1))
    return (second, first) if settings.dials.get("back") else (first, second)


def sides_of(settings: Settings, pictures: ImageSet, most: int, drawn: bool = False) -> Sides:
    """At most so many pictures of a set as a translator gets them, with what should become of them.

    A preset makes its plain source of each; where they are `drawn`, one of those that it learns from, always the same.
    """
    import torch

    from gan_play.pictures import images
    from gan_play.trainers import pairs
    from gan_play.trainers.recipes import RECIPES

    sources, targets = places_of(settings, pictures)
    some = evenly(len(sources), most)
    pixels = images.to_tensor(pictures.pixels[sources[some]])
    if settings.preset:
        make = pairs.make if drawn else lambda preset, x, _random: pairs.source_of(preset, x)
        source = make(settings.preset, pixels, torch.Generator().manual_seed(0))
        return Sides(source, pictures.pixels[sources[some]])
    if RECIPES[settings.recipe].takes == "pairs":
        return Sides(pixels, pictures.pixels[targets[some]])
    return Sides(pixels, None)


def seen(source: Tensor) -> np.ndarray:
    """Sources (N, C, S, S) as one looks at them: (N, S, S, 3) uint8."""
    from gan_play.pictures import images

    return images.to_pixels(source[:, :3])


def results(average: nn.Module, source: Tensor, way: str = "") -> Iterator[Tensor]:
    """What an averaged translator makes of sources, a few at a time: (B, 3, S, S). `way`: by which of its parts."""
    import torch

    network = getattr(average, way) if way else average
    device = next(network.parameters()).device
    at_once = max(1, min(AT_ONCE, AT_ONCE * 128 * 128 // source.shape[-1] ** 2))
    for i in range(0, len(source), at_once):
        with torch.inference_mode():
            made = network(source[i : i + at_once].to(device)).float()
        yield made


def shown(settings: Settings, pictures: ImageSet) -> Sides:
    """The fixed pictures of the grids: held-back ones where there are enough for a row."""
    unseen = pictures.unseen
    enough = len(unseen.names) and len(places_of(settings, unseen)[0]) >= COLUMNS
    return sides_of(settings, unseen if enough else pictures.learnt, STRIPES * COLUMNS)


def tiles(average: nn.Module, sides: Sides) -> np.ndarray:
    """The tiles of a grid, row by row: sources, results, and targets or the way back: (N, S, S, 3) uint8."""
    import torch

    from gan_play.pictures import images

    made = torch.cat([*results(average, sides.source)])
    rows = [seen(sides.source), images.to_pixels(made)]
    if sides.target is not None:
        rows.append(sides.target)
    elif hasattr(average, "back"):
        rows.append(images.to_pixels(torch.cat([*results(average, made, "back")])))
    stripes = [row[i : i + COLUMNS] for i in range(0, len(made), COLUMNS) for row in rows]
    short = COLUMNS - len(stripes[-1])
    if short and len(stripes) > len(rows):  # a last stripe that isn't full would shift the rows
        stripes = stripes[: -len(rows)]
    return np.concatenate(stripes)


def rows_of(average: nn.Module, settings: Settings) -> list[str]:
    """What stands in the rows of a translator's grids, in turn."""
    from gan_play.trainers.recipes import RECIPES

    rows = ["source", "result"]
    if RECIPES[settings.recipe].takes == "pairs":
        rows.append("target")
    elif hasattr(average, "back"):
        rows.append("back")
    return rows


def preview(
    set_folder: Path,
    preset: str,
    how: str = "crop",
    background: tuple[int, int, int] | None = None,
    size_px: int = 128,
    count: int = 3,
    draws: int = 2,
) -> list[list[np.ndarray]]:
    """Some pairs of a set before anything is trained: rows of (S, S, 3) uint8, sources first and the target last.

    A preset draws its sources anew each time, so `draws` of them are shown. Refused where real pairs don't match.
    """
    import torch

    from gan_play.pictures import datasets, images
    from gan_play.trainers import pairs

    manifest = datasets.read_manifest(set_folder)
    if not preset:
        if len(manifest["label_names"]) != 2:
            return []
        found = datasets.pairs_of(manifest)
        some = [found[i] for i in evenly(len(found), count)]
        return [
            [datasets.preview_fit(set_folder, place, size_px, how, background)[0] for place in pair]
            for pair in some
        ]
    places = evenly(len(manifest["pictures"]), count)
    squares = [datasets.preview_fit(set_folder, int(i), size_px, how, background)[0] for i in places]
    pixels = images.to_tensor(np.stack(squares))
    drawn = [seen(pairs.make(preset, pixels, torch.Generator().manual_seed(draw))) for draw in range(draws)]
    return [[*(sources[i] for sources in drawn), target] for i, target in enumerate(squares)]


def scoring(training: Training, pictures: ImageSet, keep: Callable[[], Path]) -> Iterator[Scored | None]:
    """As `worker.scoring`: KID and variety of what is made of sources, beside targets.

    Copies aren't looked for: what is made of a picture may well look like it.
    """
    from gan_play.measure.features import features
    from gan_play.measure.scores import kid_interval
    from gan_play.pictures import images
    from gan_play.runs.checkup import Findings
    from gan_play.runs.worker import Scored
    from gan_play.trainers import health

    settings = training.settings
    beside = pictures.compared
    if min(map(len, places_of(settings, beside))) < LEAST_TO_SCORE:
        beside = pictures
    sources = sides_of(settings, beside, SCORED_PICTURES, drawn=True).source
    yield None
    places = places_of(settings, beside)[1]
    real_pixels = beside.pixels[places[evenly(len(places), SCORED_PICTURES)]]
    real = []
    for i in range(0, len(real_pixels), AT_ONCE):
        real.append(features(real_pixels[i : i + AT_ONCE]))
        yield None
    while True:
        path, average, fake, fake_pixels = keep(), copy.deepcopy(training.average), [], []
        for made in results(average, sources):
            fake_pixels.append(images.to_pixels(made))
            fake.append(features(fake_pixels[-1]))
            yield None
        low, middle, high = kid_interval(np.concatenate(real), np.concatenate(fake))
        coloured = health.variety(health.colours(real_pixels), health.colours(np.concatenate(fake_pixels)))
        variety = health.in_both(health.variety(np.concatenate(real), np.concatenate(fake)), coloured)
        yield Scored(path, middle, Findings(variety, health.Leak(0.0, 0.0, 0.0), None), (low, high))

"""The last look at a run that is compared with others: its final paintings, scored alike for all of a bake-off.

Done by the run's own worker when its minutes are over, in pieces, so that it can be asked to end; what was found is
`final.json` in the run folder. Paintings are of seeds that no grid shows and no score before has seen.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from gan_play import files
from gan_play.runs import checkup, labels, store

if TYPE_CHECKING:
    from gan_play.pictures.datasets import ImageSet
    from gan_play.trainers.loop import Training

FILE = "final.json"
PICTURES = 500  # paintings, and at most as many reals: as `evaluate` takes
AT_ONCE = 12
SEEDS_FROM = 2_000_000
MOST_INDEXED = 2_000  # pictures whose index is made here, if it isn't there: two minutes on two cores


def final(folder: Path) -> dict | None:
    """What the last look found, or None where there was none or the file is damaged.

    `step`, `seconds` (of training), `kid` with `kid_low` and `kid_high` (95 times in 100), `copy_rate` and `copy`, a
    sentence, both None where the set is too large to be searched.
    """
    noted = files.read_json(folder / FILE)
    if not isinstance(noted, dict):
        return None
    numbers = [noted.get(name) for name in ("step", "seconds", "kid", "kid_low", "kid_high")]
    if not all(isinstance(n, int | float) and not isinstance(n, bool) and math.isfinite(n) for n in numbers):
        return None
    rate, sentence = noted.get("copy_rate"), noted.get("copy")
    whole = isinstance(rate, int | float) and isinstance(sentence, str)
    return noted if whole else noted | {"copy_rate": None, "copy": None}


def judging(
    folder: Path, training: Training, pictures: ImageSet, seconds: float, index_of: Iterable[Path] = ()
) -> Iterator[None]:
    """Scores the averaged generator as it is and writes `final.json`: None after each piece of work.

    `index_of`: folders of runs on the same pictures, whose index for the search of copies is taken if it is there.
    """
    from gan_play.measure import originality
    from gan_play.measure.features import features
    from gan_play.measure.scores import kid_interval

    beside, learnt, real, fake, small = pictures.compared.pixels, pictures.learnt.pixels, [], [], []
    some = np.linspace(0, len(beside) - 1, min(PICTURES, len(beside))).round().astype(int)
    for start in range(0, len(some), AT_ONCE):
        real.append(features(beside[some[start : start + AT_ONCE]]))
        yield None
    for painted in paintings(training, pictures.compared.labels):
        fake.append(features(painted))
        small.append(originality.small(painted))
        yield None
    low, kid, high = kid_interval(np.concatenate(real), np.concatenate(fake))
    found = {"step": training.step, "seconds": round(seconds, 2), "network": "lite2"}
    found |= {"kid": kid, "kid_low": low, "kid_high": high, "paintings": PICTURES, "reals": len(some)}
    found |= {"copy_rate": None, "copy": None}
    yield None
    kept = folder / "set" / checkup.INDEX_FILE
    for there in (source / "set" / checkup.INDEX_FILE for source in index_of):
        if there.is_file() and not kept.exists():
            with contextlib.suppress(OSError):
                store.link(there, kept)
    index = originality.load(kept, pictures.digest, len(learnt))
    if index is None and len(learnt) <= MOST_INDEXED:
        for found_index in checkup.indexing(learnt, pictures.digest, pictures.unseen.pixels):
            index = found_index
            yield None
        originality.save(index, kept)
    if index is not None:
        compared, distances = np.concatenate(small)[: checkup.COMPARED], []
        for start in range(0, len(compared), checkup.TILES_AT_ONCE):
            distances.append(
                originality.nearest(index, compared[start : start + checkup.TILES_AT_ONCE], 1)[1]
            )
            yield None
        verdict = originality.verdict(index, np.concatenate(distances))
        found |= {"copy_rate": verdict.rate, "copy": verdict.sentence}
    files.write_json(folder / FILE, found)


def paintings(training: Training, beside: np.ndarray) -> Iterator[np.ndarray]:
    """`PICTURES` paintings of the averaged generator, a few at a time: (B, S, S, 3) uint8.

    Of a recipe that learns labels, each label as often as among `beside` (N,).
    """
    import torch

    from gan_play.models.seeds import noise_of, z_of
    from gan_play.pictures import images

    average, device, kinds = training.average, training.settings.device, None
    if num_labels := training.settings.num_labels:
        counts = np.bincount(beside, minlength=num_labels).tolist()
        kinds = torch.tensor(labels.like(counts, PICTURES))
    for start in range(0, PICTURES, AT_ONCE):
        seeds = range(SEEDS_FROM + start, SEEDS_FROM + min(PICTURES, start + AT_ONCE))
        with torch.inference_mode():
            noise = [level.to(device) for level in noise_of(average, seeds)]
            label = None if kinds is None else kinds[start : start + AT_ONCE].to(device)
            ws = average.mapping(z_of(seeds, average.z_dim).to(device), label)
            pixels = images.to_pixels(average.synthesis(ws, noise or None))
        yield pixels

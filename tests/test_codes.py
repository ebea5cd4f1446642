"""Links that prove themselves: codes of every kind of operation, rendered again by a process of their own."""

import dataclasses
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import playground
import pytest
import torch

from gan_play.latent import breed, directions, found, sample
from gan_play.measure.attributes import ATTRIBUTES
from gan_play.refusals import Refused
from gan_play.share import artwork as artworks
from gan_play.share.artwork import Artwork, bred, encode
from gan_play.share.translation_code import Translation
from gan_play.translate import inputs, translator
from gan_play.translate.translator import Dials

FILMS_AT_MOST = 12  # each has four frames; the pictures are quicker
ROOT = Path(__file__).resolve().parent.parent

RENDER = """
import json, sys
from pathlib import Path
from gan_play.share import artwork
home, codes = Path(sys.argv[1]), json.load(sys.stdin)
made = [artwork.render(home, artwork.decode(code)) for code in codes]
print(json.dumps([[done.sha256, done.sentence] for done in made]))
"""


def translation(home: Path, place: int) -> Artwork:
    """A translated picture; another one for each place, every second a repair."""
    pixels = np.random.default_rng(place).integers(0, 256, (32, 40, 3), dtype=np.uint8)
    made = Translation(inputs.keep(home, pixels), Dials(1 + place % 3 / 10, drawn=bool(place % 3)))
    if place % 2:
        mask = np.zeros_like(pixels)
        mask[8:20, 10:30] = 255
        made = made._replace(mask=inputs.keep(home, mask))
    model = translator.load(home, f"toy-{'repair' if place % 2 else 'sketch'}")
    return Artwork("translate", model.digest[:16], (), translation=made)


def some(home: Path, operation: str, place: int, plain, labelled) -> Artwork:
    """An artwork of this operation; another one for each place."""
    rng = np.random.default_rng([place, artworks.OPERATIONS.index(operation)])
    model = labelled if operation.startswith("label_") else plain
    seeds = tuple(int(seed) for seed in rng.choice(10**9, 3, replace=False))
    first = (model.digest[:16], seeds[:1], round(float(rng.uniform(0, 1.5)), 3))
    walk = {"seconds": 1, "fps": 4, "how": "wz"[place % 2], "easing": artworks.EASING_NAMES[place % 4]}
    walk |= {"loop": place % 3 == 0}
    several = (model.digest[:16], seeds[:2], first[2])
    weights = tuple(round(float(weight), 3) for weight in rng.uniform(0, 1, 3))
    if operation == "sample" and place % 4 == 1:  # a point of an artist's own picture stands for a seed
        with sample.canonical():
            axes = found.axes_of(plain)
        levels = rng.integers(-40, 41, (axes.rows, len(axes.axes)))
        return Artwork(
            "sample", first[0], (found.write(model, torch.from_numpy(levels).to(torch.int8), 7),), first[2]
        )
    if operation == "sample":
        return Artwork("sample", *first)
    if operation in ("mix", "label_mix"):
        return Artwork(operation, *several, weights=weights, labels=(0, 1) if model is labelled else ())
    if operation == "mix_grid":
        return Artwork("mix_grid", *several, columns=seeds[1:], band=artworks.BAND_NAMES[place % 3])
    if operation == "label_grid":
        return Artwork("label_grid", *several, labels=(1, 0))
    if operation in ("walk", "label_walk"):
        return Artwork(operation, *several, **walk, labels=(1, 0) if model is labelled else ())
    genome = breed.genome_of(seeds[0])
    for seed in seeds[1:]:
        genome = breed.mutate(genome, seed, 0.4)
    if operation == "breed":
        return bred(genome, model.digest[:16], first[2])
    if operation == "steer":
        names = rng.choice(list(ATTRIBUTES), 2, replace=False)
        if place % 3 == 0:
            names = directions.offered(plain)[:2]
        return bred(genome, model.digest[:16], first[2], tuple((str(name), 0.5) for name in names))
    if operation == "translate":
        return translation(home, place)
    if operation == "film":
        from gan_play.share import films

        keys = f"{seeds[0]}:0.5s,{seeds[1]}:0.5s"
        return films.film(model, keys, truncation=first[2], fps=4, loop=False)
    return pytest.fail(f"no example of the operation {operation}")


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "count", [14, pytest.param(200, marks=pytest.mark.slow)]
)  # three minutes beside other work
def test_codes_of_every_operation_give_identical_digests_in_a_fresh_process(tmp_path, count):
    playground.run_in(tmp_path)
    playground.run_in(tmp_path, run_id="toy-000001", seed=1, num_labels=2)
    for preset in ("sketch", "repair"):
        playground.translator_in(tmp_path, preset, f"toy-{preset}")
    plain, labelled = sample.load(tmp_path, playground.RUN), sample.load(tmp_path, "toy-000001")
    films = [name for name in artworks.OPERATIONS if name in ("walk", "label_walk", "film")]
    stills = [name for name in artworks.OPERATIONS if name not in films]
    moving = max(len(films), FILMS_AT_MOST * count // 200)
    names = [films[place % len(films)] for place in range(moving)]
    names += [stills[place % len(stills)] for place in range(count - moving)]
    codes, digests = [], []
    for place, name in enumerate(names):
        work = some(tmp_path, name, place, plain, labelled)
        assert work.operation == name
        done = artworks.render(tmp_path, work)
        codes.append(done.code)
        digests.append(done.sha256)
        if done.film:  # so that the other process has to make it again
            done.film.unlink()
    assert len(set(codes)) == count and set(Counter(names)) == set(artworks.OPERATIONS)
    child = subprocess.run(
        [sys.executable, "-c", RENDER, str(tmp_path)],
        input=json.dumps(codes),
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert child.returncode == 0, child.stderr[-2000:]
    found = json.loads(child.stdout)
    assert [sha256 for sha256, _ in found] == digests
    assert all(sentence.startswith("Identical") for _, sentence in found)


def test_a_checkpoint_changed_by_one_byte_is_refused_and_so_is_its_link(tmp_path):
    playground.run_in(tmp_path)
    code = encode(Artwork("sample", sample.load(tmp_path, playground.RUN).digest, (7,)))
    artworks.render(tmp_path, artworks.decode(code))
    (path,) = (tmp_path / playground.RUN).glob("*.safetensors")
    data = bytearray(path.read_bytes())
    data[-100] ^= 1
    path.write_bytes(data)
    sample._held.clear()
    with pytest.raises(Refused) as refused:
        artworks.render(tmp_path, artworks.decode(code))
    assert refused.value.refusal.reason == "checkpoint-damaged", refused.value.refusal.sentence


def test_a_seal_that_was_changed_is_told(tmp_path):
    playground.run_in(tmp_path)
    work = Artwork("sample", sample.load(tmp_path, playground.RUN).digest, (7,))
    seal = artworks.render(tmp_path, work).code
    other = dataclasses.replace(artworks.decode(seal), seal="0" * 70)
    assert artworks.render(tmp_path, other).sentence.startswith("Not the same picture")

"""The report: counts, duplicates, sizes and the verdict."""

import json

import numpy as np
import pytest

from gan_play import limits
from gan_play.pictures import datasets, doctor, examples, images, likeness
from gan_play.refusals import refuse
from gan_play.ui import doctor_view


def variants(seed: int) -> list[np.ndarray]:
    """A picture and what happens to pictures on their way through the world."""
    pixels = examples.draw("rosettes", seed, 128)
    return [
        pixels,
        images.resize(pixels, 90),
        images.read_kept(images.encode(pixels, "jpeg", quality=30)),
        (pixels * 0.9).astype(np.uint8),
        images.resize(pixels[1:-1, 1:-1], 128),
    ]


def test_copies_are_found_whatever_happened_to_them():
    prints = [likeness.fingerprint(pixels) for seed in range(6) for pixels in variants(seed)]
    assert all(len(one) == likeness.FINGERPRINT_BYTES for one in prints)
    groups = likeness.near_duplicates(prints)
    assert groups == [list(range(5 * seed, 5 * seed + 5)) for seed in range(6)]


@pytest.mark.parametrize("name", examples.EXAMPLES)
def test_pictures_of_one_kind_are_no_copies_of_each_other(name):
    prints = [likeness.fingerprint(examples.draw(name, seed, 64)) for seed in range(60)]
    assert likeness.near_duplicates(prints) == []


def test_plain_pictures_are_the_same_only_in_the_same_colour():
    plain = [np.full((40, 40, 3), color, np.uint8) for color in ((9, 9, 9), (200, 30, 30), (12, 9, 9))]
    assert likeness.near_duplicates([likeness.fingerprint(p) for p in plain]) == [[0, 2]]
    assert likeness.near_duplicates([]) == likeness.near_duplicates([bytes(200)]) == []


def test_near_copies_are_found_among_thousands():
    randomly = np.random.default_rng(1)
    prints = [randomly.bytes(200) for _ in range(3000)]
    near = bytearray(prints[7])
    for at in (0, 2, 5, 7):  # four of 63 bits
        near[at] ^= 16
    prints.append(bytes(near))
    assert likeness.near_duplicates(prints) == [[7, 3000]]


def test_the_report_tells_all_and_is_json(tmp_path):
    first = examples.draw("fields", 0, 64)
    pictures = [
        first,
        first,
        images.read_kept(images.encode(first, "jpeg", quality=60)),
        examples.draw("fields", 2, 64),
    ]
    wide = images.resize(examples.draw("fields", 3, 64), (80, 40))
    with datasets.NewSet(tmp_path) as new:
        for i, pixels in enumerate(pictures):
            new.add(f"red/{i}.png", datasets.keep(images.Decoded(pixels, 64, 64, i == 3)))
        new.add("blue/w.png", datasets.keep(images.Decoded(wide, 80, 40, False)))
        set_id, folder = new.finish([refuse("empty", "a.jpg"), refuse("empty", "b.jpg")], images.WHITE)
    report = doctor.report(folder)
    assert report == json.loads(json.dumps(report))
    assert report["set_id"] == set_id and report["accepted"] == 5
    assert [entry["file"] for entry in report["refused"]] == ["a.jpg", "b.jpg"]
    assert report["refused_counts"] == {"empty": 2}
    assert report["exact_duplicates"] == [["red/0.png", "red/1.png"]]
    assert report["near_duplicates"] == [["red/0.png", "red/1.png", "red/2.png"]]
    assert report["duplicates"] == [{"exact": False, "keep": "red/0.png", "drop": ["red/1.png", "red/2.png"]}]
    assert report["sizes"] == {"smallest": [80, 40], "median": [64, 64], "largest": [64, 64]}
    assert report["labels"] == {"blue": 1, "red": 4}
    assert report["non_square"] == 1 and report["animated"] == 1
    assert "too few" in report["verdict"]


def test_exact_copies_are_not_told_twice(tmp_path):
    with datasets.NewSet(tmp_path) as new:
        for name in ("a.png", "b.png", "c.png"):
            new.add(name, datasets.keep(images.Decoded(examples.draw("fields", 0, 64), 64, 64, False)))
        _, folder = new.finish([], images.WHITE)
    report = doctor.report(folder)
    assert report["exact_duplicates"] == [["a.png", "b.png", "c.png"]] and report["near_duplicates"] == []


@pytest.mark.parametrize(
    "count, says",
    [
        (1, "1 picture: too few to train on; a set needs at least 8"),
        (limits.LEAST_PICTURES - 1, "too few"),
        (limits.LEAST_PICTURES, "start from the starter"),
        (40, "enough to fine-tune the starter"),
        (173, "173 pictures: good for the projected recipe; expect near-copies past about 40 minutes."),
        (1605, "1,605 pictures: good for the projected recipe, for an hour"),
        (7476, "7,476 pictures: plenty"),
    ],
)
def test_the_verdict_depends_on_how_many_there_are(count, says):
    assert says in doctor.verdict(count)
    assert len(doctor.verdict(count)) <= limits.MOST_SENTENCE_CHARS


def test_copies_do_not_count_in_the_verdict():
    assert doctor.verdict(100, copies=90).startswith(
        "100 pictures, 10 of them different: it will soon repeat"
    )


def test_of_each_group_the_largest_stays_and_groups_that_overlap_are_one():
    sizes = [(64, 64), (128, 64), (128, 64), (32, 32), (32, 32), (64, 64)]
    manifest = {
        "pictures": [{"name": str(i), "width": w, "height": h} for i, (w, h) in enumerate(sizes)],
        "exact_duplicates": [[1, 2], [3, 4]],
        "near_duplicates": [[0, 1, 2], [3, 4]],
    }
    assert doctor.groups(manifest) == [
        {"pictures": [0, 1, 2], "exact": False, "keep": 1},
        {"pictures": [3, 4], "exact": True, "keep": 3},
    ]
    assert doctor.repeated(manifest) == [0, 2, 4]
    assert doctor.groups({**manifest, "exact_duplicates": [], "near_duplicates": []}) == []


def test_of_a_large_group_the_one_that_stays_is_shown_and_the_others_are_counted():
    group = {"pictures": list(range(30)), "exact": False, "keep": 29}
    seen = doctor_view.seen_of(group)
    assert seen["pictures"] == [29, *range(23)] and seen["rest"] == 6
    assert doctor_view.seen_of({**group, "pictures": [3, 4], "keep": 3})["rest"] == 0

"""Pictures that translations were made from: kept by digest, the recent ones for a while, those of links for good."""

import os

import numpy as np
import pytest

from gan_play import limits
from gan_play.refusals import Refused
from gan_play.translate import inputs


def picture(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (20, 30, 3), dtype=np.uint8)


def test_a_picture_comes_back_by_its_digest_to_the_byte(tmp_path):
    digest = inputs.keep(tmp_path, picture(1))
    assert inputs.is_digest(digest) and inputs.keep(tmp_path, picture(1)) == digest
    assert (inputs.find(tmp_path, digest) == picture(1)).all()
    assert inputs.digest_of(picture(1).reshape(30, 20, 3)) != digest


def test_recent_pictures_make_room_and_pinned_ones_stay(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "MOST_RECENT_INPUTS", 3)
    digests = [inputs.keep(tmp_path, picture(seed)) for seed in range(3)]
    for age, digest in enumerate(digests):
        os.utime(tmp_path / "inputs" / "recent" / f"{digest}.png", (1000 + age, 1000 + age))
    inputs.pin(tmp_path, digests[0])
    inputs.pin(tmp_path, digests[0])
    for seed in range(3, 5):
        inputs.keep(tmp_path, picture(seed))
    assert (inputs.find(tmp_path, digests[0]) == picture(0)).all()
    with pytest.raises(Refused, match="isn't here"):
        inputs.find(tmp_path, digests[1])
    assert (inputs.find(tmp_path, digests[2]) == picture(2)).all()


@pytest.mark.parametrize("digest", ["0" * 32, "", "../../etc/passwd", "x" * 32, 5])
def test_what_is_not_here_is_refused(tmp_path, digest):
    with pytest.raises(Refused, match="isn't here"):
        inputs.find(tmp_path, str(digest))
    assert not inputs.is_digest(5)


def test_a_file_that_was_changed_is_not_taken_for_the_picture(tmp_path):
    digest, other = (inputs.keep(tmp_path, picture(seed)) for seed in (1, 2))
    folder = tmp_path / "inputs" / "recent"
    (folder / f"{digest}.png").write_bytes((folder / f"{other}.png").read_bytes())
    with pytest.raises(Refused, match="isn't here"):
        inputs.find(tmp_path, digest)
    (folder / f"{digest}.png").write_bytes(b"no picture")
    with pytest.raises(Refused, match="isn't here"):
        inputs.find(tmp_path, digest)


def test_no_more_is_kept_for_good_than_there_is_room_for(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "MOST_INPUTS", 1)
    first, second = (inputs.keep(tmp_path, picture(seed)) for seed in (1, 2))
    inputs.pin(tmp_path, first)
    with pytest.raises(Refused, match="as many as there is room for"):
        inputs.pin(tmp_path, second)
    with pytest.raises(Refused, match="isn't here"):
        inputs.pin(tmp_path, "0" * 32)

"""A state is saved whole or not at all, and nothing is used that was not verified."""

import json
import os
import random
import struct
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, strategies
from hypothesis import settings as examples_of

from gan_play import files
from gan_play.refusals import Refused
from gan_play.runs import checkpoints
from gan_play.trainers import loop
from tests import toys


@pytest.fixture(scope="module")
def training() -> loop.Training:
    torch.set_num_threads(1)
    return loop.begin(toys.settings())


def save(folder: Path, training: loop.Training, step: int, **more: object) -> Path:
    tensors = training.tensors() | {"step": torch.tensor(step)}
    header = checkpoints.make_header(training.settings, "ab" * 32, step)
    return checkpoints.save(folder, step, tensors, header, **more)


def test_a_saved_state_comes_back_to_the_last_bit(tmp_path, training):
    path = save(tmp_path, training, 7)
    state = checkpoints.load_newest(tmp_path, training.settings)
    assert (state.step, state.file, state.sentence) == (7, path, None)
    expected = training.tensors() | {"step": torch.tensor(7)}
    assert state.tensors.keys() == expected.keys()
    for name, tensor in expected.items():
        assert state.tensors[name].dtype == tensor.dtype
        assert torch.equal(state.tensors[name], tensor), name


def test_latest_json_names_the_newest_file_and_its_sha256(tmp_path, training):
    save(tmp_path, training, 7)
    path = save(tmp_path, training, 12_000)
    latest = json.loads((tmp_path / "latest.json").read_text())
    assert latest == {"file": "state-00012000.safetensors", "sha256": files.sha256(path), "step": 12_000}


def test_the_last_three_the_best_and_the_spared_are_kept(tmp_path, training):
    for step in range(1, 9):
        path = save(tmp_path, training, step, keep=["state-00000003.safetensors"])
        if step == 2:
            checkpoints.mark_best(tmp_path, path, 0.5)
    kept = [int(path.stem[6:]) for path in checkpoints.states(tmp_path)]
    assert kept == [8, 7, 6, 3, 2]
    assert checkpoints.best(tmp_path).name == "state-00000002.safetensors"


def test_what_is_not_finite_is_never_saved(tmp_path, training):
    save(tmp_path, training, 1)
    for value in (float("nan"), float("inf"), -float("inf")):
        broken = training.tensors() | {"average.first.weight": torch.full((100, 16, 4, 4), value)}
        with pytest.raises(Refused) as refused:
            checkpoints.save(tmp_path, 2, broken, checkpoints.make_header(training.settings, "", 2))
        assert refused.value.refusal.reason == "not-finite"
    assert [path.name for path in checkpoints.states(tmp_path)] == ["state-00000001.safetensors"]
    assert checkpoints.load_newest(tmp_path, training.settings).step == 1


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["flipped", "cut", "emptied"])
def test_every_damage_to_the_newest_state_is_found_and_the_one_before_is_taken(tmp_path, training, kind):
    save(tmp_path, training, 1)
    newest = save(tmp_path, training, 2)
    good = newest.read_bytes()
    choice = random.Random(kind)
    header_end = 8 + struct.unpack("<Q", good[:8])[0]
    for i in range({"flipped": 200, "cut": 200, "emptied": 1}[kind]):
        damaged = bytearray(good)
        if kind == "flipped":  # half of them in the header, where a byte means most
            place = choice.randrange(header_end if i % 2 else len(good))
            damaged[place] ^= 1 << choice.randrange(8)
        newest.write_bytes(
            damaged[: 0 if kind == "emptied" else choice.randrange(len(good))]
            if kind != "flipped"
            else damaged
        )
        state = checkpoints.load_newest(tmp_path, training.settings)
        assert state.step == 1, i
        assert "damaged" in state.sentence and "step 1" in state.sentence
    newest.write_bytes(good)
    assert checkpoints.load_newest(tmp_path, training.settings).step == 2


def test_without_latest_json_a_state_is_verified_by_its_own_header(tmp_path, training):
    save(tmp_path, training, 1)
    newest = save(tmp_path, training, 2)
    (tmp_path / "latest.json").write_bytes(b"\0\0\0")
    assert checkpoints.load_newest(tmp_path, training.settings).step == 2
    data = bytearray(newest.read_bytes())
    data[-5] ^= 1  # one bit of one weight: only a digest can tell
    newest.write_bytes(data)
    assert checkpoints.load_newest(tmp_path, training.settings).step == 1


def test_no_whole_state_is_refused_in_a_sentence(tmp_path, training):
    (tmp_path / "state-00000001.safetensors").write_bytes(b"nothing")
    with pytest.raises(Refused) as refused:
        checkpoints.load_newest(tmp_path, training.settings)
    assert refused.value.refusal.reason == "no-checkpoint"


def test_going_on_with_other_threads_is_said_not_to_be_exact(tmp_path, training):
    save(tmp_path, training, 1)
    sentence = checkpoints.load_newest(tmp_path, toys.settings(threads=2)).sentence
    assert "not bit for bit" in sentence and "threads was 1 and is 2" in sentence


def test_a_state_of_other_networks_is_not_used(tmp_path, training):
    path = save(tmp_path, training, 1)
    with pytest.raises(Refused) as refused:
        checkpoints.load(path, toys.settings(width=8))
    assert refused.value.refusal.reason == "checkpoint-shapes"


def test_the_model_digest_depends_on_names_shapes_types_and_values_only():
    ones = {"b": torch.ones(2, 3), "a": torch.zeros(1, dtype=torch.int64)}
    digest = checkpoints.model_digest(ones)
    assert len(digest) == 64
    assert checkpoints.model_digest(dict(reversed(ones.items()))) == digest
    assert checkpoints.model_digest(ones | {"b": torch.ones(3, 2).t()}) == digest  # strides are no content
    assert checkpoints.model_digest(ones | {"b": torch.ones(3, 2)}) != digest
    assert checkpoints.model_digest(ones | {"b": torch.ones(2, 3, dtype=torch.float64)}) != digest
    assert checkpoints.model_digest({"c": ones["b"], "a": ones["a"]}) != digest
    nearly = torch.ones(2, 3)
    nearly[1, 2] += 1e-7
    assert checkpoints.model_digest(ones | {"b": nearly}) != digest


def test_the_generator_comes_out_of_a_state_and_of_a_kept_model_alike(tmp_path, training):
    path = save(tmp_path, training, 5)
    tensors, header = checkpoints.load_generator(path)
    assert tensors.keys() == training.average.state_dict().keys()
    kept = checkpoints.save_generator(tmp_path, tensors, header)
    assert kept.name == f"model-{checkpoints.model_digest(tensors)[:16]}.safetensors"
    again, header_again = checkpoints.load_generator(kept)
    assert all(torch.equal(again[name], tensor) for name, tensor in tensors.items())
    assert header_again["model_digest"] == header["model_digest"]
    assert header_again["step"] == "5"


def test_kept_models_outlive_the_pruning_of_states(tmp_path, training):
    path = save(tmp_path, training, 1)
    kept = checkpoints.save_generator(tmp_path, *checkpoints.load_generator(path))
    for step in range(2, 7):
        save(tmp_path, training, step)
    assert not path.exists() and kept.exists()


def test_a_changed_weight_in_a_model_is_found(tmp_path, training):
    kept = checkpoints.save_generator(tmp_path, *checkpoints.load_generator(save(tmp_path, training, 1)))
    data = bytearray(kept.read_bytes())
    data[-3] ^= 4
    kept.write_bytes(data)
    with pytest.raises(Refused) as refused:
        checkpoints.load_generator(kept)
    assert refused.value.refusal.reason == "checkpoint-damaged"


def test_a_starter_is_half_as_large_and_enough_to_start_from(tmp_path, training):
    header = checkpoints.make_header(training.settings, "", 9)
    path = checkpoints.save_starter(tmp_path, training.tensors(), header)
    tensors, _ = checkpoints.load_start(tmp_path)
    assert {name.split(".")[0] for name in tensors} == {"average", "discriminator"}
    assert all(tensor.dtype != torch.float16 for tensor in tensors.values())
    assert path.stat().st_size < save(tmp_path, training, 1).stat().st_size / 3
    loop.begin(training.settings, tensors)
    generator, about = checkpoints.load_generator(path)
    assert checkpoints.model_digest(generator) == about["model_digest"]


# Files that somebody made


def forged(header: object, tensors: dict, body: bytes = b"") -> bytes:
    table = json.dumps({"__metadata__": header, **tensors}).encode()
    return struct.pack("<Q", len(table)) + table + body


def good_header(training: loop.Training) -> dict[str, str]:
    plain = checkpoints.make_header(training.settings, "", 1)
    return plain | {"format": "gan-play/1", "kind": "model", "model_digest": "0" * 64, "digest": "0" * 64}


REFUSED_AS = {
    "checkpoint-foreign",
    "checkpoint-damaged",
    "checkpoint-shapes",
    "setting-missing",
    "setting-choice",
}


def test_forged_headers_are_refused_before_anything_is_allocated(tmp_path, training):
    good = good_header(training)
    giant = {"w": {"dtype": "F32", "shape": [10**6, 10**6], "data_offsets": [0, 4 * 10**12]}}
    bad = [
        forged(good, giant),
        forged(good, {"average.first.weight": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}}),
        forged(good, {"w": {"dtype": "F32", "shape": "no", "data_offsets": [0, 4]}}),
        forged(good, {"w": 3}),
        forged(good | {"more": "x"}, {}),
        forged({}, {}),
        forged(None, {}),
        forged(good | {"format": "gan-play/2"}, {}),
        forged(good | {"settings": "[" * 7000}, {}),
        forged(good | {"settings": json.dumps({"recipe": "dcgan", "size_px": 10**9})}, {}),
        forged(good | {"settings": "{}"}, {}),
        forged(good | {"recipe": "<script>\n"}, {}),
        forged(good | {"step": "-1"}, {}),
        forged(good | {"step": "９"}, {}),
        forged(good | {"torch": "x" * 9000}, {}),
        forged(good | {"step": 1}, {}),
        b"",
        b"\xff" * 8,
        struct.pack("<Q", 2**62) + b"{}",
        struct.pack("<Q", 2) + b"[]",
        b"\x80\x02ctorch\n_utils\n.",  # the beginning of a pickle
        b"PK\x03\x04 a ZIP, as torch.save makes",
    ]
    for i, data in enumerate(bad):
        path = tmp_path / f"state-{i:08d}.safetensors"
        path.write_bytes(data)
        for read in (checkpoints.load, checkpoints.load_generator):
            with pytest.raises(Refused) as refused:
                read(path)
            assert refused.value.refusal.reason in REFUSED_AS
            assert len(refused.value.refusal.sentence) <= 160
    with pytest.raises(Refused):
        checkpoints.load_newest(tmp_path, training.settings)


def test_a_header_that_claims_too_much_is_not_read(tmp_path):
    path = tmp_path / "state-00000001.safetensors"
    with path.open("wb") as file:  # sparse: 3 GB that take no room
        file.write(struct.pack("<Q", checkpoints.MOST_HEADER_BYTES + 1))
        file.truncate(3_000_000_000)
    with pytest.raises(Refused):
        checkpoints.read_header(path)


def test_trailing_bytes_are_not_taken_into_memory(tmp_path, training):
    path = save(tmp_path, training, 1)
    os.truncate(path, 3_000_000_000)
    with pytest.raises(Refused):
        checkpoints.load(path)


@examples_of(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    changes=strategies.dictionaries(
        strategies.sampled_from(sorted(checkpoints.KEYS)) | strategies.text(max_size=8),
        strategies.text(max_size=80) | strategies.none() | strategies.integers(),
        min_size=1,
    ),
    tensors=strategies.dictionaries(strategies.text(max_size=20), strategies.integers() | strategies.text()),
)
def test_whatever_a_header_says_it_is_refused_and_raises_nothing_else(tmp_path, training, changes, tensors):
    path = tmp_path / "state-00000001.safetensors"
    path.write_bytes(forged(good_header(training) | changes, tensors))
    with pytest.raises(Refused):
        checkpoints.load(path)

import hashlib
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import playground
import playing
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gan_play.latent import sample
from gan_play.latent.mix import mix, mix_grid
from gan_play.latent.walk import walk
from gan_play.models import seeds
from gan_play.refusals import Refused
from gan_play.runs import store

MODEL = playing.model()
CLASSIC = playing.model("dcgan")


def digest(pixels):
    return hashlib.sha256(np.ascontiguousarray(pixels).tobytes()).hexdigest()


def all_operations(model):
    """A digest of what each operation makes: run here, in threads, and in other processes."""
    frames = walk(model, [1, 5, 9], seconds=0.5, fps=12)
    return {
        "sample": digest(sample.sample(model, [0, 7, 2**40])),
        "mix": digest(mix(model, 1, 2, (0.0, 0.5, 1.0))),
        "mix_grid": digest(mix_grid(model, [1, 2], [3, 4, 5], "middle")),
        "walk": digest(np.stack(list(frames))),
        "walk z": digest(np.stack(list(walk(model, [1, 5], seconds=0.5, fps=12, how="z")))),
    }


def test_the_same_seed_gives_the_same_picture_and_another_seed_another():
    first, again, other = sample.sample(MODEL, [3, 3, 4])
    assert np.array_equal(first, again)
    assert np.abs(first.astype(int) - other).mean() > 5
    assert first.shape == (32, 32, 3) and first.dtype == np.uint8


def test_neighbours_in_a_grid_do_not_change_a_picture():
    grid = sample.sample(MODEL, range(12))
    for seed in (0, 5, 11):
        assert np.array_equal(grid[seed], sample.sample_one(MODEL, seed))


def test_the_noise_of_a_seed_is_part_of_its_picture():
    ws = sample.styles_of(MODEL, 3, 0.7)
    with sample.canonical():
        bare = sample.picture_of(MODEL, ws, [])
    assert not np.array_equal(bare, sample.sample_one(MODEL, 3))


@pytest.mark.parametrize(
    "surroundings",
    [
        pytest.param("1 thread", marks=pytest.mark.slow),
        pytest.param("2 threads", marks=pytest.mark.slow),
        "crowded",
    ],
)
def test_a_fresh_process_makes_the_same_bytes_whatever_its_threads_and_precision(surroundings):
    program = """
import json, sys, threading, torch
import test_sample
surroundings = sys.argv[1]
if surroundings == "2 threads":
    torch.set_num_threads(2)
if surroundings == "crowded":
    torch.set_num_threads(3)
    torch.set_float32_matmul_precision("medium")
    torch.manual_seed(99)
    stop = threading.Event()
    def crowd():
        while not stop.is_set():
            torch.randn(64, 64) @ torch.randn(64, 64)
    threading.Thread(target=crowd).start()
with torch.autocast("cpu", enabled=surroundings == "crowded"):
    found = [test_sample.all_operations(model) for model in (test_sample.MODEL, test_sample.CLASSIC)]
if surroundings == "crowded":
    stop.set()
print(json.dumps(found))
"""
    tests = Path(__file__).parent
    where = os.pathsep.join([str(tests.parent), str(tests)])
    done = subprocess.run(
        [sys.executable, "-c", program, surroundings],
        env={**os.environ, "PYTHONPATH": where, "OMP_NUM_THREADS": "3" if surroundings == "crowded" else "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout) == [all_operations(MODEL), all_operations(CLASSIC)]


def test_threads_that_render_at_once_get_the_same_bytes_and_leave_torch_as_it_was():
    before, expected, found = torch.get_num_threads(), all_operations(MODEL), []
    threads = [threading.Thread(target=lambda: found.append(all_operations(MODEL))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 3
    assert torch.get_num_threads() == before


def test_several_render_at_the_same_time_each_on_one_thread(monkeypatch):
    monkeypatch.setattr(sample, "_places", threading.BoundedSemaphore(2))
    before, precision = torch.get_num_threads(), torch.get_float32_matmul_precision()
    both, found = threading.Barrier(2, timeout=60), []

    def paint(last: bool) -> None:
        with sample.canonical():
            both.wait()  # passes only if the other one is inside too
            with sample.canonical():
                found.append((torch.get_num_threads(), torch.get_float32_matmul_precision()))
            found.append((torch.get_num_threads(), torch.get_float32_matmul_precision()))
            if last:
                both.wait()
                found.append((torch.get_num_threads(), torch.get_float32_matmul_precision()))
        if not last:
            found.append((torch.get_num_threads(), precision))
            both.wait()  # the other one goes on alone

    first = threading.Thread(target=paint, args=(False,))
    first.start()
    paint(True)
    first.join()
    assert sorted(found) == sorted([(1, "highest")] * 5 + [(before, precision)])
    assert (torch.get_num_threads(), torch.get_float32_matmul_precision()) == (before, precision)


def test_every_picture_is_computed_on_one_thread_in_full_precision():
    seen = []
    handle = MODEL.generator.picture.register_forward_hook(
        lambda module, given, made: seen.append((torch.get_num_threads(), given[0].dtype, len(given[0])))
    )
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        all_operations(MODEL)
    finally:
        handle.remove()
        torch.set_num_threads(threads)
    assert set(seen) == {(1, torch.float32, 1)}


def test_rendering_leaves_threads_precision_and_random_numbers_as_they_were():
    torch.manual_seed(5)
    expected = torch.randn(3)
    torch.manual_seed(5)
    threads, precision = torch.get_num_threads(), torch.get_float32_matmul_precision()
    sample.sample_one(MODEL, 1)
    assert torch.equal(torch.randn(3), expected)
    assert (torch.get_num_threads(), torch.get_float32_matmul_precision()) == (threads, precision)
    assert torch.is_grad_enabled()


def test_truncation_zero_is_the_average_picture_and_one_the_network_s_own():
    a, b = sample.styles_of(MODEL, 1, 0.0), sample.styles_of(MODEL, 2, 0.0)
    assert torch.equal(a, b)
    own = MODEL.generator.mapping(seeds.z_of([1], MODEL.generator.z_dim))
    torch.testing.assert_close(sample.styles_of(MODEL, 1, 1.0), own)
    half = MODEL.generator.w_mean + 0.5 * (own - MODEL.generator.w_mean)
    torch.testing.assert_close(sample.styles_of(MODEL, 1, 0.5), half)


def test_latents_are_normal_and_noise_is_another_draw_than_z():
    z = seeds.z_of(range(400), 128)
    assert abs(z.mean()) < 0.02 and abs(z.std() - 1) < 0.02
    noise = seeds.noise_of(MODEL.generator, [0])
    assert [tuple(level.shape[1:]) for level in noise] == list(MODEL.generator.noise_shapes)
    flat = noise[0].flatten()
    assert not torch.equal(flat, z[0, : len(flat)])


def test_seeds_that_torch_alone_would_take_for_one_another_are_told_apart():
    alike = [1, 1 + 2**32, 1 + 2**33, 2**32 - 1, 2**63 - 1]
    drawn = seeds.z_of(alike, 64)
    assert len({digest(z.numpy()) for z in drawn}) == len(alike)
    assert torch.equal(drawn[0], torch.randn(64, generator=torch.Generator().manual_seed(1)))


@pytest.mark.parametrize(
    "seed", [-1, 2**63, 1.5, float("nan"), float("inf"), True, None, "", "x", "<b>1</b>", "1" * 99]
)
def test_what_is_no_seed_is_refused_in_a_sentence(seed):
    with pytest.raises(Refused) as refused:
        sample.sample(MODEL, [seed])
    assert refused.value.refusal.reason == "seed"
    assert len(refused.value.refusal.sentence) <= 160


@pytest.mark.parametrize("truncation", [-0.1, 2.1, float("nan"), float("inf"), "much", None, True, [1]])
def test_what_is_no_truncation_is_refused_in_a_sentence(truncation):
    with pytest.raises(Refused) as refused:
        sample.sample(MODEL, [1], truncation)
    assert refused.value.refusal.reason == "truncation"


def test_a_label_is_refused_by_a_model_without_labels():
    with pytest.raises(Refused, match="label"):
        sample.sample(MODEL, [1], label=0)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("7", [7]),
        ("1,5,9", [1, 5, 9]),
        ("0-3", [0, 1, 2, 3]),
        (" 3 7, 10-12; 5 ", [3, 7, 10, 11, 12, 5]),
        ("[1, 2]", [1, 2]),
        ("4..6", [4, 5, 6]),
        ("9223372036854775807", [2**63 - 1]),
    ],
)
def test_seeds_are_read_as_people_write_them(text, expected):
    assert sample.parse_seeds(text) == expected


@pytest.mark.parametrize(
    "text", ["", ",", "a", "-1", "5-1", "1-", "1.5", "0-99999999", "1,,x", "9" * 30, "1," * 9999, "٣"]
)
def test_what_is_no_list_of_seeds_is_refused_in_a_sentence(text):
    with pytest.raises(Refused) as refused:
        sample.parse_seeds(text)
    assert len(refused.value.refusal.sentence) <= 160


@playing.untimed
@given(st.text(max_size=60))
def test_any_text_is_a_list_of_seeds_or_refused(text):
    try:
        found = sample.parse_seeds(text)
    except Refused as refused:
        assert refused.refusal.sentence
    else:
        assert 1 <= len(found) <= 144 and all(0 <= seed < 2**63 for seed in found)


def test_a_model_in_hand_goes_by_the_name_that_its_run_has_by_now(tmp_path):
    playground.run_in(tmp_path)
    before = sample.load(tmp_path, playground.RUN)
    store.rename(tmp_path, playground.RUN, "Evening light")
    after = sample.load_digest(tmp_path, before.digest)
    assert (before.name, after.name, sample.load(tmp_path, playground.RUN).name) == (
        "Toy",
        "Evening light",
        "Evening light",
    )
    assert after.generator is before.generator

"""The pre-flight chooses from measured steps and says what it chose."""

import numpy as np
import pytest
import torch

from gan_play.refusals import Refused
from gan_play.trainers import loop, preflight
from gan_play.trainers.recipes import RECIPES, check_settings

PIXELS = np.random.default_rng(0).integers(0, 256, (10, 32, 32, 3), dtype=np.uint8)


def test_a_plan_holds_valid_settings_and_a_sentence_with_its_numbers():
    plan = preflight.plan("dcgan", 32, 1, PIXELS, device="cpu", seed=5, threads=1)
    assert check_settings(plan.settings.to_json()) == plan.settings
    assert (plan.settings.seed, plan.settings.threads, plan.settings.size_px) == (5, 1, 32)
    assert plan.forecast_images == int(plan.images_per_second * 60)
    assert plan.memory_bytes > 0 and plan.disk_bytes > 0
    assert f"{plan.forecast_images:,}" in plan.sentence


def test_a_start_keeps_its_width():
    theirs = check_settings({"recipe": "dcgan", "size_px": 32, "batch": 8, "width": 9, "seed": 0})
    state = loop.begin(theirs).tensors()
    settings = preflight.plan("dcgan", 32, 1, PIXELS, "cpu", (state, theirs), threads=1).settings
    assert settings.width == 9 and settings.started


def test_a_start_of_another_size_is_refused():
    theirs = check_settings({"recipe": "dcgan", "size_px": 64, "batch": 8, "width": 9, "seed": 0})
    with pytest.raises(Refused, match="64 px"):
        preflight.plan("dcgan", 32, 1, PIXELS, device="cpu", start=({}, theirs))


@pytest.mark.parametrize(
    "error",
    [torch.OutOfMemoryError("out of memory"), RuntimeError("DefaultCPUAllocator: not enough memory")],
)
def test_where_memory_is_short_a_smaller_batch_is_chosen(monkeypatch, error):
    row = RECIPES["dcgan"]

    def measure(settings, pixels, start=None, labels=None):
        if settings.batch > row.batches[1]:
            raise error
        return 100.0, 10**9

    monkeypatch.setattr(preflight, "measure", measure)
    assert preflight.plan("dcgan", 32, 1, PIXELS, device="cpu").settings.batch == row.batches[1]


def test_where_nothing_fits_a_sentence_says_so(monkeypatch):
    def measure(settings, pixels, start=None, labels=None):
        raise torch.OutOfMemoryError("out of memory")

    monkeypatch.setattr(preflight, "measure", measure)
    with pytest.raises(Refused, match="memory"):
        preflight.plan("dcgan", 32, 1, PIXELS, device="cpu")


def test_where_one_precision_needs_too_much_memory_the_other_keeps_the_batch(monkeypatch):
    def measure(settings, pixels, start=None, labels=None):
        if settings.precision == "float32":
            raise torch.OutOfMemoryError("out of memory")
        return 1.0, 10**9

    monkeypatch.setattr(preflight, "measure", measure)
    monkeypatch.setattr(preflight, "precisions_for", lambda device: ("float32", "bfloat16"))
    chosen = preflight.plan("dcgan", 32, 1, PIXELS, device="cpu").settings
    assert (chosen.precision, chosen.batch) == ("bfloat16", RECIPES["dcgan"].batches[0])


def test_another_error_while_measuring_is_no_lack_of_memory(monkeypatch):
    def measure(settings, pixels, start=None, labels=None):
        raise RuntimeError("shapes cannot be multiplied")

    monkeypatch.setattr(preflight, "measure", measure)
    with pytest.raises(RuntimeError, match="multiplied"):
        preflight.plan("dcgan", 32, 1, PIXELS, device="cpu")


def test_the_cpu_is_always_there_and_others_are_refused_by_name():
    assert preflight.devices()[-1]["name"] == "cpu"
    assert preflight.choose_device("auto") in {device["name"] for device in preflight.devices()}
    with pytest.raises(Refused, match="abacus"):
        preflight.choose_device("abacus")


@pytest.mark.parametrize("minutes, index", [(1, 0), (20, 1), (10_000, -1)])
def test_more_minutes_buy_a_wider_network(monkeypatch, minutes, index):
    row = RECIPES["projected"]

    def measure(settings, pixels, start=None, labels=None):
        return 400.0 * (row.widths[0] / settings.width) ** 2, 10**9

    monkeypatch.setattr(preflight, "measure", measure)
    assert preflight.plan("projected", 32, minutes, PIXELS, device="cpu").settings.width == row.widths[index]


@pytest.mark.parametrize("unit, tried", [(None, {"float32"}), ("bf16", {"float32", "bfloat16"})])
def test_a_cpu_tries_bfloat16_only_where_it_has_units_for_it(monkeypatch, unit, tried):
    seen = set()

    def measure(settings, pixels, start=None, labels=None):
        seen.add(settings.precision)
        return (2.0 if settings.precision == "bfloat16" else 1.0), 10**9

    monkeypatch.setattr(preflight, "measure", measure)
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: True)
    monkeypatch.setattr(
        torch.cpu, "get_capabilities", lambda: {"avx2": True} | ({unit: True} if unit else {})
    )
    chosen = preflight.plan("dcgan", 32, 1, PIXELS, device="cpu").settings.precision
    assert seen == tried
    assert chosen == preflight.precisions_for("cpu")[-1] == ("bfloat16" if unit else "float32")


def test_a_cpu_without_kernels_for_bfloat16_does_not_try_it(monkeypatch):
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"bf16": True})
    assert preflight.precisions_for("cpu") == ("float32",)

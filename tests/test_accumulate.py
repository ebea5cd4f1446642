"""Micro-batches: the gradients of the whole batch in less memory, the same again when resumed."""

import math
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch

from gan_play.models import pretrained, stylegan
from gan_play.refusals import Refused
from gan_play.trainers import adversarial, augment, loop, memory, stylegan2
from gan_play.trainers.recipes import RECIPES, Settings
from tests.toys import smallest

EACH = pytest.mark.parametrize("recipe", RECIPES)
PIXELS = np.random.default_rng(0).integers(0, 256, (10, 32, 32, 3), dtype=np.uint8)
BATCH = 5  # which no number of micro-batches divides


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def in_float64(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """All that is made, drawn and cast is in double precision, so that what differs is no rounding."""
    pretrained.frozen_features.cache_clear()
    monkeypatch.setattr(torch.Tensor, "float", torch.Tensor.double)
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)
    pretrained.frozen_features.cache_clear()


def labels_for(settings: Settings) -> np.ndarray:
    """As many as the settings say, each as often."""
    return np.arange(10) % max(1, settings.num_labels)


def steps(training: loop.Training, count: int) -> list[loop.Tick]:
    ticks = loop.train(training, PIXELS, labels_for(training.settings))
    made = [next(ticks) for _ in range(count)]
    ticks.close()
    return made


@pytest.fixture
def each_for_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """No picture is looked at beside others: as `gradients`, which has batch norm go by its running statistics."""
    monkeypatch.setattr(stylegan, "GROUP", 1)


def gradients(settings: Settings, now: int = 1) -> tuple[dict[str, torch.Tensor], dict[str, float]]:
    """Those of both networks after one step, and its numbers. Norms go by their running statistics and spectral
    norm stands still, so that each picture counts for itself."""
    training = loop.begin(settings)
    for network in (training.generator, training.discriminator):
        network.double().eval()
    for optimizer in (training.optimizer_g, training.optimizer_d):
        optimizer.param_groups[0]["lr"] = 1e-3
    data = torch.from_numpy(PIXELS).permute(0, 3, 1, 2)
    kinds = torch.from_numpy(labels_for(settings)) if settings.num_labels else None
    drawn = training.recipe.draw or loop.draw
    draw: Callable[[int], tuple] = lambda part: drawn(training, data, kinds, now, part)  # noqa: E731
    numbers = training.recipe.step(training, draw, now)
    named = {**dict(training.generator.named_parameters(prefix="g"))}
    named |= dict(training.discriminator.named_parameters(prefix="d"))
    found = {name: parameter.grad for name, parameter in named.items() if parameter.grad is not None}
    return found, {name: float(number) for name, number in numbers.items()}


@EACH
def test_micro_batches_give_the_gradients_and_numbers_of_the_whole_batch(recipe, in_float64, each_for_itself):
    # ArtGAN repaints reals by the statistics of their batch, whatever the norms go by; these others compare pictures.
    dials = {"artgan": {"repaint": 0}, "cgan": {"variety": 0}}
    dials = dials.get(recipe, {"match": 0} if "match" in RECIPES[recipe].dials else {})
    whole, numbers = gradients(smallest(recipe, batch=BATCH, dials=dials))
    parts, in_parts = gradients(smallest(recipe, batch=BATCH, dials=dials, accumulate=2))
    assert any(name.startswith("g.") for name in whole) and any(name.startswith("d.") for name in whole)
    assert parts.keys() == whole.keys()
    for name in whole:
        # The gradient of a bias before a norm is 0: what is left of it is the rounding of its layer's.
        layer = [name, name.removesuffix("bias") + "weight"] if name.endswith(".bias") else [name]
        scale = max([float(whole[one].abs().max()) for one in layer if one in whole] + [1e-3])
        assert torch.allclose(parts[name], whole[name], rtol=1e-7, atol=1e-9 * scale), name
    assert {n: x for n, x in in_parts.items() if n != "repainted"} == pytest.approx(
        {n: x for n, x in numbers.items() if n != "repainted"}, rel=1e-9, abs=1e-12
    )


def test_path_lengths_in_micro_batches_differ_only_by_how_far_their_mean_has_moved(
    in_float64, each_for_itself, monkeypatch
):
    dials = {"path_length": 1}
    monkeypatch.setattr(stylegan2, "PATH_MEMORY", 0.0)  # the mean stands still: then they don't differ
    whole, _ = gradients(smallest("stylegan2", dials=dials))
    parts, _ = gradients(smallest("stylegan2", dials=dials, accumulate=2))
    plain, _ = gradients(smallest("stylegan2"))
    assert all(torch.allclose(parts[name], whole[name], rtol=1e-7, atol=1e-12) for name in whole)
    assert any(not torch.allclose(plain[name], whole[name]) for name in whole)


def test_a_batch_is_cut_into_all_of_its_pictures_each_with_its_own_random_numbers():
    training = loop.begin(smallest("stylegan2", batch=BATCH))
    data = torch.from_numpy(PIXELS).permute(0, 3, 1, 2)
    whole = loop.draw(training, data, None, 1)
    seen = list(adversarial.cut(loop.draw(training, data, None, 1), 2))
    assert sum(share for _, share in seen) == pytest.approx(1)
    assert [len(one.z) for one, _ in seen] == [2, 3]
    for name in ("real", "z"):
        assert torch.equal(torch.cat([getattr(one, name) for one, _ in seen]), getattr(whole, name))
    for level in range(len(whole.noise)):
        assert torch.equal(torch.cat([one.noise[level] for one, _ in seen]), whole.noise[level])
    parts = loop.draw(training, data, None, 1)
    shaken = [augment.augment(one.real, one.random) for one, _ in adversarial.cut(parts, 2)]
    assert torch.equal(torch.cat(shaken), augment.augment(whole.real, whole.random))
    assert torch.equal(parts.random.get_state(), whole.random.get_state())  # as far on as after the whole


@pytest.mark.parametrize("recipe", ["dcgan", "sngan", "stylegan2"])
def test_a_training_in_micro_batches_that_was_interrupted_ends_bit_identical(recipe):
    settings = smallest(recipe, accumulate=2)
    whole = loop.begin(settings)
    steps(whole, 2)
    half_way = {name: tensor.clone() for name, tensor in whole.tensors().items()}
    ticks = steps(whole, 2)
    assert all(math.isfinite(float(number)) for tick in ticks for number in tick.numbers.values())
    resumed = loop.begin(settings)
    resumed.load(half_way)
    steps(resumed, 2)
    ends = whole.tensors(), resumed.tensors()
    assert [name for name in ends[0] if not torch.equal(ends[0][name], ends[1][name])] == []


@pytest.mark.parametrize("recipe", ["dcgan", "projected", "stylegan2", "fastgan", "artgan"])
def test_a_step_in_micro_batches_holds_less_at_once(recipe, monkeypatch):
    backward, held, most = torch.Tensor.backward, [0], []

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        if tensor.dim() == 4 and len(tensor) > 1:  # maps of pictures, no weights
            held[0] += tensor.numel()
        return tensor

    def counted(tensor: torch.Tensor, *args: object, **more: object) -> None:
        backward(tensor, *args, **more)
        most.append(held[0])
        held[0] = 0

    monkeypatch.setattr(torch.Tensor, "backward", counted)
    maps = []
    for pieces in (1, 4):
        most.clear()
        training = loop.begin(smallest(recipe, batch=8, accumulate=pieces))
        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            steps(training, 1)
        maps.append(max(most))
    assert maps[1] < 0.45 * maps[0]


def test_settings_from_before_it_was_one_are_read_and_impossible_ones_refused():
    old = smallest("dcgan").to_json()
    del old["accumulate"]
    assert Settings.from_json(old) == smallest("dcgan") and smallest("dcgan").accumulate == 1
    assert smallest("dcgan", batch=8, accumulate=4).images_a_step == 8
    for wrong in (0, 3, 1.0, True, "2"):  # of four pictures, three parts would leave one alone
        with pytest.raises(Refused, match="accumulate"):
            smallest("dcgan", accumulate=wrong)


@pytest.mark.parametrize(
    "error, short",
    [
        (MemoryError(), True),
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."), True),
        (
            RuntimeError("[enforce fail at alloc_cpu.cpp:124] DefaultCPUAllocator: can't allocate memory"),
            True,
        ),
        (RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 1 bytes."), True),
        (RuntimeError("MPS backend out of memory"), True),
        (RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"), True),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_a_lack_of_memory_is_told_from_other_errors(error, short):
    assert memory.is_short(error) is short

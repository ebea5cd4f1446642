"""Ranks: several processes that share each batch train the GAN that one would; by Gloo, between processes here."""

import contextlib
import dataclasses
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.distributed as dist

from gan_play.models import together
from gan_play.pictures import datasets
from gan_play.runs import checkpoints, store, worker
from gan_play.trainers import loop, ranks
from gan_play.trainers.recipes import RECIPES, Settings
from tests import toys
from tests.toys import smallest

PIXELS = np.random.default_rng(0).integers(0, 256, (20, 32, 32, 3), dtype=np.uint8)


def in_float64() -> None:
    """All that is made, drawn and cast in this process is in double precision, so that what differs is no rounding."""
    torch.Tensor.float = torch.Tensor.double
    torch.set_default_dtype(torch.float64)


def one_rank(rank: int, count: int, store: str, work: Callable, arguments: tuple, answer: object) -> None:
    """The life of a process of `on_ranks`."""
    os.environ |= {"RANK": str(rank), "WORLD_SIZE": str(count), "LOCAL_RANK": str(rank)}
    os.environ["LOCAL_WORLD_SIZE"] = str(count)
    torch.set_num_threads(1)
    ranks.connect(dist.FileStore(store, count))
    answer.send(work(*arguments))
    dist.barrier()
    dist.destroy_process_group()


def on_ranks(count: int, folder: Path, work: Callable, *arguments: object) -> list:
    """What `work` returns in each of so many processes that are connected."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["gan_play.trainers.recipes", "gan_play.models.pretrained", "tests.toys"])
    store = str(folder / f"store-{os.urandom(4).hex()}")
    pipes, processes = [context.Pipe(duplex=False) for _ in range(count)], []
    for rank, (_, answer) in enumerate(pipes):
        given = (rank, count, store, work, arguments, answer)
        processes.append(context.Process(target=one_rank, args=given))
        processes[-1].start()
        answer.close()
    found = []
    try:
        for heard, _ in pipes:
            found.append(heard.recv())
        for process in processes:
            process.join(60)
    finally:
        for process in processes:
            process.kill()
            process.join()
        for heard, _ in pipes:
            heard.close()
    return found


def trained(settings: Settings, steps: int, double: bool, shared: bool = True) -> tuple[list, dict]:
    """The numbers of each step, and the state after the last, of a training in this rank."""
    with contextlib.ExitStack() as stack:
        if double:
            in_float64()
        training = loop.begin(settings)
        if double:
            for network in (training.generator, training.discriminator, training.average):
                network.double()
            training.optimizer_g = training._optimizer(training.generator)
            training.optimizer_d = training._optimizer(training.discriminator)
        if shared and (crew := ranks.crew_for(settings)):
            crew.enter(training)
        labels = np.arange(len(PIXELS)) % max(1, settings.num_labels)
        ticks = stack.enter_context(contextlib.closing(loop.train(training, PIXELS, labels)))
        numbers = [{n: float(x) for n, x in next(ticks).numbers.items()} for _ in range(steps)]
        state = {name: tensor.double().numpy().copy() for name, tensor in training.tensors().items()}
    return numbers, state


def both(settings: Settings, steps: int, double: bool) -> tuple:
    """Trains alone in the first rank, then in all of them."""
    whole = dataclasses.replace(settings, accumulate=1)
    alone = trained(whole, steps, double, shared=False) if ranks.leads() else None
    return alone, trained(settings, steps, double)


def compare(recipe: str, count: int, steps: int, folder: Path, **changes: object) -> None:
    """So many ranks end where one does, in double precision, so that a wrong share can't hide in rounding."""
    settings = smallest(recipe, **{"batch": 2 * count, **changes})
    several = on_ranks(count, folder, both, settings, steps, True)
    numbers_alone, state_alone = several[0][0]
    for _, (numbers, state) in several:
        for step, (one, whole) in enumerate(zip(numbers, numbers_alone, strict=True), 1):
            assert one == pytest.approx(whole, rel=1e-6, abs=1e-9), f"step {step}"
        for name, tensor in state.items():
            scale = max(1e-3, np.abs(state_alone[name]).max())
            assert np.allclose(tensor, state_alone[name], rtol=1e-5, atol=1e-6 * scale), name
    first, *others = (state for _, (_, state) in several)
    assert all(np.array_equal(first[name], other[name]) for other in others for name in first)


def test_two_ranks_train_the_default_as_one_would(tmp_path):
    compare("projected", 2, 3, tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("recipe", [name for name in RECIPES if name not in ranks.LEARN_ALONE])
def test_two_ranks_train_each_recipe_as_one_would(recipe, tmp_path):
    compare(recipe, 2, 5, tmp_path, dials={"path_length": 1} if recipe == "stylegan2" else {})


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("count", [2, 4])
def test_over_fifty_steps_the_losses_of_ranks_are_those_of_one(count, tmp_path):
    compare("projected", count, 50, tmp_path, batch=8)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_ranks_with_micro_batches_labels_and_bfloat16(tmp_path):
    compare("stylegan2", 2, 3, tmp_path, batch=8, accumulate=2)  # two halves at once are a whole
    compare("projected", 2, 3, tmp_path, batch=8, num_labels=3)
    settings = smallest("projected", batch=4, precision="bfloat16")
    (alone, first), (_, second) = on_ranks(2, tmp_path, both, settings, 2, False)
    assert first[0] == second[0]
    assert first[0][0] == pytest.approx(alone[0][0], rel=0.05, abs=0.02)


@pytest.mark.parametrize(
    "recipe, batch, number, used",
    [
        ("projected", 32, 8, 8),
        ("projected", 32, 3, 2),  # 32 pictures can't be shared evenly by three
        ("fastgan", 4, 8, 2),  # batch norm needs others to compare with
        ("pix2pix", 4, 4, 4),
        ("cyclegan", 4, 4, 1),
        ("dcgan", 5, 2, 1),
    ],
)
def test_only_ranks_that_get_as_much_as_the_others_are_used(recipe, batch, number, used):
    settings = smallest(recipe, batch=batch)
    assert ranks.useful(settings, number) == used
    assert (ranks.idle_sentence(settings, number) == "") == (used == number)


def test_alone_nothing_is_shared():
    x = torch.randn(4, 3)
    assert together.place() == (0, 1) and ranks.rows(5) == slice(0, 5)
    assert all(f(x) is x for f in (together.summed, together.averaged, together.gathered))
    assert torch.equal(together.own(x), x)
    assert [rows for rows, _ in ranks.parts(5, 2)] == [slice(0, 2), slice(2, 5)]


def some_maps() -> torch.Tensor:
    """Of six pictures, far from 0, where sums of squares lose digits."""
    random = torch.Generator().manual_seed(0)
    return torch.randn(6, 3, 4, 4, generator=random, dtype=torch.float64) * 3 + 100


def norms() -> tuple[torch.Tensor, ...]:
    """A batch norm of rows on this rank: output, gradient, running statistics; of six pictures in all."""
    in_float64()
    x = some_maps()
    network = torch.nn.BatchNorm2d(3)
    together.look_together(network)
    group = dist.new_group(range(dist.get_world_size()))
    with together.sharing(group):
        mine = x[ranks.rows(6)].requires_grad_(True)
        y = network(mine)
        (gradient,) = torch.autograd.grad(y.pow(3).sum(), mine)
    return tuple(t.detach().numpy() for t in (y, gradient, network.running_mean, network.running_var))


def test_a_batch_norm_knows_the_pictures_of_all_ranks(tmp_path):
    shared = on_ranks(2, tmp_path, norms)
    x = some_maps().requires_grad_(True)
    norm = torch.nn.BatchNorm2d(3).double()
    y = norm(x)
    (gradient,) = torch.autograd.grad(y.pow(3).sum(), x)
    for place, whole in enumerate((y, gradient)):
        seen = np.concatenate([one[place] for one in shared])
        assert np.allclose(seen, whole.detach().numpy(), rtol=1e-6, atol=1e-6), place
    for one in shared:
        assert np.allclose(one[2], norm.running_mean.numpy()) and np.allclose(
            one[3], norm.running_var.numpy()
        )


# Runs


def live(rank: int, count: int, store: str, folder: Path, mishap: Callable | None) -> None:
    """A worker's life in one of so many ranks; a mishap is called before each step with the training."""
    os.environ |= {"RANK": str(rank), "WORLD_SIZE": str(count), "LOCAL_WORLD_SIZE": str(count)}
    ranks._store = dist.FileStore(store, count)
    os.setsid()
    drawn = loop.draw

    def draw(training: loop.Training, *data: object) -> loop.Draw:
        if mishap is not None:
            mishap(rank, training)
        return drawn(training, *data)

    loop.draw = draw
    raise SystemExit(worker.follow() if worker.is_other() else worker.lead(folder))


def trained_by(count: int, folder: Path, mishap: Callable | None = None) -> list[int]:
    """Trains a run in so many ranks until they end by themselves; their exit statuses."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["gan_play.runs.checkpoints", "gan_play.pictures.images", "tests.toys"])
    store = str(folder.parent / f"store-{os.urandom(4).hex()}")
    processes = [
        context.Process(target=live, args=(rank, count, store, folder, mishap)) for rank in range(count)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    ended = [process.exitcode for process in processes]
    for process in processes:
        process.kill()
        process.join()
    return ended


def a_run(home: Path, steps: int) -> Path:
    """A run of four pictures a step, which two ranks can share."""
    return home / toys.a_run(home, steps=steps, settings=toys.settings(batch=4).to_json())


@pytest.mark.slow  # starts processes twice
def test_what_two_ranks_have_begun_one_ends(tmp_path):
    folder = a_run(tmp_path, 3)
    assert trained_by(2, folder) == [0, 0]
    now = store.status(tmp_path, folder.name)
    assert (now["state"], now["step"], now["images_seen"], now["sentence"]) == ("finished", 3, 12, "")
    assert checkpoints.load_newest(folder, toys.settings(batch=4)).step == 3  # with no word of ranks in it
    store.ask(tmp_path, folder.name, "train", steps=5)
    assert worker.work(folder) == 0
    assert store.status(tmp_path, folder.name)["step"] == 5
    alone = loop.begin(toys.settings(batch=4))
    pictures = datasets.open_block(folder / "set").learnt
    for tick in loop.train(alone, pictures.pixels, pictures.labels):
        if tick.step == 5:
            break
    seen, wanted = checkpoints.load(checkpoints.states(folder)[0]).tensors, alone.tensors()
    for name in wanted:
        assert torch.allclose(seen[name].double(), wanted[name].double(), rtol=1e-2, atol=1e-3), name


def die_at_three(rank: int, training: loop.Training) -> None:
    if rank == 1 and training.step == 2:
        os.kill(os.getpid(), signal.SIGKILL)


def leader_dies_at_three(rank: int, training: loop.Training) -> None:
    if rank == 0 and training.step == 2:
        os.kill(os.getpid(), signal.SIGKILL)


def asked_to_end_at_three(rank: int, training: loop.Training) -> None:
    if training.step == 2:
        os.kill(os.getpid(), signal.SIGTERM)  # as `torchrun` asks all of them


def short_at_three(rank: int, training: loop.Training) -> None:
    if rank == 1 and training.step == 2 and training.settings.accumulate == 1:
        raise MemoryError


@pytest.mark.slow  # starts processes twice
def test_a_rank_that_dies_stops_the_run_with_a_saved_state(tmp_path):
    folder = a_run(tmp_path, 5)
    assert trained_by(2, folder, die_at_three)[1] == -signal.SIGKILL
    now = store.status(tmp_path, folder.name)
    assert now["state"] == "paused" and "ended unexpectedly" in now["sentence"]
    assert checkpoints.load_newest(folder, toys.settings(batch=4)).step in (0, 1, 2)  # as often as it saves
    assert not (folder / "worker.json").exists()
    store.ask(tmp_path, folder.name, "train")
    assert trained_by(4, folder) == [0, 0, 0, 0]  # two of the four are too many for four pictures
    now = store.status(tmp_path, folder.name)
    assert (now["state"], now["step"]) == ("finished", 5)


@pytest.mark.slow
def test_where_the_first_rank_dies_the_last_saved_state_counts(tmp_path):
    folder = a_run(tmp_path, 5)
    assert trained_by(2, folder, leader_dies_at_three) == [-signal.SIGKILL, 1]
    assert store.status(tmp_path, folder.name)["state"] == "interrupted"
    assert trained_by(2, folder) == [0, 0]
    assert store.status(tmp_path, folder.name)["step"] == 5


@pytest.mark.slow
def test_ranks_that_are_asked_to_end_save_and_end(tmp_path):
    folder = a_run(tmp_path, 5)
    assert trained_by(2, folder, asked_to_end_at_three) == [0, 0]
    now = store.status(tmp_path, folder.name)
    assert now["state"] == "paused" and "asked it to end" in now["sentence"]
    assert checkpoints.load_newest(folder, toys.settings(batch=4)).step == 3


@pytest.mark.slow  # starts processes twice
def test_where_memory_is_short_in_one_rank_all_learn_in_smaller_parts(tmp_path):
    folder = a_run(tmp_path, 4)
    settings = toys.settings(batch=8).to_json()
    with store.changing(folder) as run:
        run["settings"] = settings
    assert trained_by(2, folder, short_at_three) == [0, 0]
    now = store.status(tmp_path, folder.name)
    assert (now["state"], now["step"], now["settings"]["accumulate"]) == ("finished", 4, 4)


@pytest.mark.parametrize(
    "device, cards, alone", [("auto", 1, True), ("auto", 4, False), ("cpu", 4, True), ("cuda", 2, False)]
)
def test_the_page_starts_a_process_for_each_card(device, cards, alone, monkeypatch, tmp_path):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: cards)
    small = {"settings": None, "device": device, "size_px": 64}
    assert worker.cards_for(small) == 1  # it would take longer
    for more in ({"settings": None, "device": device}, {"settings": {"device": device}}):
        run = {"size_px": 256, **more}
        made = worker.command(tmp_path, worker.cards_for(run))
        assert made[0] == sys.executable and made[-2:] == ["gan_play.runs.worker", str(tmp_path)]
        if alone:
            assert made[1:2] == ["-m"] and len(made) == 4
        else:
            assert made[1:3] == ["-m", "torch.distributed.run"]
            assert made[3:6] == ["--standalone", "--nproc-per-node", str(cards)]

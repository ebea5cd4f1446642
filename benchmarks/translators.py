"""Train translators, on a graphics card too, and measure them beside what needs no training.

    python -m benchmarks.translators train --pictures paintings/european paintings/vangogh --preset sketch --size 128
        --seconds 240 --out made/sketch
    python -m benchmarks.translators train --pairs facades/train --test facades/test --size 256 --width 64 --batch 1
        --epochs 200 --back --out made/facades
    python -m benchmarks.translators measure made/sketch made/facades
    python -m benchmarks.translators starter made/sketch --out checkpoints/starter-sketch --name "Sketch to painting"

`train` writes a folder: `starter.safetensors` (average and critic in half precision) and `run.json`, a grid in
`samples/`, and `results.npz`: what was made of pictures that it never learnt from. It needs torch, numpy, Pillow and
safetensors alone. `measure` compares these with their targets by LPIPS and writes nothing; it needs
`pip install stlpips_pytorch`, whose AlexNet it looks through (Ghildyal & Liu 2022, Shift-tolerant LPIPS). The plain
baselines: bicubic for `enlarge`, the grey picture for `colour`, the hole filled from its rim for `repair`, the source
as it is for `sketch` and `flat`; of pairs, the mean of all targets. Of facades turned into labels it counts the pixels
whose nearest label is right.
"""

import argparse
import json
import sys
import time
import types
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch

from benchmarks import machine
from gan_play import files
from gan_play.pictures import images
from gan_play.pictures.datasets import ImageSet
from gan_play.runs import checkpoints, translated
from gan_play.trainers import loop, preflight
from gan_play.trainers.recipes import RECIPES, check_settings

ENDINGS = (".jpg", ".jpeg", ".png", ".webp")
LOG_S = 15
FACADE_LABELS = (
    (0, 0, 170), (0, 0, 255), (0, 85, 255), (0, 170, 255), (0, 255, 255), (85, 255, 170),
    (170, 255, 85), (255, 255, 0), (255, 170, 0), (255, 85, 0), (255, 0, 0), (170, 0, 0),
)  # fmt: skip
"""The colours of the twelve labels of the CMP facades."""


# Reading


def files_of(source: Path) -> Iterator[bytes]:
    """The bytes of the pictures of a folder or a ZIP, in the order of their names."""
    if source.is_dir():
        for path in sorted(source.rglob("*")):
            if path.suffix.lower() in ENDINGS:
                yield path.read_bytes()
        return
    with zipfile.ZipFile(source) as archive:
        for name in sorted(archive.namelist()):
            if name.lower().endswith(ENDINGS):
                yield archive.read(name)


def squares(sources: Sequence[Path], size_px: int, held_back: int) -> tuple[np.ndarray, np.ndarray]:
    """The middles of pictures, (N, S, S, 3) uint8, and one of `held_back` to hold back, (M, S, S, 3), by its digest."""
    learnt, held = [], []
    for source in sources:
        for data in files_of(source):
            pixels = images.fit(images.read_kept(data), size_px, "crop", images.WHITE)[0]
            kept = int(files.sha256(data)[:8], 16) % held_back == 0
            (held if kept else learnt).append(pixels)
    return np.stack(learnt), np.stack(held)


def halves(folder: Path, size_px: int) -> np.ndarray:
    """Two pictures of each file, side by side in it: all left ones, then all right ones, (2 N, S, S, 3) uint8."""
    sides: tuple[list, list] = ([], [])
    for data in files_of(folder):
        pixels = images.read_kept(data)
        middle = pixels.shape[1] // 2
        for side, half in zip(sides, (pixels[:, :middle], pixels[:, middle:])):
            side.append(images.fit(half, size_px, "crop", images.WHITE)[0])
    return np.stack([*sides[0], *sides[1]])


def as_set(learnt: np.ndarray, held: np.ndarray, paired: bool) -> ImageSet:
    """Pictures as a set whose last ones are held back."""
    pixels = np.concatenate([learnt, held])
    labels = np.zeros(len(pixels), np.int64)
    if paired:
        for first, count in ((0, len(learnt)), (len(learnt), len(held))):
            labels[first + count // 2 : first + count] = 1
    names = [str(place) for place in range(len(pixels))]
    return ImageSet(pixels, labels, ["left", "right"] if paired else [], names, "", len(held))


# Training


def train(given: argparse.Namespace) -> None:
    """Trains for so many seconds, steps or epochs, and writes all that is wanted of it."""
    if given.pairs:
        pictures = as_set(halves(given.pairs, given.size), halves(given.test, given.size), paired=True)
    else:
        pictures = as_set(*squares(given.pictures, given.size, given.held_back), paired=False)
    device = preflight.choose_device(given.device)
    dials = dict(dial.split("=") for dial in given.dials) | ({"back": 1} if given.back else {})
    settings = check_settings(
        {
            "recipe": given.recipe,
            "size_px": given.size,
            "batch": given.batch,
            "width": given.width,
            "seed": given.seed,
            "num_labels": 2 if given.pairs else 0,
            "preset": given.preset,
            "device": device,
            "threads": given.threads or (loop.cpu_threads() if device == "cpu" else 4),
            "precision": given.precision,
            "dials": {name: float(value) for name, value in dials.items()},
        }
    )
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    torch.backends.cudnn.benchmark = True  # the fastest way, not the same to the bit
    training = loop.begin(settings)
    learnt = pictures.learnt
    an_epoch = len(translated.places_of(settings, learnt)[0]) / settings.batch
    steps = round(given.epochs * an_epoch) if given.epochs else given.steps
    parameters = [
        sum(p.numel() for p in net.parameters()) / 1e6 for net in (training.average, training.discriminator)
    ]
    print(machine.title(), flush=True)
    print(
        f"{given.out.name}: {len(learnt.names)} pictures, {len(pictures.unseen.names)} held back, "
        f"{parameters[0]:.1f} and {parameters[1]:.1f} million parameters, {an_epoch:.0f} steps an epoch",
        flush=True,
    )
    began, told = time.perf_counter(), 0.0
    for tick in loop.train(training, learnt.pixels, learnt.labels):
        spent = time.perf_counter() - began
        ended = tick.step >= steps if steps else spent >= given.seconds
        if spent - told >= LOG_S or ended:
            told = spent
            numbers = "  ".join(f"{name} {float(value):.3f}" for name, value in tick.numbers.items())
            print(f"  {given.out.name} {spent:4.0f} s  step {tick.step}  {numbers}", flush=True)
        if ended or (given.seconds and spent >= given.seconds):
            break
    preflight.wait_for(device)
    write(given.out, training, pictures, time.perf_counter() - began, given.results)


def write(out: Path, training: loop.Training, pictures: ImageSet, seconds: float, most: int) -> None:
    """Writes the folder of a training: models, results on `most` held-back pictures, a grid, and what it is."""
    settings, step = training.settings, training.step
    (out / "samples").mkdir(parents=True, exist_ok=True)
    header = checkpoints.make_header(settings, pictures.digest, step)
    checkpoints.save_starter(out, training.tensors(), header)
    average = training.average
    grid = images.grid(translated.tiles(average, translated.shown(settings, pictures)), translated.COLUMNS)
    (out / "samples" / f"step-{step:06d}.webp").write_bytes(images.encode(grid, "webp", quality=90))
    rows = translated.rows_of(average, settings)
    layout = {
        "columns": translated.COLUMNS,
        "tile_px": settings.size_px,
        "gap_px": 2,
        "seeds": [],
        "rows": rows,
    }
    files.write_json(out / "samples" / "seeds.json", layout | {"truncation": 0.7, "labels": None})
    sides = translated.sides_of(settings, pictures.unseen, most, drawn=True)
    made = torch.cat([x.cpu() for x in translated.results(average, sides.source)])
    learnt = pictures.learnt
    targets = learnt.pixels[translated.places_of(settings, learnt)[1]]
    np.savez_compressed(
        out / "results.npz",
        source=((sides.source + 1) * 127.5).round().clamp(0, 255).byte().permute(0, 2, 3, 1).numpy(),
        result=images.to_pixels(made),
        target=sides.target,
        mean=targets.mean(axis=0, dtype=np.float64).round().astype(np.uint8),
    )
    about = {
        "recipe": settings.recipe,
        "settings": settings.to_json(),
        "step": step,
        "seconds": round(seconds, 1),
        "processor_s": round(time.process_time(), 1),
    }
    about |= {
        "images_seen": step * settings.images_a_step,
        "learnt": len(learnt.names),
        "machine": machine.title(),
    }
    files.write_json(out / "about.json", about)


# Measuring


def filled(pixels: np.ndarray, state: np.ndarray) -> np.ndarray:
    """A classical inpainting: each hole filled by heat that flows in from its rim (N, H, W, 3) uint8.

    The limit of averaging the four neighbours again and again (Laplace's equation), coarse to fine.
    """
    x = torch.from_numpy(pixels).permute(0, 3, 1, 2).float()
    hole = torch.from_numpy(state > 191)[:, None]
    known, weight, levels = x * ~hole, (~hole).float(), []
    while min(known.shape[2:]) >= 2:
        levels.append((known, weight))
        known = torch.nn.functional.avg_pool2d(known, 2, ceil_mode=True)
        weight = torch.nn.functional.avg_pool2d(weight, 2, ceil_mode=True)
    guess = known / weight.clamp(min=1e-6)
    for known, weight in levels[::-1]:
        guess = torch.nn.functional.interpolate(
            guess, size=known.shape[2:], mode="bilinear", align_corners=False
        )
        there = known / weight.clamp(min=1e-6)
        for _ in range(60):
            guess = torch.where(weight > 0, there, guess)
            around = torch.nn.functional.pad(guess, (1, 1, 1, 1), mode="replicate")
            guess = (
                around[:, :, 2:, 1:-1]
                + around[:, :, :-2, 1:-1]
                + around[:, :, 1:-1, 2:]
                + around[:, :, 1:-1, :-2]
            ) / 4
        guess = torch.where(weight > 0, there, guess)
    return torch.where(hole, guess, x).round().clamp(0, 255).byte().permute(0, 2, 3, 1).numpy()


def baseline(settings: dict, found: dict[str, np.ndarray]) -> tuple[str, np.ndarray]:
    """What needs no training: its name, and its pictures (N, H, W, 3) uint8."""
    preset = settings.get("preset", "")
    if not preset:
        return "the mean of all targets", np.broadcast_to(found["mean"], found["target"].shape)
    if preset == "repair":
        return "holes filled from their rim", filled(found["source"][..., :3], found["source"][..., 3])
    names = {
        "enlarge": "bicubic",
        "colour": "grey",
        "sketch": "the lines as they are",
        "flat": "the colours as they are",
    }
    return names[preset], found["source"][..., :3]


def damages(state: np.ndarray) -> dict[str, np.ndarray]:
    """Which pictures have which kind of damage, by the states (N, H, W) uint8 of their places: each (N,) bool."""
    hole, seen = state > 191, ((state > 63) & (state < 192)).any(axis=(1, 2))
    whole = torch.from_numpy(~hole)[:, None].float()
    reach = max(
        1, round(0.015 * state.shape[1])
    )  # a scratch is at most 0.02 of the side wide, a brush 0.04 at least
    thick = (
        (torch.nn.functional.max_pool2d(whole, 2 * reach + 1, 1, reach) < 0.5).flatten(1).any(dim=1).numpy()
    )
    none = ~hole.any(axis=(1, 2))
    return {
        "holes": thick & ~seen,
        "scratches": ~none & ~thick & ~seen,
        "stains or blur": none & seen,
        "stains or blur, and holes": ~none & seen,
        "nothing": none & ~seen,
    }


def perceptual():
    """LPIPS of two lots of pictures (N, H, W, 3) uint8: (N,)."""
    for name in ("IPython", "torchsummary"):  # which the package imports and uses nowhere
        sys.modules.setdefault(name, types.SimpleNamespace(embed=None, summary=None))
    from stlpips_pytorch import stlpips

    network = stlpips.LPIPS(net="alex", variant="shift_tolerant", verbose=False).eval()

    def distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        parts = []
        for first in range(0, len(a), 16):
            with torch.inference_mode():
                x, y = (images.to_tensor(np.array(side[first : first + 16])) for side in (a, b))
                parts.append(network(x, y).flatten().numpy())
        return np.concatenate(parts)

    return distances


def interval(values: np.ndarray, draws: int = 2000) -> str:
    """A mean with its 95% interval over pictures (bootstrap, fixed seed)."""
    random = np.random.default_rng(0)
    means = values[random.integers(0, len(values), (draws, len(values)))].mean(axis=1)
    low, high = np.quantile(means, (0.025, 0.975))
    return f"{values.mean():.3f} ({low:.3f} to {high:.3f})"


def right_labels(made: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The share of pixels of each picture whose nearest label is the target's: (N,)."""
    colours = torch.tensor(FACADE_LABELS, dtype=torch.float32)

    def nearest(pixels: np.ndarray) -> np.ndarray:
        flat = torch.from_numpy(np.array(pixels)).float().flatten(0, 2)
        return torch.cdist(flat, colours).argmin(dim=1).numpy().reshape(pixels.shape[:3])

    return (nearest(made) == nearest(target)).mean(axis=(1, 2))


def measure(given: argparse.Namespace) -> None:
    """A row of a table for each folder."""
    distances = perceptual()
    print(
        "| what | pictures | its LPIPS | baseline | the baseline's LPIPS | better in |\n|---|---|---|---|---|---|"
    )
    for folder in given.folders:
        about = json.loads((folder / "about.json").read_text())
        found = dict(np.load(folder / "results.npz"))
        title, plain = baseline(about["settings"], found)
        if about["settings"].get("preset") == "repair":  # in use what is whole stays as it is
            whole = found["source"][..., 3:] < 64
            found["result"] = np.where(whole, found["source"][..., :3], found["result"])
        ours, theirs = (distances(made, found["target"]) for made in (found["result"], plain))
        print(
            f"| {folder.name}, {about['seconds']:.0f} s, {about['images_seen']:,} seen | {len(ours)} "
            f"| {interval(ours)} | {title} | {interval(theirs)} | {(ours < theirs).mean():.0%} |"
        )
        print(f"difference, picture by picture: {interval(ours - theirs)}")
        if about["settings"].get("preset") == "repair":
            for kind, which in damages(found["source"][..., 3]).items():
                if which.any():
                    means = f"{interval(ours[which])}, {title} {interval(theirs[which])}"
                    apart = interval((ours - theirs)[which])
                    print(f"{kind} ({which.sum()}): {means}, difference {apart}")
        if given.labels:
            accuracy = [right_labels(made, found["target"]) for made in (found["result"], plain)]
            print(f"labels: {interval(accuracy[0])} of the pixels right, {interval(accuracy[1])} of {title}")


# Shipping


def starter(given: argparse.Namespace) -> None:
    """Makes the run that ships with GAN Play of a folder that `train` wrote."""
    about = json.loads((given.folder / "about.json").read_text())
    settings, samples = about["settings"], given.out / "samples"
    samples.mkdir(parents=True, exist_ok=True)
    names = ["starter.safetensors", "samples/seeds.json", f"samples/step-{about['step']:06d}.webp"]
    for name in names:
        (given.out / name).write_bytes((given.folder / name).read_bytes())
    made = time.time()
    run = {
        "version": 1,
        "id": given.out.name,
        "name": given.name,
        "recipe": settings["recipe"],
        "size_px": settings["size_px"],
        "seed": settings["seed"],
        "state": "finished",
        "sentence": "",
        "step": about["step"],
        "created": made,
        "queued": made,
        "minutes": round(about["seconds"] / 60, 2),
        "steps": None,
        "labelled": False,
        "set": {
            "id": "",
            "digest": "",
            "count": about["learnt"],
            "held_back": 0,
            "labels": [],
            "how": "crop",
        },
        "device": settings["device"],
        "dials": settings["dials"],
        "settings": settings,
        "plan": "",
        "started_from": None,
        "attempts": 0,
        "rollbacks": 0,
        "task": RECIPES[settings["recipe"]].task,
        "preset": settings.get("preset", ""),
        "versions": {"torch": torch.__version__},
    }
    files.write_json(given.out / "run.json", run)
    print(f"step {about['step']:,}, {(given.out / names[0]).stat().st_size / 1e6:.1f} MB: {given.out}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    verbs = parser.add_subparsers(required=True)
    made = verbs.add_parser("train")
    made.set_defaults(does=train)
    made.add_argument("--pictures", type=Path, nargs="*", default=[], help="folders and ZIPs, for a preset")
    made.add_argument("--pairs", type=Path, help="a folder of files with two pictures side by side")
    made.add_argument("--test", type=Path, help="such a folder that isn't learnt from")
    made.add_argument("--back", action="store_true", help="from right to left")
    made.add_argument("--held-back", type=int, default=20, metavar="N", help="one of N pictures (20)")
    made.add_argument("--recipe", default="pix2pix")
    made.add_argument("--preset", default="")
    made.add_argument("--size", type=int, default=128)
    made.add_argument("--width", type=int, default=32)
    made.add_argument("--batch", type=int, default=16)
    made.add_argument("--seed", type=int, default=0)
    made.add_argument("--dials", nargs="*", default=[], metavar="NAME=X")
    made.add_argument("--device", default="auto")
    made.add_argument("--threads", type=int, default=0, help="of a processor; 0: all of them")
    made.add_argument("--precision", default="float32")
    made.add_argument("--seconds", type=float, default=0)
    made.add_argument("--steps", type=int, default=0)
    made.add_argument("--epochs", type=float, default=0)
    made.add_argument(
        "--results", type=int, default=40, help="how many held-back pictures are painted at the end"
    )
    made.add_argument("--out", type=Path, required=True)
    made = verbs.add_parser("measure")
    made.set_defaults(does=measure)
    made.add_argument("folders", type=Path, nargs="+")
    made.add_argument("--labels", action="store_true", help="also the share of pixels whose label is right")
    made = verbs.add_parser("starter")
    made.set_defaults(does=starter)
    made.add_argument("folder", type=Path)
    made.add_argument("--out", type=Path, required=True)
    made.add_argument("--name", default="Sketch to painting")
    given = parser.parse_args()
    given.does(given)


if __name__ == "__main__":
    main()

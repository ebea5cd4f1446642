"""Instant style transfer: statistics of features, and the decoder that paints what features say.

A picture's features, by `vgg.Vgg19`, are given the mean and the spread that each feature has in another picture; the
decoder, trained for it, turns them back into a picture. Source: Huang & Belongie 2017, "Arbitrary Style Transfer in
Real-time with Adaptive Instance Normalization".
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

LAYER = "relu4_1"
"""Of the encoder's: what the decoder paints from (Huang 2017, section 6)."""

STYLE_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1")
"""Whose statistics make the style (equation 13)."""

STRIDE = 8
"""Pixels of a picture to a place of its features, each way."""

WIDTHS = ((512, 256), (256, 256, 256, 256, 128), (128, 128, 64), (64, 64, 3))
"""Channels of the decoder's convolutions at an eighth of the size, a quarter, a half and the whole: the encoder's, the
other way round."""

LEAST_SPREAD = 1e-5
"""Added to a variance, so that it has a root with a gradient (Ulyanov 2016)."""


def statistics(features: Tensor, counts: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of each feature over the places: Huang 2017, equations 5 to 7.

    With `counts` (B, 1, H, W), how much each place counts.  # (B, C, H, W) -> (B, C, 1, 1) twice
    """
    if counts is None:
        variance, mean = torch.var_mean(features, dim=(2, 3), keepdim=True, correction=0)
    else:
        share = counts / counts.sum(dim=(2, 3), keepdim=True)
        mean = (features * share).sum(dim=(2, 3), keepdim=True)
        variance = ((features - mean).square() * share).sum(dim=(2, 3), keepdim=True)
    return mean, (variance + LEAST_SPREAD).sqrt()


def adain(features: Tensor, mean: Tensor, spread: Tensor, counts: Tensor | None = None) -> Tensor:
    """Features with another's mean and standard deviation (B, C, 1, 1): Huang 2017, equation 8.  # (B, C, H, W)"""
    own_mean, own_spread = statistics(features, counts)
    return (features - own_mean) * (spread / own_spread) + mean


def reflected(x: Tensor) -> Tensor:
    """One place more on each side, the second from it again: no border shows (Huang 2017, section 6).

    # (B, C, H, W) -> (B, C, H + 2, W + 2); H and W at least 2
    """
    x = torch.cat([x[:, :, 1:2], x, x[:, :, -2:-1]], dim=2)
    return torch.cat([x[:, :, :, 1:2], x, x[:, :, :, -2:-1]], dim=3)


class Decoder(nn.Module):
    """Features of `LAYER` (B, 512, H, W) -> pictures (B, 3, 8 H, 8 W), about in [-1, 1]; H and W at least 2.

    Places are doubled by repeating them before a convolution, so no checkerboards arise. `means` is what each feature
    is on the average, so that the network sees numbers about 1.
    """

    def __init__(self, means: Tensor | None = None) -> None:
        super().__init__()
        blocks = [list(zip(widths, widths[1:])) for widths in WIDTHS]
        self.blocks = nn.ModuleList(
            nn.ModuleList(nn.Conv2d(inputs, outputs, 3) for inputs, outputs in block) for block in blocks
        )
        for convolution in self.modules():
            if isinstance(convolution, nn.Conv2d):
                nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")
                nn.init.zeros_(convolution.bias)
        with torch.no_grad():
            self.blocks[-1][-1].weight.mul_(0.1)  # begins with grey, not with noise beyond black and white
        self.register_buffer("means", torch.ones(WIDTHS[0][0], 1, 1) if means is None else means)

    def forward(self, features: Tensor) -> Tensor:
        x = features / self.means
        last = self.blocks[-1][-1]
        for number, block in enumerate(self.blocks):
            x = F.interpolate(x, scale_factor=2.0, mode="nearest") if number else x
            for convolution in block:
                x = convolution(reflected(x))
                x = x if convolution is last else F.relu_(x)
        return x

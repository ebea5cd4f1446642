"""Translators between two sets that paint with the blocks of the default recipe's generator.

An encoder halves a picture until its middle has few places. What is found there on the whole, the mean and the spread
of each channel, becomes one style, and styled blocks (models/projected.py) paint from the middle back to the full size.
The norms are those of a batch (Ioffe 2015): how light a picture is and how strong its contrasts are reach the painter,
which the instance norms of the papers' network take away. As there, a skip leads from the picture to its painting:
tanh(atanh(x) + change). Measured beside that network (models/resnet_translator.py), with the same critic, in
benchmarks/results.md, "Two sets that aren't paired".
"""

import contextlib
from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gan_play.models.layers import EqualizedLinear, as_picture
from gan_play.models.projected import StyledBlock
from gan_play.models.resnet_translator import MOST, PatchHeads

MIDDLE_PX = 16  # side of the middle, if the picture has the size that was learnt from
MOST_HALVINGS = 4
MOST_CHANNELS = 8  # of a map, in units of `width`
STYLE_DIM = 128
LITTLE = 0.02  # spread of the last weights: the first paintings are all but the pictures


class NormedResidual(nn.Module):
    """Two convolutions beside a skip, with batch norms: (B, C, H, W) -> the same."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.second = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norms = nn.ModuleList(nn.BatchNorm2d(channels) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.norms[0](self.first(x)))
        return x + self.norms[1](self.second(y))


class StyledTranslator(nn.Module):
    """A picture -> the same one as the other set would have it: (B, 3, H, W) -> (B, 3, H, W), both in [-1, 1].

    H and W are multiples of `multiple`, whatever size it learnt at; `width` channels at the full size.
    """

    def __init__(self, size_px: int, width: int) -> None:
        super().__init__()
        self.size_px, self.width = size_px, width
        halvings = min(MOST_HALVINGS, max(1, (size_px // MIDDLE_PX).bit_length() - 1))
        self.multiple = 2**halvings
        channels = [width * min(2**i, MOST_CHANNELS) for i in range(halvings + 1)]
        middle = channels[-1]
        # Of what `look` returns: the picture, each halving, the middle.
        self.strides = (*(2**i for i in range(halvings + 1)), self.multiple)
        self.depths = (3, *channels[1:], middle)
        self.first = nn.Conv2d(3, width, 3, padding=1, bias=False)
        self.down = nn.ModuleList(
            nn.Conv2d(a, b, 4, stride=2, padding=1, bias=False) for a, b in zip(channels, channels[1:])
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(count) for count in channels)
        self.blocks = nn.Sequential(*(NormedResidual(middle) for _ in range(2)))
        self.style = nn.Sequential(
            EqualizedLinear(2 * middle, STYLE_DIM),
            nn.LeakyReLU(0.2),
            EqualizedLinear(STYLE_DIM, STYLE_DIM),
            nn.LeakyReLU(0.2),
        )
        outwards = channels[::-1]
        self.up = nn.ModuleList(StyledBlock(a, b, STYLE_DIM) for a, b in zip(outwards, outwards[1:]))
        for block in self.up:  # a picture has one translation: nothing is drawn for it
            block.noise_strength.requires_grad_(False)
        self.last = nn.Conv2d(width, 3, 3, padding=1)
        nn.init.normal_(self.last.weight, 0.0, LITTLE)
        nn.init.zeros_(self.last.bias)

    def look(self, x: Tensor) -> list[Tensor]:
        """The first half: the picture, what is seen at each halving, the middle.

        (B, 3, H, W) -> maps of `depths` channels at `strides`.
        """
        maps = [x]
        x = F.relu(self.norms[0](self.first(x)))
        for layer, norm in zip(self.down, self.norms[1:]):
            maps.append(layer(x))
            x = F.relu(norm(maps[-1]))
        return [*maps, self.blocks(x)]

    def paint(self, maps: list[Tensor]) -> Tensor:
        """The second half: what `look` saw -> pictures (B, 3, H, W)."""
        x, y = maps[0], maps[-1]
        spread, mean = torch.var_mean(y.float(), dim=(2, 3), correction=0)
        w = self.style(torch.cat([mean, (spread + 1e-8).sqrt()], dim=1))
        for block in self.up:
            y = block(y, w, None)
        return as_picture(self.last(y).float() + x.float().clamp(-MOST, MOST).atanh())

    def forward(self, x: Tensor) -> Tensor:
        return self.paint(self.look(x))


class ContrastiveStyledTranslator(StyledTranslator):
    """The same with the heads that patches are compared through (Park 2020, section 3.2).

    Pixels aren't compared: that would hold on to their colours.
    """

    def __init__(self, size_px: int, width: int) -> None:
        super().__init__(size_px, width)
        self.compared = self.strides[1:]
        self.heads = PatchHeads(self.depths[1:], width)


@contextlib.contextmanager
def unremembered(network: nn.Module) -> Iterator[None]:
    """Meanwhile batch norms move no running statistics: these are to be of the pictures that are translated later, not
    of paintings that are looked at once more."""
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    before = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 0.0
    try:
        yield
    finally:
        for norm, momentum in zip(norms, before):
            norm.momentum = momentum

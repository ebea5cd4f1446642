"""Networks that turn a picture into a picture, and critics that look at patches: of `pix2pix`, `cut`, `cyclegan`.

A translator is fully convolutional: source (B, C, H, W) in [-1, 1] -> (B, 3, H, W) in [-1, 1] for any H and W that are
multiples of `multiple`. Maps are enlarged by repeating their places before a convolution, so there are no
checkerboards (Odena 2016); padding is with zeros, whose way back is exact on every device.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gan_play.models.layers import as_picture, sizes_of, unfolding

PATCHES = {3: 70, 2: 34, 1: 16}
"""How many pixels square a `PatchDiscriminator` with so many layers sees at once (Isola 2017, section 6.2)."""


def patch_layers(size_px: int) -> int:
    """How many layers a critic of pictures of this size has: patches of 70 pixels, smaller for small pictures."""
    return 3 if size_px >= 128 else 2 if size_px >= 64 else 1


class InstanceNorm(nn.Module):
    """Each channel of each picture brought to mean 0 and spread 1, then scaled and shifted (Ulyanov 2016).

    A map of one place, which has no spread, becomes its shift. While it learns its maps are laid out channels last, as
    the convolutions around it want them; torch's norm itself leaves them channels first.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        if x.shape[2] * x.shape[3] == 1:
            return self.bias[None, :, None, None].expand_as(x)
        y = F.instance_norm(x, weight=self.weight, bias=self.bias, eps=1e-5)
        return y.contiguous(memory_format=torch.channels_last) if self.training else y


def begin_small(network: nn.Module) -> None:
    """Weights of convolutions from N(0, 0.02), biases 0 (Isola 2017, section 6.2)."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.normal_(module.weight, 0.0, 0.02)
            if module.bias is not None:
                nn.init.zeros_(module.bias)


class UnetTranslator(nn.Module):
    """An encoder and a decoder with a skip between maps of one size: Isola 2017, section 3.2.1 and 6.1.1.

    `width` channels at half the size, twice as many at each halving down to a side of 4, at most eight times. The
    last layer sees the source itself too. Without the paper's dropout: one source has one result.

    `keeps`: the network paints what is to be changed of the source (He 2016), which is almost right already. Where a
    fourth channel is -1 nothing is to be changed: the result is the source there, so that all that is learnt is what
    the damage wants.
    """

    def __init__(self, size_px: int, width: int, source_channels: int = 3, keeps: bool = False) -> None:
        super().__init__()
        self.size_px, self.source_channels, self.keeps = size_px, source_channels, keeps
        levels = len(sizes_of(size_px)) - 1
        self.multiple = 2**levels
        channels = [width * min(8, 2**level) for level in range(levels)]
        self.down = nn.ModuleList(
            nn.Conv2d(before, after, 4, 2, 1) for before, after in zip([source_channels, *channels], channels)
        )
        # Neither the first map nor the last has a norm: the one keeps how bright it is, the other may be one place.
        self.down_norm = nn.ModuleList(InstanceNorm(count) for count in channels[1:-1])
        into, up = channels[-1], []
        for skip in channels[-2::-1]:
            up.append(nn.Conv2d(into, skip, 3, 1, 1))
            into = 2 * skip
        self.up = nn.ModuleList(up)
        self.up_norm = nn.ModuleList(InstanceNorm(layer.out_channels) for layer in up)
        last = max(8, width // 2)
        self.fine = nn.Conv2d(into + source_channels, last, 3, 1, 1)
        self.paint = nn.Conv2d(last, 3, 3, 1, 1)
        begin_small(self)

    def doubled(self, x: Tensor, layer: nn.Conv2d, beside: Tensor | None = None) -> Tensor:
        """The layer after doubling the size, on x and what lies `beside` it then: (B, I, H, W) -> (B, O, 2H, 2W).

        While it learns, x is doubled and convolved in one: the same but for rounding; painting keeps its bits.
        """
        if not self.training:
            x = twice(x)
            return layer(x if beside is None else torch.cat([x, beside], dim=1))
        mine, others = layer.weight.tensor_split([x.shape[1]], dim=1)
        y = F.conv_transpose2d(x, unfolding(mine), layer.bias, stride=2, padding=1)
        return y if beside is None else y + F.conv2d(beside, others, padding=1)

    def forward(self, source: Tensor) -> Tensor:
        if self.training:
            source = source.contiguous(memory_format=torch.channels_last)
        maps, x = [], source
        for level, layer in enumerate(self.down):
            x = layer(x if level == 0 else F.leaky_relu(x, 0.2))
            if 0 < level < len(self.down) - 1:
                x = self.down_norm[level - 1](x)
            maps.append(x)  # (B, channels, H / 2^(level + 1), W / 2^(level + 1))
        maps.pop()
        for layer, norm in zip(self.up, self.up_norm):
            x = norm(self.doubled(F.relu(x), layer))
            x = torch.cat([x, maps.pop()], dim=1)
        x = self.doubled(F.relu(x), self.fine, source.to(x.dtype))
        x = self.paint(F.leaky_relu(x, 0.2)).float()
        if self.keeps:
            x = x + torch.atanh(0.98 * source[:, :3].float().clamp(-1, 1))
        x = as_picture(x)
        if self.keeps and source.shape[1] > 3:
            x = torch.where(source[:, 3:] > -1, x, source[:, :3].to(x.dtype))
        return x


def twice(x: Tensor) -> Tensor:
    """Twice the height and width, each place repeated: (B, C, H, W) -> (B, C, 2 H, 2 W)."""
    return F.interpolate(x, scale_factor=2, mode="nearest")


class PatchDiscriminator(nn.Module):
    """Pictures (B, 3, H, W), beside what they were made of (B, C, H, W), -> a logit for each patch (B, 1, h, w).

    Isola 2017, section 3.2.2 and 6.1.2. `source_channels` 0: it sees the pictures alone. `PATCHES` says how large a
    patch is.
    """

    def __init__(self, source_channels: int, width: int, layers: int = 3) -> None:
        super().__init__()
        self.source_channels = source_channels
        channels = [width * min(8, 2**level) for level in range(layers + 1)]
        steps = [2] * layers + [1]
        self.layers = nn.ModuleList(
            nn.Conv2d(before, after, 4, step, 1)
            for before, after, step in zip([3 + source_channels, *channels], channels, steps)
        )
        self.norms = nn.ModuleList(InstanceNorm(count) for count in channels[1:])
        self.judge = nn.Conv2d(channels[-1], 1, 4, 1, 1)
        begin_small(self)

    def features(self, x: Tensor, source: Tensor | None = None) -> Tensor:
        """All of this network learns, so there is nothing that both updates could share."""
        return x if source is None else torch.cat([source.to(x.dtype), x], dim=1)

    def heads(self, x: Tensor) -> Tensor:
        for level, layer in enumerate(self.layers):
            x = layer(x)
            x = F.leaky_relu(self.norms[level - 1](x) if level else x, 0.2)
        return self.judge(x)

    def forward(self, x: Tensor, source: Tensor | None = None) -> Tensor:
        return self.heads(self.features(x, source))

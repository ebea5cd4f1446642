"""The modern baseline: residual networks without any normalisation, whose branches start silent.

Source: Huang 2024, "The GAN is dead; long live the GAN! A Modern Baseline GAN", section 3, configuration E. What keeps
it steady is not in here but in its loss and penalties: relativistic pairs with R1 and R2 (`trainers/adversarial.py`).
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gan_play.models.layers import adain, as_picture, channels_at, depths_of, sizes_of, style_bands

BLOCKS = 2  # residual ones at each resolution
GROUP = 16  # channels that a 3x3 convolution sees together
EXPANSION = 2  # channels inside a residual branch, in units of those outside
LAYERS = 3  # convolutions in a residual branch


def inner_channels(channels: int) -> int:
    """Channels inside a residual branch: whole groups."""
    return GROUP * -(-EXPANSION * channels // GROUP)


class ResidualBlock(nn.Module):
    """x + branch(x), the branch wider inside and grouped there: (B, C, H, W) -> the same shape.

    1x1 to the inner channels, leaky ReLU, 3x3 in groups, leaky ReLU, 1x1 back. The last convolution starts at zero,
    so that the block starts as the identity (Zhang 2019, "Fixup"). Source: Huang 2024, section 3.5.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        inner = inner_channels(channels)
        self.widen = nn.Conv2d(channels, inner, 1)
        self.look = nn.Conv2d(inner, inner, 3, padding=1, groups=inner // GROUP)
        self.narrow = nn.Conv2d(inner, channels, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        y = F.leaky_relu(self.widen(x), 0.2)
        return x + self.narrow(F.leaky_relu(self.look(y), 0.2))


def stage(channels: int) -> nn.Sequential:
    """The residual blocks of one resolution."""
    return nn.Sequential(*(ResidualBlock(channels) for _ in range(BLOCKS)))


def start_silent(network: nn.Module) -> None:
    """Fixup: He's spread, inside the branches by L^(-1 / (2m - 2)) less, their last layer 0; biases 0.

    L residual blocks of m layers, so that the first step changes the output by as much however deep the network is
    (Zhang 2019, section 3.2). Outside the branches no ReLU follows, so the gain is 1.
    """
    blocks = [module for module in network.modules() if isinstance(module, ResidualBlock)]
    share = len(blocks) ** (-1 / (2 * LAYERS - 2))
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(module.weight, nonlinearity="linear")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    for block in blocks:
        for layer in (block.widen, block.look):
            nn.init.kaiming_normal_(layer.weight, a=0.2, nonlinearity="leaky_relu")
            with torch.no_grad():
                layer.weight.mul_(share)
        nn.init.zeros_(block.narrow.weight)


class R3ganGenerator(nn.Module):
    """z -> picture: z weighs learnt maps of 4x4, which residual stages unfold, twice the size each.

    mapping: (B, z_dim) -> ws (B, 1, z_dim), z itself. synthesis: ws -> (B, 3, S, S) in [-1, 1]; no noise. The paper
    has no tanh at the end; here a picture is in [-1, 1] by contract.
    """

    noise_shapes: tuple = ()

    def __init__(self, size_px: int, width: int, z_dim: int = 64) -> None:
        super().__init__()
        self.size_px, self.z_dim, self.w_dim, self.num_ws, self.num_labels = size_px, z_dim, z_dim, 1, 0
        sizes = sizes_of(size_px)
        channels = [channels_at(size, size_px, width) for size in sizes]
        self.basis = nn.Parameter(torch.randn(channels[0], sizes[0], sizes[0]))
        self.weigh = nn.Linear(z_dim, channels[0], bias=False)
        self.stages = nn.ModuleList(stage(c) for c in channels)
        self.between = nn.ModuleList(nn.Conv2d(a, b, 1, bias=False) for a, b in zip(channels, channels[1:]))
        self.picture = nn.Conv2d(channels[-1], 3, 1)
        self.bands = style_bands(len(sizes))  # of the depths at which statistics can be taken
        self.register_buffer("w_mean", torch.zeros(z_dim))
        start_silent(self)

    def mapping(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        return z[:, None]

    def centre(self, label: Tensor | None = None) -> Tensor:
        """Where truncation draws styles to: broadcasts to ws."""
        return self.w_mean

    def style_weights(self) -> list[Tensor]:
        """The weights that each style meets first, a row a unit: (units, w_dim), one for each of the ws."""
        return [self.weigh.weight.detach()]

    def start(self, ws: Tensor) -> Tensor:
        """The first map: each channel's learnt 4x4, weighed by z.  # (B, C, 4, 4)"""
        x = self.weigh(ws[:, 0])[:, :, None, None] * self.basis
        return x.contiguous(memory_format=torch.channels_last)

    def unfold(self, x: Tensor, depth: int) -> Tensor:
        """The stage at a depth, entered from the one before it: bilinear, twice the size, but for the first."""
        if depth:  # the 1x1 convolution and the resampling commute, so it comes where the map is small
            x = self.between[depth - 1](x)
            x = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
        return self.stages[depth](x)

    def synthesis(self, ws: Tensor, noise: list[Tensor] | None = None) -> Tensor:
        x = self.start(ws)
        for depth in range(len(self.stages)):
            x = self.unfold(x, depth)
        return as_picture(self.picture(x))

    def mix(
        self,
        ws_a: Tensor,
        ws_b: Tensor,
        weights: tuple[float, float, float],
        noise: list[Tensor] | None = None,
    ) -> Tensor:
        """Picture a, whose activations take b's statistics at the depths of each band by its weight."""
        at_depth = [w for w, band in zip(weights, self.bands.values()) for _ in band]
        a, b = self.start(ws_a), self.start(ws_b)
        for depth, weight in enumerate(at_depth):
            a, b = self.unfold(a, depth), self.unfold(b, depth)
            a = adain(a, b, weight) if weight else a
        return as_picture(self.picture(a))

    def merge(self, bands: tuple[Tensor, Tensor, Tensor], noise: list[Tensor] | None = None) -> Tensor:
        """The first ws, whose activations take the others' statistics at the depths of form and of colour."""
        maps = [self.start(ws) for ws in bands]
        for depth, source in enumerate(depths_of(self.bands)):
            maps = [self.unfold(x, depth) for x in maps]
            maps[0] = adain(maps[0], maps[source]) if source else maps[0]
        return as_picture(self.picture(maps[0]))


class R3ganDiscriminator(nn.Module):
    """The same stages the other way, down to 4x4, a weight for each place and channel, one logit.

    (B, 3, S, S) -> (B, 1).
    """

    def __init__(self, size_px: int, width: int) -> None:
        super().__init__()
        sizes = sizes_of(size_px)[::-1]
        channels = [channels_at(size, size_px, width) for size in sizes]
        self.first = nn.Conv2d(3, channels[0], 1)
        self.stages = nn.ModuleList(stage(c) for c in channels)
        self.between = nn.ModuleList(nn.Conv2d(a, b, 1, bias=False) for a, b in zip(channels, channels[1:]))
        self.basis = nn.Conv2d(channels[-1], channels[-1], sizes[-1], groups=channels[-1], bias=False)
        self.judge = nn.Linear(channels[-1], 1, bias=False)  # in pairs a constant of all logits cancels
        start_silent(self)

    def features(self, x: Tensor) -> Tensor:
        """All of this network learns, so there is nothing that both updates could share."""
        return x.contiguous(memory_format=torch.channels_last)

    def heads(self, x: Tensor, label: Tensor | None = None) -> Tensor:
        x = self.stages[0](self.first(x))
        for between, blocks in zip(self.between, self.stages[1:]):
            # Halving bilinearly is the mean of 2x2; it commutes with the 1x1 convolution, and is cheaper first.
            x = blocks(between(F.avg_pool2d(x, 2)))
        return self.judge(self.basis(x).flatten(1))

    def forward(self, x: Tensor, label: Tensor | None = None) -> Tensor:
        return self.heads(self.features(x))

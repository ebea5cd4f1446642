"""The default pair: a light style generator, and a discriminator that looks through a frozen network.

The generator takes a style at every layer, so that mixing and walks work by construction.
The discriminator is Sauer 2021, "Projected GANs Converge Faster".
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gan_play.models.layers import EqualizedLinear, MappingNetwork, blend_styles, style_bands
from gan_play.models.pretrained import STAGE_CHANNELS, frozen_features

# Channels at each resolution, in units of `width`: most of them where the picture is small.
CHANNELS = {4: 8, 8: 8, 16: 4, 32: 2, 64: 1, 128: 0.5, 256: 0.25, 512: 0.25}


class StyledBlock(nn.Module):
    """Double the size, convolve, normalise, then gate each channel by the style (B, C, H, W)."""

    def __init__(self, inputs: int, outputs: int, w_dim: int, up: str | None) -> None:
        super().__init__()
        self.up = up
        self.convolution = nn.Conv2d(inputs, 2 * outputs, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(2 * outputs)
        self.noise_strength = nn.Parameter(torch.zeros(2 * outputs))
        self.gate = EqualizedLinear(w_dim, outputs, bias=0.0)

    def forward(self, x: Tensor, w: Tensor, noise: Tensor | None) -> Tensor:
        if self.up:
            x = F.interpolate(x, scale_factor=2, mode=self.up)
        x = self.norm(self.convolution(x))
        if noise is not None:
            x = x + noise.to(x.dtype) * self.noise_strength.to(x.dtype)[:, None, None]
        x = F.glu(x, dim=1)
        return x * (2 * torch.sigmoid(self.gate(w)))[:, :, None, None].to(x.dtype)


class StyleGenerator(nn.Module):
    """z -> ws -> picture. Every block is gated by its own w.

    mapping: (B, z_dim), label ignored -> ws (B, L, w_dim). synthesis: ws, noise -> (B, 3, S, S) in [-1, 1].
    """

    def __init__(
        self,
        size_px: int,
        width: int,
        z_dim: int = 128,
        w_dim: int = 128,
        up: str = "nearest",
        convs: int = 1,
    ) -> None:
        super().__init__()
        self.size_px, self.z_dim, self.w_dim, self.num_labels = size_px, z_dim, w_dim, 0
        sizes = [4 * 2**i for i in range(size_px.bit_length() - 2)]
        channels = {size: max(8, int(width * CHANNELS[size])) for size in sizes}
        self.map = MappingNetwork(z_dim, w_dim)
        self.first = EqualizedLinear(w_dim, channels[4] * 16)
        self.first_norm = nn.BatchNorm2d(channels[4])
        self.blocks = nn.ModuleList()
        self.noise_shapes: list[tuple[int, int, int]] = []
        for before, size in zip(sizes, sizes[1:]):
            for i in range(convs):
                source = channels[before] if i == 0 else channels[size]
                self.blocks.append(StyledBlock(source, channels[size], w_dim, up if i == 0 else None))
                self.noise_shapes.append((1, size, size))
        self.picture = nn.Conv2d(channels[size_px], 3, 3, padding=1)
        self.num_ws = 1 + len(self.blocks)
        self.bands = style_bands(self.num_ws)
        self.register_buffer("w_mean", torch.zeros(w_dim))

    def mapping(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        return self.map(z)[:, None].expand(-1, self.num_ws, -1)

    def synthesis(self, ws: Tensor, noise: list[Tensor] | None = None) -> Tensor:
        x = self.first(ws[:, 0]).view(len(ws), -1, 4, 4)  # (B, C, 4, 4)
        x = F.leaky_relu(self.first_norm(x), 0.2)
        x = x.contiguous(memory_format=torch.channels_last)
        for i, block in enumerate(self.blocks):
            x = block(x, ws[:, i + 1], noise[i] if noise else None)
        return torch.tanh(self.picture(x).float())

    def mix(
        self,
        ws_a: Tensor,
        ws_b: Tensor,
        weights: tuple[float, float, float],
        noise: list[Tensor] | None = None,
    ) -> Tensor:
        """Picture a with b's composition, form and colour by the three weights, 0 to 1 each."""
        return self.synthesis(blend_styles(ws_a, ws_b, weights, self.bands), noise)


class Head(nn.Module):
    """A small discriminator on one scale of features: (B, C, h, w) -> logits (B, h' * w')."""

    def __init__(self, inputs: int, width: int, size: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        while size > 4:
            layers += [nn.utils.spectral_norm(nn.Conv2d(inputs, width, 4, 2, 1)), nn.LeakyReLU(0.2)]
            inputs, size = width, size // 2
        layers += [nn.utils.spectral_norm(nn.Conv2d(inputs, width, 3, 1, 1)), nn.LeakyReLU(0.2)]
        layers += [nn.utils.spectral_norm(nn.Conv2d(width, 1, 3, 1, 1))]
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x).flatten(1)


def fixed(outputs: int, inputs: int, kernel: int) -> nn.Parameter:
    """Weights of a convolution that is never trained, in Kaiming's range."""
    spread = (2 / (inputs * kernel * kernel)) ** 0.5
    return nn.Parameter(torch.randn(outputs, inputs, kernel, kernel) * spread, requires_grad=False)


class ProjectedDiscriminator(nn.Module):
    """Frozen features, mixed at random across channels and scales, judged by small heads.

    `features` (the frozen network, the fixed mixing) is apart from `heads` (what learns), so that one pass over
    the fakes serves both updates. Source: Sauer 2021, section 3: fixed 1x1 convolutions mix the channels,
    fixed 3x3 convolutions with upsampling mix the scales, from deep to shallow.
    """

    def __init__(self, size_px: int, width: int = 64, look_px: int = 0, first: int = 0) -> None:
        super().__init__()
        self.look_px, self.first_stage = look_px or size_px, first
        channels = STAGE_CHANNELS["lite0"][first:]
        out = [32, 64, 64, 128, 256][first:]
        self.across_channels = nn.ParameterList(fixed(o, c, 1) for c, o in zip(channels, out))
        self.across_scales = nn.ParameterList(fixed(a, b, 3) for a, b in zip(out, out[1:]))
        sizes = [self.look_px // 2 ** (i + 1 + first) for i in range(len(out))]
        self.heads_list = nn.ModuleList(Head(o, width, s) for o, s in zip(out, sizes))

    def features(self, x: Tensor) -> list[Tensor]:
        """Mixed features at each scale, shallow to deep: (B, C_i, h_i, w_i)."""
        if self.look_px != x.shape[-1]:
            x = F.interpolate(x, size=self.look_px, mode="bilinear", align_corners=False)
        x = x.contiguous(memory_format=torch.channels_last)
        frozen = frozen_features("lite0", str(x.device))  # shared by all, so no part of this state
        maps = frozen(x)[self.first_stage :]
        maps = [F.conv2d(m, weight) for m, weight in zip(maps, self.across_channels)]
        for i in reversed(range(len(maps) - 1)):
            deeper = F.conv2d(maps[i + 1], self.across_scales[i], padding=1)
            maps[i] = maps[i] + F.interpolate(deeper, scale_factor=2, mode="nearest")
        return maps

    def heads(self, maps: list[Tensor]) -> Tensor:
        """Logits of every place at every scale: (B, sum of h' * w')."""
        return torch.cat([head(m) for head, m in zip(self.heads_list, maps)], dim=1)

    def forward(self, x: Tensor, label: Tensor | None = None) -> Tensor:
        return self.heads(self.features(x))

"""The default pair: a light style generator, and a discriminator that looks through a frozen network.

The generator takes a style at every layer, so that mixing and walks work by construction.
The discriminator is Sauer 2021, "Projected GANs Converge Faster".
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gan_play.models import together
from gan_play.models.layers import (
    EqualizedLinear,
    MappingNetwork,
    blend_styles,
    centre_of,
    merge_styles,
    style_bands,
    track_mean,
    unfolding,
)
from gan_play.models.pretrained import STAGE_CHANNELS, frozen_features

# Channels at each resolution, in units of `width`: most of them where the picture is small.
CHANNELS = {4: 8, 8: 8, 16: 4, 32: 2, 64: 1, 128: 0.5, 256: 0.25, 512: 0.25}


def as_map(numbers: Tensor, x: Tensor) -> Tensor:
    """A number a channel, (C,) or (B, C), as it is used with maps x."""
    return numbers[..., None, None].to(x.dtype)


class GatedStyle(torch.autograd.Function):
    """Batch norm, a style's scale and shift, noise and the gated unit in one: what StyledBlock does while it learns.

    x (B, 2C, H, W), scale and shift (B, 2C), noise (B, 1, H, W) or None -> (B, C, H, W). Left to autograd, the way
    back reads and writes the maps three times as often, and in another memory format, in which batch norm's is five
    times slower. Moves the norm's running statistics, as the norm itself would.
    """

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        norm: nn.BatchNorm2d,
        gain: Tensor,
        bias: Tensor,
        scale: Tensor,
        shift: Tensor,
        noise: Tensor | None,
        strength: Tensor,
    ) -> Tensor:
        norm.num_batches_tracked.add_(1)
        if together.alone():
            x, _, inverse = torch.native_batch_norm(
                x, None, None, norm.running_mean, norm.running_var, True, norm.momentum, norm.eps
            )
        else:
            mean, var = together.statistics(x, norm.running_mean, norm.running_var, norm.momentum)
            inverse = torch.rsqrt(var + norm.eps)
            x = ((x.float() - mean[:, None, None]) * inverse[:, None, None]).to(x.dtype)
        grows = 1 + scale.float()
        slope, start = gain * grows, bias * grows + shift.float()  # of norm and style together: (B, 2C)
        y = torch.addcmul(as_map(start, x), x, as_map(slope, x))
        if noise is not None:
            noise = noise.to(x.dtype)
            y.addcmul_(noise, as_map(strength, x))
        a, b = y.chunk(2, dim=1)
        # Packed first: where it is few channels of many, its sigmoid takes twice as long.
        gate = torch.sigmoid(b.contiguous(memory_format=torch.channels_last))
        ctx.save_for_backward(x, y, gate, noise, gain, bias, grows, slope, inverse)
        return a * gate

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, y, gate, noise, gain, bias, grows, slope, inverse = ctx.saved_tensors
        count, channels, height, width = x.shape

        back = torch.empty_like(y)  # to y: gate, and a gate (1 - gate)
        a, b = back.chunk(2, dim=1)
        torch.mul(grad, gate, out=a)
        torch.mul(a, y.chunk(2, dim=1)[0], out=b)
        b.addcmul_(b, gate, value=-1)

        def sums(maps: Tensor, weights: Tensor) -> Tensor:
            """Over the places, weighed: (B, 2C, H, W), (B, K, H W) -> (B, K, 2C), float32."""
            return (weights @ maps.permute(0, 2, 3, 1).reshape(count, -1, channels)).float()

        weights = back.new_ones(count, 1, height * width)
        if noise is not None:
            weights = torch.cat([weights, noise.flatten(2)], dim=1)
        summed = sums(back, weights)
        to_start, to_strength = summed[:, 0], None if noise is None else summed[:, 1].sum(dim=0)
        to_slope = sums(back * x, weights[:, :1])[:, 0]

        # Batch norm (Ioffe 2015, section 3): less the mean over the batch, and less what lies along x itself.
        whole = together.place()[1] * count * height * width
        both = torch.stack([(slope * to_start).sum(dim=0), (slope * to_slope).sum(dim=0)])
        mean, along = together.summed(both) / whole
        to_x = torch.addcmul(as_map(-mean * inverse, x), x, as_map(-along * inverse, x))
        to_x.addcmul_(back, as_map(slope * inverse, x))
        to_gain, to_bias = (to_slope * grows).sum(dim=0), (to_start * grows).sum(dim=0)
        return to_x, None, to_gain, to_bias, to_slope * gain + to_start * bias, to_start, None, to_strength


class StyledBlock(nn.Module):
    """Double the size, convolve, normalise, then let the style scale and shift each channel.

    (B, inputs, H, W), w (B, w_dim), noise (B, 1, 2H, 2W) -> (B, outputs, 2H, 2W). The gated unit after it turns
    half of the styled channels into gates of the other half (Dauphin 2017), so a style also opens and closes.
    Measured against gates alone (sigmoid of w), FastGAN's skip excitation and no style at all: KID after 9,600
    pictures 0.34 against 0.46, 0.40 and 0.52, and no checkerboards (benchmarks/results.md).

    While it learns it computes the same, but for rounding, in less time; painting keeps its bits.
    """

    def __init__(self, inputs: int, outputs: int, w_dim: int) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(inputs, 2 * outputs, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(2 * outputs)
        self.style = EqualizedLinear(w_dim, 4 * outputs)
        self.noise_strength = nn.Parameter(torch.zeros(2 * outputs))

    def forward(self, x: Tensor, w: Tensor, noise: Tensor | None) -> Tensor:
        if self.training:
            x = F.conv_transpose2d(x, unfolding(self.convolution.weight), stride=2, padding=1)
            scale, shift = self.style(w).chunk(2, dim=1)
            norm = self.norm
            return GatedStyle.apply(x, norm, norm.weight, norm.bias, scale, shift, noise, self.noise_strength)
        x = F.interpolate(x, scale_factor=2, mode="nearest")
        x = self.norm(self.convolution(x))
        scale, shift = self.style(w)[:, :, None, None].to(x.dtype).chunk(2, dim=1)
        x = x * (1 + scale) + shift
        if noise is not None:
            # As the maps lie in memory, channels last: else the sum takes five to nine times as long.
            noise = noise.to(x.dtype).permute(0, 2, 3, 1) * self.noise_strength.to(x.dtype)
            x = x + noise.permute(0, 3, 1, 2)
        return F.glu(x, dim=1)


class StyleGenerator(nn.Module):
    """z -> ws -> picture; every layer has a w of its own.

    mapping: z (B, z_dim), label (B,) where there are any -> ws (B, L, w_dim). synthesis: ws, noise ->
    (B, 3, S, S) in [-1, 1], float32. `noise` has one map a block, (B, 1, H, W) as in `noise_shapes`; None is no noise.
    """

    def __init__(
        self, size_px: int, width: int, num_labels: int = 0, z_dim: int = 128, w_dim: int = 128
    ) -> None:
        super().__init__()
        self.size_px, self.z_dim, self.w_dim, self.num_labels = size_px, z_dim, w_dim, num_labels
        sizes = [4 * 2**i for i in range(size_px.bit_length() - 2)]
        channels = [max(8, int(width * CHANNELS[size])) for size in sizes]
        self.map = MappingNetwork(z_dim, w_dim, num_labels=num_labels)
        self.first = EqualizedLinear(w_dim, 2 * channels[0] * 16)
        self.first_norm = nn.BatchNorm2d(2 * channels[0])
        self.blocks = nn.ModuleList(StyledBlock(a, b, w_dim) for a, b in zip(channels, channels[1:]))
        self.picture = nn.Conv2d(channels[-1], 3, 3, padding=1)
        self.num_ws = 1 + len(self.blocks)
        self.bands = style_bands(self.num_ws)
        self.noise_shapes = [(1, size, size) for size in sizes[1:]]
        self.register_buffer("w_mean", torch.zeros(num_labels, w_dim) if num_labels else torch.zeros(w_dim))

    def mapping(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        w = self.map(z, label)
        if self.training:
            track_mean(self.w_mean, w, label)
        return w[:, None].expand(-1, self.num_ws, -1)

    def centre(self, label: Tensor | None = None) -> Tensor:
        """Where truncation draws styles to, each label's own: broadcasts to ws."""
        return centre_of(self.w_mean, label)

    def style_weights(self) -> list[Tensor]:
        """The weights that each style meets first, a row a unit: (units, w_dim), one for each of the ws."""
        layers = [self.first, *(block.style for block in self.blocks)]
        return [layer.weight.detach() * layer.scale for layer in layers]

    def synthesis(self, ws: Tensor, noise: list[Tensor] | None = None) -> Tensor:
        x = self.first(ws[:, 0]).view(len(ws), -1, 4, 4)  # (B, 2C, 4, 4)
        x = F.glu(self.first_norm(x.contiguous(memory_format=torch.channels_last)), dim=1)
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

    def merge(self, bands: tuple[Tensor, Tensor, Tensor], noise: list[Tensor] | None = None) -> Tensor:
        """Composition, form and colour, each of its own ws."""
        return self.synthesis(merge_styles(bands, self.bands), noise)


class Head(nn.Module):
    """A small discriminator on one scale of features: (B, C, h, w) -> logits (B, h' * w').

    With labels, each place's features are judged by the label's own direction as well (Miyato & Koyama 2018).
    """

    def __init__(self, inputs: int, width: int, size: int, num_labels: int = 0) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        while size > 4:
            layers += [
                nn.utils.spectral_norm(nn.Conv2d(inputs, width, 4, 2, 1)),
                nn.LeakyReLU(0.2, inplace=True),
            ]
            inputs, size = width, size // 2
        layers += [nn.utils.spectral_norm(nn.Conv2d(inputs, width, 3, 1, 1)), nn.LeakyReLU(0.2, inplace=True)]
        layers += [nn.utils.spectral_norm(nn.Conv2d(width, 1, 3, 1, 1))]
        self.layers = nn.Sequential(*layers)
        self.label = nn.utils.spectral_norm(nn.Embedding(num_labels, width)) if num_labels else None

    def forward(self, x: Tensor, label: Tensor | None = None) -> Tensor:
        if self.label is None or label is None:
            return self.layers(x).flatten(1)
        seen = self.layers[:-1](x)
        towards = self.label(label)[:, :, None, None].to(seen.dtype)
        return (self.layers[-1](seen) + (seen * towards).sum(dim=1, keepdim=True)).flatten(1)


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

    def __init__(self, size_px: int, num_labels: int = 0, width: int = 64) -> None:
        super().__init__()
        channels, out = STAGE_CHANNELS["lite0"], [32, 64, 64, 128, 256]
        self.across_channels = nn.ParameterList(fixed(o, c, 1) for c, o in zip(channels, out))
        self.across_scales = nn.ParameterList(fixed(a, b, 3) for a, b in zip(out, out[1:]))
        sizes = [size_px // 2 ** (i + 1) for i in range(len(out))]
        self.heads_list = nn.ModuleList(Head(o, width, s, num_labels) for o, s in zip(out, sizes))

    def features(self, x: Tensor) -> list[Tensor]:
        """Mixed features at each scale, shallow to deep: (B, C_i, h_i, w_i)."""
        x = x.contiguous(memory_format=torch.channels_last)
        frozen = frozen_features("lite0", str(x.device))  # shared by all, so no part of this state
        maps = [F.conv2d(m, weight) for m, weight in zip(frozen(x), self.across_channels)]
        for i in reversed(range(len(maps) - 1)):
            deeper = F.conv2d(maps[i + 1], self.across_scales[i], padding=1)
            maps[i] = maps[i] + F.interpolate(deeper, scale_factor=2, mode="nearest")
        return maps

    def heads(self, maps: list[Tensor], label: Tensor | None = None) -> Tensor:
        """Logits of every place at every scale: (B, sum of h' * w')."""
        return torch.cat([head(m, label) for head, m in zip(self.heads_list, maps)], dim=1)

    def forward(self, x: Tensor, label: Tensor | None = None) -> Tensor:
        return self.heads(self.features(x), label)

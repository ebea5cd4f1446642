"""StyleGAN2: styles that modulate the weights of every convolution, and a residual critic that sees whole batches.

Sources: Karras 2020, "Analyzing and Improving the Image Quality of StyleGAN", and for labels and the shallow mapping
Karras 2020, "Training Generative Adversarial Networks with Limited Data" (ADA). Narrower than the papers' networks:
they are made for 512 channels and days on eight graphics cards.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gan_play.models import together
from gan_play.models.layers import (
    EqualizedLinear,
    LaidOut,
    MappingNetwork,
    blend_styles,
    centre_of,
    constant,
    merge_styles,
    sizes_of,
    style_bands,
    track_mean,
)

MOST = 8  # channels of the smallest maps, in units of `width`
FULL_PX = 64  # the map that has `width` channels; half as many at each doubling
GAIN = math.sqrt(2)  # gives back what leaky ReLU takes from the spread of its inputs
HALF = math.sqrt(0.5)  # the sum of two has twice the variance of one
GROUP = 4  # pictures whose spread the critic looks at together (Karras 2018, section 3)
SMOOTH = (1.0, 3.0, 3.0, 1.0)  # the low-pass filter of every change of size (Karras 2020, appendix B)


def channels_of(size: int, width: int) -> int:
    """Channels of a map with that side: `width` at 64 px, twice as many at each halving, at most 8 times."""
    return max(8, min(MOST * width, width * FULL_PX // size))


# Changes of size. Every map is smoothed by 1-3-3-1 in both directions, so that no pixel grid shows through.
# Convolutions and sums alone: they add in one order on every device, and can be differentiated twice.


def smoothing(x: Tensor, gain: float) -> Tensor:
    """The filter for each channel of x: (C, 1, 4, 4), of sum `gain`."""
    line = constant(SMOOTH, x.device, x.dtype) / sum(SMOOTH)
    return (torch.outer(line, line) * gain).expand(x.shape[1], 1, 4, 4)


def smooth(x: Tensor, padding: int, gain: float = 1.0, stride: int = 1) -> Tensor:
    """x smoothed, every `stride`th place kept: (B, C, H, W) -> (B, C, (H + 2 padding - 4) // stride + 1, ..)."""
    return F.conv2d(x, smoothing(x, gain), stride=stride, padding=padding, groups=x.shape[1])


def enlarge(x: Tensor) -> Tensor:
    """Twice the size, smoothed, the edge going on outside: (B, C, H, W) -> (B, C, 2H, 2W).

    1-3-3-1 after inserted zeros gives 3/4 of the nearest pixel and 1/4 of the next one: bilinear, written in sums.
    """
    for axis in (2, 3):
        last = x.shape[axis] - 1
        before = torch.cat([x.narrow(axis, 0, 1), x.narrow(axis, 0, last)], dim=axis)
        after = torch.cat([x.narrow(axis, 1, last), x.narrow(axis, last, 1)], dim=axis)
        pairs = torch.stack([torch.lerp(x, before, 0.25), torch.lerp(x, after, 0.25)], dim=axis + 1)
        x = pairs.flatten(axis, axis + 1)
    return x


# Layers


class EqualizedConvolution(nn.Module):
    """A convolution whose weights are scaled at run time (Karras 2018, section 4.1), with what belongs around it.

    (B, inputs, H, W) -> (B, outputs, H, W), or half the size where `halve`: then smoothed before it is thinned out.
    `gain` is what comes after it, moved into the small tensors: for a g > 0, g lrelu(x) = lrelu(g x).
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int,
        halve: bool = False,
        bias: bool = True,
        gain: float = 1.0,
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(outputs)) if bias else None
        self.halve, self.kernel = halve, kernel
        self.scale, self.gain = gain / math.sqrt(inputs * kernel**2), gain

    def forward(self, x: Tensor) -> Tensor:
        weight = self.weight * self.scale
        bias = None if self.bias is None else self.bias * self.gain
        if not self.halve:
            return F.conv2d(x, weight, bias, padding=self.kernel // 2)
        if self.kernel == 1:  # it looks at every other place alone, so no other is smoothed
            return F.conv2d(smooth(x, padding=1, stride=2), weight, bias)
        return F.conv2d(smooth(x, padding=1 + self.kernel // 2), weight, bias, stride=2)


def modulated(x: Tensor, weight: Tensor, style: Tensor, enlarged: bool = False) -> Tensor:
    """The convolution of each picture with weights scaled by its own style: (B, I, H, W) -> (B, O, H', W').

    weight (O, I, k, k), style (B, I). w'_oik = s_i w_oik (Karras 2020, equation 1). All of a picture's weights for one
    input share a factor, so it is put on the input instead, and one convolution serves the whole batch.
    """
    x = x * style.to(x.dtype)[:, :, None, None]
    if not enlarged:
        return F.conv2d(x, weight, padding=weight.shape[-1] // 2)
    return smooth(F.conv_transpose2d(x, weight.transpose(0, 1), stride=2), padding=1, gain=4.0)


def demodulation(weight: Tensor, style: Tensor) -> Tensor:
    """1 / sqrt(sum_ik (s_i w_oik)^2 + eps): what brings each output back to unit variance (B, O).

    Source: Karras 2020, equation 3, with the sum over the kernel taken first, as it is the same for all pictures.
    """
    return torch.rsqrt(F.linear(style.square(), weight.square().sum(dim=(2, 3))) + 1e-8)


class StyledConvolution(nn.Module):
    """Modulate, convolve, demodulate, add noise and bias, leaky ReLU (Karras 2020, figure 2d).

    x (B, inputs, H, W), w (B, w_dim), noise (B, 1, H', W') or None -> (B, outputs, H', W'); H' is 2H where `enlarged`.

    While it learns, noise is added last, to maps that stay channels last: noise and bias together aren't, the sum with
    them isn't either, and convolutions take up to four times as long then. Painting adds as before: it keeps its bits.
    """

    def __init__(self, inputs: int, outputs: int, w_dim: int, enlarged: bool = False) -> None:
        super().__init__()
        self.style = EqualizedLinear(w_dim, inputs, bias=1.0)
        self.weight = nn.Parameter(torch.randn(outputs, inputs, 3, 3))
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.noise_strength = nn.Parameter(torch.zeros(()))
        self.scale, self.enlarged = 1 / math.sqrt(inputs * 9), enlarged

    def forward(self, x: Tensor, w: Tensor, noise: Tensor | None = None) -> Tensor:
        style, weight = self.style(w), self.weight * self.scale
        y = modulated(x, weight, style, self.enlarged)
        # The gain, moved into the small tensors: sqrt(2) lrelu(y) = lrelu(sqrt(2) y).
        back = (demodulation(weight, style) * GAIN).to(y.dtype)[:, :, None, None]
        added = (self.bias * GAIN).to(y.dtype)[None, :, None, None]
        if noise is not None:
            noise = (noise * (self.noise_strength * GAIN)).to(y.dtype)
            added = added if self.training else added + noise
        y = torch.addcmul(added, y, back)
        if noise is not None and self.training:
            y.add_(noise)
        return F.leaky_relu(y, 0.2, inplace=True)


class ToPicture(nn.Module):
    """Red, green and blue out of a map by a modulated 1x1 convolution, without demodulation: float32 (B, 3, H, W).

    While it learns, each picture's own weights meet its map in one product, and no scaled copy of the map is made.
    """

    def __init__(self, inputs: int, w_dim: int) -> None:
        super().__init__()
        self.style = EqualizedLinear(w_dim, inputs, bias=1.0)
        self.weight = nn.Parameter(torch.randn(3, inputs, 1, 1))
        self.bias = nn.Parameter(torch.zeros(3))
        self.scale = 1 / math.sqrt(inputs)

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        weight, style = self.weight * self.scale, self.style(w)
        if self.training:
            x = LaidOut.apply(x, torch.channels_last, torch.channels_last)
            own = (style[:, None] * weight[:, :, 0, 0]).to(x.dtype)  # (B, 3, I)
            places = x.permute(0, 2, 3, 1).flatten(1, 2)  # (B, H W, I)
            y = (own @ places.mT).unflatten(2, x.shape[2:])
        else:
            y = modulated(x, weight, style)
        return y.to(self.bias.dtype) + self.bias[None, :, None, None]


class StyledBlock(nn.Module):
    """Twice the size by two styled convolutions; with a skip past them where `residual` (Karras 2020, figure 7)."""

    def __init__(self, inputs: int, outputs: int, w_dim: int, residual: bool) -> None:
        super().__init__()
        self.first = StyledConvolution(inputs, outputs, w_dim, enlarged=True)
        self.second = StyledConvolution(outputs, outputs, w_dim)
        self.skip = EqualizedConvolution(inputs, outputs, 1, bias=False) if residual else None

    def forward(
        self, x: Tensor, w_first: Tensor, w_second: Tensor, noise: tuple[Tensor, Tensor] | tuple[None, None]
    ) -> Tensor:
        y = self.second(self.first(x, w_first, noise[0]), w_second, noise[1])
        if self.skip is None:
            return y
        return (y + enlarge(self.skip(x))) * HALF


# Networks


class Stylegan2Generator(nn.Module):
    """z, and a label where there are any -> ws -> picture; every convolution has a w of its own.

    mapping: z (B, z_dim), label (B,) -> ws (B, L, w_dim). synthesis: ws, noise -> (B, 3, S, S), float32, in [-1, 1] in
    evaluation; in training it isn't cut off there, since nothing could be learnt beyond. `noise` has one map for each
    styled convolution, (B, 1, H, W) as in `noise_shapes`; None is no noise. The picture is the sum of what each
    resolution says of it (output skips), or with `residual` what the last one says.
    """

    def __init__(
        self,
        size_px: int,
        width: int,
        num_labels: int = 0,
        z_dim: int = 128,
        w_dim: int = 128,
        residual: bool = False,
        mapping_layers: int = 2,
    ) -> None:
        super().__init__()
        self.size_px, self.z_dim, self.w_dim, self.num_labels = size_px, z_dim, w_dim, num_labels
        sizes = sizes_of(size_px)
        channels = [channels_of(size, width) for size in sizes]
        # Two layers instead of eight, and a hundredth of the rate: Karras 2020 (ADA), appendix F.
        self.map = MappingNetwork(z_dim, w_dim, mapping_layers, rate=0.01, num_labels=num_labels)
        self.constant = nn.Parameter(torch.randn(channels[0], sizes[0], sizes[0]))
        self.first = StyledConvolution(channels[0], channels[0], w_dim)
        self.blocks = nn.ModuleList(
            StyledBlock(a, b, w_dim, residual) for a, b in zip(channels, channels[1:])
        )
        seen = channels[-1:] if residual else channels
        self.pictures = nn.ModuleList(ToPicture(c, w_dim) for c in seen)
        self.residual = residual
        self.num_ws = 2 * len(sizes)  # one for each convolution, and one for the last picture
        self.bands = style_bands(self.num_ws)
        self.noise_shapes = [(1, sizes[0], sizes[0])] + [(1, size, size) for size in sizes[1:] for _ in "ab"]
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
        layers = [[self.first], *([one] for block in self.blocks for one in (block.first, block.second)), []]
        for place, picture in enumerate(
            self.pictures
        ):  # it shares its style with the convolution that comes next
            layers[-1 if self.residual else 2 * place + 1].append(picture)
        return [torch.cat([one.style.weight.detach() * one.style.scale for one in each]) for each in layers]

    def synthesis(self, ws: Tensor, noise: list[Tensor] | None = None) -> Tensor:
        maps = noise or [None] * len(self.noise_shapes)
        x = self.constant.expand(len(ws), -1, -1, -1).contiguous(memory_format=torch.channels_last)
        x = self.first(x, ws[:, 0], maps[0])
        picture = None if self.residual else self.pictures[0](x, ws[:, 1])
        for i, block in enumerate(self.blocks):
            x = block(x, ws[:, 2 * i + 1], ws[:, 2 * i + 2], maps[2 * i + 1 : 2 * i + 3])
            if picture is not None:  # it shares its style with the convolution that comes next
                picture = enlarge(picture) + self.pictures[i + 1](x, ws[:, 2 * i + 3])
        if picture is None:
            picture = self.pictures[0](x, ws[:, -1])
        return picture if self.training else picture.clamp(-1, 1)

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


class DownBlock(nn.Module):
    """Half the size, with a skip past it: (B, inputs, H, W) -> (B, outputs, H / 2, W / 2)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.first = EqualizedConvolution(inputs, inputs, 3, gain=GAIN)
        self.second = EqualizedConvolution(inputs, outputs, 3, halve=True, gain=GAIN * HALF)
        self.skip = EqualizedConvolution(inputs, outputs, 1, halve=True, bias=False, gain=HALF)

    def forward(self, x: Tensor) -> Tensor:
        y = F.leaky_relu(self.first(x), 0.2, inplace=True)
        return self.skip(x).add_(F.leaky_relu(self.second(y), 0.2, inplace=True))


def with_spread(x: Tensor) -> Tensor:
    """One more map, flat, that says how much the pictures of a group differ: (B, C, H, W) -> (B, C + 1, H, W).

    The standard deviation over a group of up to four, averaged over channels and places (Karras 2018, section 3), by
    which a critic notices that a painter repeats itself. A batch that four doesn't divide has smaller groups.
    """
    whole = together.gathered(x.float())
    count = max(size for size in range(1, GROUP + 1) if len(whole) % size == 0)
    groups = whole.permute(0, 2, 3, 1).flatten(1).unflatten(0, (count, -1))  # (G, B / G, H W C)
    var = (groups - groups.mean(dim=0)).square().mean(dim=0)  # torch's own takes three times as long
    spread = (var + 1e-8).sqrt().mean(dim=1)  # (B / G,)
    flat = together.own(spread.repeat(count)).to(x.dtype)[:, None, None, None].expand(-1, 1, *x.shape[2:])
    return torch.cat([x, flat], dim=1)


class Stylegan2Discriminator(nn.Module):
    """A residual critic (Karras 2020, figure 7): (B, 3, S, S), label (B,) -> logits (B, 1).

    With labels, its verdict is the agreement of what it sees with what the label says (Miyato & Koyama 2018; as in
    Karras 2020, ADA); a missing label is label 0. Its buffers keep what the training learns about itself: `ada_p`, how
    often pictures are shaken; `ada_signs`, the evidence for changing it; `path_mean`, the usual length of a path.
    """

    def __init__(self, size_px: int, width: int, num_labels: int = 0) -> None:
        super().__init__()
        self.num_labels = num_labels
        sizes = sizes_of(size_px)[::-1]
        channels = [channels_of(size, width) for size in sizes]
        self.first = EqualizedConvolution(3, channels[0], 1, gain=GAIN)
        self.blocks = nn.Sequential(*(DownBlock(a, b) for a, b in zip(channels, channels[1:])))
        seen = channels[-1]
        self.last = EqualizedConvolution(seen + 1, seen, 3, gain=GAIN)
        self.thought = EqualizedLinear(seen * sizes[-1] ** 2, seen)
        self.verdict = EqualizedLinear(seen, seen if num_labels else 1)
        if num_labels:
            self.label = nn.Embedding(num_labels, seen)
            self.label_map = MappingNetwork(seen, seen, rate=0.01)
        for name in ("ada_p", "ada_signs", "path_mean"):
            self.register_buffer(name, torch.zeros(()))

    def features(self, x: Tensor) -> Tensor:
        """All of this network learns, so there is nothing that both updates could share.

        The gradient is laid out as pictures are, whose way back through the augmentation is slow in two formats.
        """
        return LaidOut.apply(x, torch.channels_last, torch.contiguous_format)

    def heads(self, x: Tensor, label: Tensor | None = None) -> Tensor:
        x = self.blocks(F.leaky_relu(self.first(x), 0.2, inplace=True))
        x = F.leaky_relu(self.last(with_spread(x)), 0.2, inplace=True)
        seen = self.verdict(F.leaky_relu(self.thought(x.flatten(1)), 0.2) * GAIN)
        if not self.num_labels:
            return seen
        label = torch.zeros(len(x), dtype=torch.int64, device=x.device) if label is None else label
        told = self.label_map(self.label(label))
        return (seen * told).sum(dim=1, keepdim=True) / math.sqrt(told.shape[1])

    def forward(self, x: Tensor, label: Tensor | None = None) -> Tensor:
        return self.heads(self.features(x), label)

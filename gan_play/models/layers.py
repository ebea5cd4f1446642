"""Layers that several networks share."""

import functools
import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gan_play.models import together


@functools.lru_cache(maxsize=64)
def constant(values: tuple[float, ...], device: torch.device, dtype: torch.dtype) -> Tensor:
    """Numbers that never change, sent to a device once: to make a tensor of them there is to wait for it."""
    with torch.inference_mode(False):  # whoever asks first: what learns has to be able to use them too
        return torch.tensor(values, device=device, dtype=dtype)


class LaidOut(torch.autograd.Function):
    """x in the memory format `there`, its gradient in the format `back`: (B, C, H, W) -> the same.

    A sum of maps in two formats, or a leaky ReLU's way back, takes ten times as long as in one. The gradient of the
    gradient is laid out as x is, and so on.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, there: torch.memory_format, back: torch.memory_format) -> Tensor:
        ctx.formats = back, there
        return x.contiguous(memory_format=there)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        return LaidOut.apply(grad, *ctx.formats), None, None


class EqualizedLinear(nn.Module):
    """A linear layer whose weights are scaled at run time, so that all layers learn at one speed.

    (B, inputs) -> (B, outputs). Source: Karras 2018, "Progressive Growing of GANs", section 4.1;
    the learning-rate multiplier as in Karras 2019, "A Style-Based Generator", appendix C.
    """

    def __init__(self, inputs: int, outputs: int, bias: float = 0.0, rate: float = 1.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs) / rate)
        self.bias = nn.Parameter(torch.full((outputs,), bias / rate))
        self.scale, self.rate = rate / math.sqrt(inputs), rate

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight * self.scale, self.bias * self.rate)


class MappingNetwork(nn.Module):
    """z (B, z_dim), label (B,) -> w (B, w_dim): normalise, then a small perceptron (Karras 2019, section 2).

    A label's own numbers, normalised as z is, stand beside it (Karras 2020, ADA). A missing label is label 0.
    """

    def __init__(
        self, z_dim: int, w_dim: int, layers: int = 2, rate: float = 0.1, num_labels: int = 0
    ) -> None:
        super().__init__()
        self.num_labels = num_labels
        if num_labels:
            self.label = nn.Embedding(num_labels, z_dim)
        widths = [z_dim * (2 if num_labels else 1)] + [w_dim] * layers
        self.layers = nn.ModuleList(EqualizedLinear(a, b, rate=rate) for a, b in zip(widths, widths[1:]))

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        w = z * torch.rsqrt(z.square().mean(dim=1, keepdim=True) + 1e-8)
        if self.num_labels:
            label = torch.zeros(len(z), dtype=torch.int64, device=z.device) if label is None else label
            y = self.label(label)
            w = torch.cat([w, y * torch.rsqrt(y.square().mean(dim=1, keepdim=True) + 1e-8)], dim=1)
        for layer in self.layers:
            w = F.leaky_relu(layer(w), 0.2) * math.sqrt(2)
        return w


@torch.no_grad()
def track_mean(w_mean: Tensor, w: Tensor, label: Tensor | None, share: float = 0.01) -> None:
    """Moves the running mean of w (B, D) a little: w_mean (D,), or (labels, D), the labels that occur alone."""
    w = w.float()
    if w_mean.ndim == 1:
        w_mean.lerp_(together.averaged(w.mean(dim=0)), share)
        return
    label = torch.zeros(len(w), dtype=torch.int64, device=w.device) if label is None else label
    count = together.summed(torch.zeros_like(w_mean[:, :1]).index_add_(0, label, w.new_ones(len(w), 1)))
    total = together.summed(torch.zeros_like(w_mean).index_add_(0, label, w))
    w_mean.lerp_(torch.where(count > 0, total / count.clamp(min=1), w_mean), share)


def centre_of(w_mean: Tensor, label: Tensor | None) -> Tensor:
    """The mean style of each label (B, 1, D), or of all where there are no labels (D,)."""
    if w_mean.ndim == 1:
        return w_mean
    return w_mean[:1, None] if label is None else w_mean[label][:, None]


def sizes_of(size_px: int) -> list[int]:
    """The sides of a network's maps, halved from `size_px` as long as they stay whole and at least 4; small first.

    64 -> 4, 8, 16, 32, 64; 28 -> 7, 14, 28.
    """
    sizes = [size_px]
    while sizes[0] % 2 == 0 and sizes[0] >= 8:
        sizes.insert(0, sizes[0] // 2)
    return sizes


def channels_at(size: int, size_px: int, width: int, most: int = 8) -> int:
    """Half as many channels at each doubling of the size, `width` of them at half the final size."""
    return max(8, min(most * width, width * size_px // (2 * size)))


def unfolding(weight: Tensor) -> Tensor:
    """The weights (I, O, 4, 4) of a transposed convolution, stride 2, that doubles the size and convolves in one.

    weight (O, I, 3, 3) is that of the convolution after doubling to the nearest pixel. Two of its three taps fall on
    copies of one pixel, so their sum does: 4 products for each of 9 (Shi 2016, "Is the deconvolution layer the same as
    a convolutional layer?").
    """
    for axis in (2, 3):
        first, middle, last = weight.unbind(axis)
        weight = torch.stack([last, middle + last, first + middle, first], dim=axis)
    return weight.transpose(0, 1)


def adain(x: Tensor, y: Tensor, weight: float = 1.0) -> Tensor:
    """sigma(y) (x - mu(x)) / sigma(x) + mu(y) for each channel: x in y's statistics (B, C, H, W).

    `weight` moves the statistics only part of the way. Source: Huang 2017, equation 8.
    """
    mu_x, mu_y = x.mean(dim=(2, 3), keepdim=True), y.mean(dim=(2, 3), keepdim=True)
    # The biased variance, as in the paper: over the places of one picture, 1e-5 against a flat channel.
    sigma_x = (x.var(dim=(2, 3), keepdim=True, correction=0) + 1e-5).sqrt()
    sigma_y = (y.var(dim=(2, 3), keepdim=True, correction=0) + 1e-5).sqrt()
    sigma, mu = torch.lerp(sigma_x, sigma_y, weight), torch.lerp(mu_x, mu_y, weight)
    return sigma * (x - mu_x) / sigma_x + mu


def as_picture(x: Tensor) -> Tensor:
    """The last layer's output -> a picture in [-1, 1], float32: (B, 1 or 3, S, S) -> (B, 3, S, S)."""
    return torch.tanh(x.float()).expand(-1, 3, -1, -1)


def style_bands(num_ws: int) -> dict[str, range]:
    """Which of the ws hold composition, form and colour: a third each, the coarse ones first."""
    first, second = max(1, round(num_ws / 3)), max(2, round(2 * num_ws / 3))
    return {"coarse": range(first), "middle": range(first, second), "fine": range(second, num_ws)}


def blend_styles(
    ws_a: Tensor, ws_b: Tensor, weights: tuple[float, float, float], bands: dict[str, range]
) -> Tensor:
    """Styles of a with each band moved towards b by its weight: (B, L, D)."""
    amount = ws_a.new_zeros(ws_a.shape[1])
    for weight, band in zip(weights, bands.values()):
        amount[band.start : band.stop] = weight
    return torch.lerp(ws_a, ws_b, amount[None, :, None])


def merge_styles(sources: tuple[Tensor, Tensor, Tensor], bands: dict[str, range]) -> Tensor:
    """Styles whose coarse, middle and fine bands are those of three others: (B, L, D) each."""
    parts = [ws[:, band.start : band.stop] for ws, band in zip(sources, bands.values())]
    return torch.cat(parts, dim=1)


def depths_of(bands: dict[str, range]) -> list[int]:
    """Which band each depth belongs to: 0 coarse, 1 middle, 2 fine."""
    return [place for place, band in enumerate(bands.values()) for _ in band]

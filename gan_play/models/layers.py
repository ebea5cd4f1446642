"""Layers that several networks share."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


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
    """z (B, z_dim) -> w (B, w_dim): normalise, then a small perceptron (Karras 2019, section 2)."""

    def __init__(self, z_dim: int, w_dim: int, layers: int = 2, rate: float = 0.1) -> None:
        super().__init__()
        widths = [z_dim] + [w_dim] * layers
        self.layers = nn.ModuleList(EqualizedLinear(a, b, rate=rate) for a, b in zip(widths, widths[1:]))

    def forward(self, z: Tensor) -> Tensor:
        w = z * torch.rsqrt(z.square().mean(dim=1, keepdim=True) + 1e-8)
        for layer in self.layers:
            w = F.leaky_relu(layer(w), 0.2) * math.sqrt(2)
        return w


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

"""The first GAN: fully connected networks (Goodfellow 2014, "Generative Adversarial Networks", section 5).

The critic's maxout units are as in the paper; its dropout is not: random numbers come from one clock here.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gan_play.models.layers import as_picture, style_bands

UNITS = 16  # of a hidden layer, in units of `width`
PIECES = 4  # of a maxout unit


class MlpGenerator(nn.Module):
    """z -> picture, every pixel connected to every hidden unit.

    mapping: (B, z_dim) -> ws (B, 1, z_dim), z itself. synthesis: ws -> (B, 3, S, S) in [-1, 1]; no noise.
    There is no depth at which composition or colour would sit: the three bands are thirds of the hidden units.
    """

    noise_shapes: tuple = ()

    def __init__(self, size_px: int, width: int, z_dim: int = 100, grey: bool = False) -> None:
        super().__init__()
        self.size_px, self.z_dim, self.w_dim, self.num_ws, self.num_labels = size_px, z_dim, z_dim, 1, 0
        hidden, self.channels = UNITS * width, 1 if grey else 3
        self.layers = nn.ModuleList([nn.Linear(z_dim, hidden), nn.Linear(hidden, hidden)])
        self.norms = nn.ModuleList([nn.BatchNorm1d(hidden), nn.BatchNorm1d(hidden)])
        self.picture = nn.Linear(hidden, self.channels * size_px**2)
        self.bands = style_bands(hidden)
        self.register_buffer("w_mean", torch.zeros(z_dim))

    def mapping(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        return z[:, None]

    def centre(self, label: Tensor | None = None) -> Tensor:
        """Where truncation draws styles to: broadcasts to ws."""
        return self.w_mean

    def style_weights(self) -> list[Tensor]:
        """The weights that each style meets first, a row a unit: (units, w_dim), one for each of the ws."""
        return [self.layers[0].weight.detach()]

    def hidden(self, ws: Tensor) -> Tensor:
        """The last hidden units: (B, hidden)."""
        x = ws[:, 0]
        for layer, norm in zip(self.layers, self.norms):
            x = F.relu(norm(layer(x)))
        return x

    def paint(self, hidden: Tensor) -> Tensor:
        """Hidden units -> pictures (B, 3, S, S)."""
        x = self.picture(hidden).view(len(hidden), self.channels, self.size_px, self.size_px)
        return as_picture(x)

    def synthesis(self, ws: Tensor, noise: list[Tensor] | None = None) -> Tensor:
        return self.paint(self.hidden(ws))

    def mix(
        self,
        ws_a: Tensor,
        ws_b: Tensor,
        weights: tuple[float, float, float],
        noise: list[Tensor] | None = None,
    ) -> Tensor:
        """Picture a, with each third of its hidden units moved towards b's by its weight."""
        a, b = self.hidden(ws_a), self.hidden(ws_b)
        amount = torch.cat([a.new_full((len(band),), w) for w, band in zip(weights, self.bands.values())])
        return self.paint(torch.lerp(a, b, amount))

    def merge(self, bands: tuple[Tensor, Tensor, Tensor], noise: list[Tensor] | None = None) -> Tensor:
        """Each third of the hidden units is that of its own ws."""
        thirds = [self.hidden(ws)[:, band.start : band.stop] for ws, band in zip(bands, self.bands.values())]
        return self.paint(torch.cat(thirds, dim=1))


class Maxout(nn.Module):
    """The largest of a few linear units (Goodfellow 2013, "Maxout Networks"): (B, inputs) -> (B, outputs)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.linear = nn.Linear(inputs, outputs * PIECES)
        nn.init.normal_(self.linear.weight, 0.0, math.sqrt(1 / inputs))

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(x).unflatten(1, (-1, PIECES)).amax(dim=2)


class MlpDiscriminator(nn.Module):
    """Two layers of maxout units down to one logit: (B, 3, S, S) -> (B, 1)."""

    def __init__(self, size_px: int, width: int) -> None:
        super().__init__()
        hidden = UNITS // 2 * width
        self.layers = nn.Sequential(
            nn.Flatten(), Maxout(3 * size_px**2, hidden), Maxout(hidden, hidden), nn.Linear(hidden, 1)
        )

    def features(self, x: Tensor) -> Tensor:
        """All of this network learns, so there is nothing that both updates could share."""
        return x

    def heads(self, x: Tensor, label: Tensor | None = None) -> Tensor:
        return self.layers(x)

    def forward(self, x: Tensor, label: Tensor | None = None) -> Tensor:
        return self.heads(x)

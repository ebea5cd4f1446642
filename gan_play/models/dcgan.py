"""The classic: a convolutional generator and discriminator (Radford 2015, "Unsupervised Representation
Learning with Deep Convolutional Generative Adversarial Networks").

It has no style input. So that mixing still works, activations of one picture take the statistics of another
at the chosen depth: AdaIN, Huang 2017, equation 8.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gan_play.models.layers import style_bands

MOST = 8  # channels of the smallest map, in units of `width`


def channels_at(size: int, size_px: int, width: int) -> int:
    """Half as many channels at each doubling of the size, `width` of them at half the final size."""
    return max(8, min(MOST * width, width * size_px // (2 * size)))


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


def initialise(module: nn.Module) -> None:
    """Normal weights of spread 0.02, norms about 1 (Radford 2015, section 4)."""
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(layer.weight, 0.0, 0.02)
        elif isinstance(layer, nn.BatchNorm2d):
            nn.init.normal_(layer.weight, 1.0, 0.02)


class DcganGenerator(nn.Module):
    """z -> picture through transposed convolutions, batch norm and ReLU; tanh at the end.

    mapping: (B, z_dim) -> ws (B, 1, z_dim), z itself. synthesis: ws -> (B, 3, S, S) in [-1, 1]; no noise.
    """

    noise_shapes: tuple = ()

    def __init__(self, size_px: int, width: int, z_dim: int = 100) -> None:
        super().__init__()
        self.size_px, self.z_dim, self.w_dim, self.num_ws, self.num_labels = size_px, z_dim, z_dim, 1, 0
        sizes = [4 * 2**i for i in range(size_px.bit_length() - 3)]  # 4 .. size / 2
        channels = [channels_at(size, size_px, width) for size in sizes]
        self.first = nn.ConvTranspose2d(z_dim, channels[0], 4, 1, 0, bias=False)
        self.up = nn.ModuleList(
            nn.ConvTranspose2d(a, b, 4, 2, 1, bias=False) for a, b in zip(channels, channels[1:])
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(c) for c in channels)
        self.picture = nn.ConvTranspose2d(channels[-1], 3, 4, 2, 1)
        self.bands = style_bands(len(channels))  # of the depths at which statistics can be taken
        self.register_buffer("w_mean", torch.zeros(z_dim))
        initialise(self)

    def mapping(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        return z[:, None]

    def synthesis(self, ws: Tensor, noise: list[Tensor] | None = None) -> Tensor:
        x = ws[:, 0, :, None, None]
        for layer, norm in zip([self.first, *self.up], self.norms):
            x = F.relu(norm(layer(x)))
        return torch.tanh(self.picture(x).float())

    def mix(
        self,
        ws_a: Tensor,
        ws_b: Tensor,
        weights: tuple[float, float, float],
        noise: list[Tensor] | None = None,
    ) -> Tensor:
        """Picture a, whose activations take b's statistics at the depths of each band by its weight."""
        at_depth = [w for w, band in zip(weights, self.bands.values()) for _ in band]
        a, b = ws_a[:, 0, :, None, None], ws_b[:, 0, :, None, None]
        for layer, norm, weight in zip([self.first, *self.up], self.norms, at_depth):
            a, b = F.relu(norm(layer(a))), F.relu(norm(layer(b)))
            a = adain(a, b, weight) if weight else a
        return torch.tanh(self.picture(a).float())


class DcganDiscriminator(nn.Module):
    """Strided convolutions, batch norm and leaky ReLU down to one logit: (B, 3, S, S) -> (B, 1)."""

    def __init__(self, size_px: int, width: int) -> None:
        super().__init__()
        sizes = [size_px // 2**i for i in range(1, size_px.bit_length() - 2)]  # size / 2 .. 4
        channels = [channels_at(size, size_px, width) for size in sizes]
        layers: list[nn.Module] = [nn.Conv2d(3, channels[0], 4, 2, 1), nn.LeakyReLU(0.2)]
        for a, b in zip(channels, channels[1:]):
            layers += [nn.Conv2d(a, b, 4, 2, 1, bias=False), nn.BatchNorm2d(b), nn.LeakyReLU(0.2)]
        layers += [nn.Conv2d(channels[-1], 1, 4, 1, 0)]
        self.layers = nn.Sequential(*layers)
        initialise(self)

    def features(self, x: Tensor) -> Tensor:
        """All of this network learns, so there is nothing that both updates could share."""
        return x.contiguous(memory_format=torch.channels_last)

    def heads(self, x: Tensor) -> Tensor:
        return self.layers(x).flatten(1)

    def forward(self, x: Tensor, label: Tensor | None = None) -> Tensor:
        return self.heads(self.features(x))

"""The classic: a convolutional generator and discriminator (Radford 2015, "Unsupervised Representation
Learning with Deep Convolutional Generative Adversarial Networks").

It has no style input. So that mixing still works, activations of one picture take the statistics of another
at the chosen depth: AdaIN, Huang 2017, equation 8.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gan_play.models.layers import adain, as_picture, channels_at, depths_of, sizes_of, style_bands


def initialise(module: nn.Module) -> None:
    """Normal weights of spread 0.02, norms about 1 (Radford 2015, section 4)."""
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(layer.weight, 0.0, 0.02)
        elif isinstance(layer, nn.BatchNorm2d):
            nn.init.normal_(layer.weight, 1.0, 0.02)


class ResizeConvolution(nn.Module):
    """Twice the size by its nearest neighbours, then a convolution: (B, inputs, H, W) -> (B, outputs, 2H, 2W).

    Each pixel is reached by as many weights as any other, so there are no checkerboards (Odena 2016).
    """

    def __init__(self, inputs: int, outputs: int, bias: bool = False) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(inputs, outputs, 3, 1, 1, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        return self.convolution(F.interpolate(x, scale_factor=2, mode="nearest"))


class DcganGenerator(nn.Module):
    """z -> picture through transposed convolutions, batch norm and ReLU; tanh at the end.

    mapping: (B, z_dim) -> ws (B, 1, z_dim), z itself. synthesis: ws -> (B, 3, S, S) in [-1, 1]; no noise.
    `resize` enlarges by resizing instead; `grey` paints one channel.
    """

    noise_shapes: tuple = ()

    def __init__(
        self, size_px: int, width: int, z_dim: int = 100, resize: bool = False, grey: bool = False
    ) -> None:
        super().__init__()
        self.size_px, self.z_dim, self.w_dim, self.num_ws, self.num_labels = size_px, z_dim, z_dim, 1, 0
        sizes = sizes_of(size_px)[:-1]  # .. size / 2
        channels = [channels_at(size, size_px, width) for size in sizes]

        def up(inputs: int, outputs: int, bias: bool = False) -> nn.Module:
            if resize:
                return ResizeConvolution(inputs, outputs, bias)
            return nn.ConvTranspose2d(inputs, outputs, 4, 2, 1, bias=bias)

        self.first = nn.ConvTranspose2d(z_dim, channels[0], sizes[0], 1, 0, bias=False)
        self.up = nn.ModuleList(up(a, b) for a, b in zip(channels, channels[1:]))
        self.norms = nn.ModuleList(nn.BatchNorm2d(c) for c in channels)
        self.picture = up(channels[-1], 1 if grey else 3, bias=True)
        self.bands = style_bands(len(channels))  # of the depths at which statistics can be taken
        self.register_buffer("w_mean", torch.zeros(z_dim))
        initialise(self)

    def mapping(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        return z[:, None]

    def centre(self, label: Tensor | None = None) -> Tensor:
        """Where truncation draws styles to: broadcasts to ws."""
        return self.w_mean

    def style_weights(self) -> list[Tensor]:
        """The weights that each style meets first, a row a unit: (units, w_dim), one for each of the ws."""
        return [self.first.weight.detach().flatten(1).T]

    def synthesis(self, ws: Tensor, noise: list[Tensor] | None = None) -> Tensor:
        x = ws[:, 0, :, None, None]
        for layer, norm in zip([self.first, *self.up], self.norms):
            x = F.relu(norm(layer(x)))
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
        a, b = ws_a[:, 0, :, None, None], ws_b[:, 0, :, None, None]
        for layer, norm, weight in zip([self.first, *self.up], self.norms, at_depth):
            a, b = F.relu(norm(layer(a))), F.relu(norm(layer(b)))
            a = adain(a, b, weight) if weight else a
        return as_picture(self.picture(a))

    def merge(self, bands: tuple[Tensor, Tensor, Tensor], noise: list[Tensor] | None = None) -> Tensor:
        """The first ws, whose activations take the others' statistics at the depths of form and of colour."""
        maps = [ws[:, 0, :, None, None] for ws in bands]
        for layer, norm, source in zip([self.first, *self.up], self.norms, depths_of(self.bands)):
            maps = [F.relu(norm(layer(x))) for x in maps]
            maps[0] = adain(maps[0], maps[source]) if source else maps[0]
        return as_picture(self.picture(maps[0]))


class DcganDiscriminator(nn.Module):
    """Strided convolutions, batch norm and leaky ReLU down to one logit: (B, 3, S, S) -> (B, 1)."""

    def __init__(self, size_px: int, width: int) -> None:
        super().__init__()
        sizes = sizes_of(size_px)[-2::-1]  # size / 2 ..
        channels = [channels_at(size, size_px, width) for size in sizes]
        layers: list[nn.Module] = [nn.Conv2d(3, channels[0], 4, 2, 1), nn.LeakyReLU(0.2)]
        for a, b in zip(channels, channels[1:]):
            layers += [nn.Conv2d(a, b, 4, 2, 1, bias=False), nn.BatchNorm2d(b), nn.LeakyReLU(0.2)]
        layers += [nn.Conv2d(channels[-1], 1, sizes[-1], 1, 0)]
        self.layers = nn.Sequential(*layers)
        initialise(self)

    def features(self, x: Tensor) -> Tensor:
        """All of this network learns, so there is nothing that both updates could share."""
        return x.contiguous(memory_format=torch.channels_last)

    def heads(self, x: Tensor, label: Tensor | None = None) -> Tensor:
        return self.layers(x).flatten(1)

    def forward(self, x: Tensor, label: Tensor | None = None) -> Tensor:
        return self.heads(self.features(x))

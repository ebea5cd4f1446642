"""Painters that take a label, and critics that name one: the networks of GANGogh, ArtGAN and CAN.

All have DCGAN's shape (Radford 2015), small enough for a processor. They differ in where the label enters the painter
and in what the critic answers.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gan_play.models.dcgan import initialise
from gan_play.models.layers import adain, as_picture, channels_at, depths_of, sizes_of, style_bands
from gan_play.models.together import batch_norm


class LabelledGenerator(nn.Module):
    """z and a label -> picture, through transposed convolutions and batch norm; tanh at the end. `grey`: one channel.

    mapping: z (B, z_dim), label (B,), None for label 0 -> ws (B, 1, z_dim + num_labels): z beside a 1 for the label
    among 0s, as in both papers. A learnt vector as loud as z drowned it: of digits at 28 px, each label's pictures
    differed by 0.04 (mean deviation of a pixel) after 600 steps of ArtGAN, with this by 0.18; the reals do by 0.32.
    synthesis: ws -> (B, 3, S, S) in [-1, 1], float32; no noise.

    As in ArtGAN (Tan 2017) the first layer, `encode`, makes a code (B, C, h, h) that `decode` paints: its zNet and
    Dec. With `gated`, as in GANGogh (Jones & Bonafilia 2017), the label also enters every layer, where half of the
    channels open and close the others: tanh(a + V y) * sigmoid(b + U y) (van den Oord 2016, "Conditional Image
    Generation with PixelCNN Decoders", equation 4). GANGogh has a V and a U for every place; here one for each channel.
    """

    noise_shapes: tuple = ()

    def __init__(
        self,
        size_px: int,
        width: int,
        num_labels: int,
        gated: bool = False,
        z_dim: int = 100,
        grey: bool = False,
    ) -> None:
        super().__init__()
        self.size_px, self.z_dim, self.num_labels, self.num_ws = size_px, z_dim, num_labels, 1
        self.w_dim = z_dim + num_labels
        sizes = sizes_of(size_px)[:-1]  # .. size / 2
        channels = [channels_at(size, size_px, width) for size in sizes]
        made = [2 * c if gated else c for c in channels]
        self.first = nn.ConvTranspose2d(self.w_dim, made[0], sizes[0], 1, 0, bias=False)
        self.up = nn.ModuleList(
            nn.ConvTranspose2d(a, b, 4, 2, 1, bias=False) for a, b in zip(channels, made[1:])
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(c) for c in made)
        self.gates = nn.ModuleList(nn.Linear(num_labels, c, bias=False) for c in made if gated)
        self.picture = nn.ConvTranspose2d(channels[-1], 1 if grey else 3, 4, 2, 1)
        self.bands = style_bands(len(channels))  # of the depths at which statistics can be taken
        self.register_buffer("w_mean", torch.zeros(self.w_dim))
        initialise(self)

    def mapping(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        label = torch.zeros(len(z), dtype=torch.int64, device=z.device) if label is None else label
        return torch.cat([z, F.one_hot(label, self.num_labels).to(z.dtype)], dim=1)[:, None]

    def centre(self, label: Tensor | None = None) -> Tensor:
        """Where truncation draws to: the middle of the zs, of the same label.  # (B, 1, w_dim), B = 1 without label"""
        count = 1 if label is None else len(label)
        return self.mapping(self.w_mean.new_zeros(count, self.z_dim), label)

    def style_weights(self) -> list[Tensor]:
        """The weights that each style meets first, a row a unit: (units, w_dim), one for each of the ws."""
        return [self.first.weight.detach().flatten(1).T]

    def _layer(self, depth: int, x: Tensor, label: Tensor, remembers: bool = True) -> Tensor:
        """Convolve, normalise, then open and close by the label, or ReLU.  # label (B, num_labels)"""
        layer, norm = self.first if depth == 0 else self.up[depth - 1], self.norms[depth]
        x = layer(x)
        x = norm(x) if remembers else batch_norm(x, None, None, norm.weight, norm.bias)
        if not self.gates:
            return F.relu(x)
        a, b = (x + self.gates[depth](label)[:, :, None, None]).chunk(2, dim=1)
        return torch.tanh(a) * torch.sigmoid(b)

    def encode(self, ws: Tensor) -> Tensor:
        """What the first layer makes of a z and a label: (B, 1, w_dim) -> (B, C, h, h)."""
        return self._layer(0, ws[:, 0, :, None, None], ws[:, 0, self.z_dim :])

    def decode(self, code: Tensor, label: Tensor | None = None, remembers: bool = True) -> Tensor:
        """Paints a code, its own or a discriminator's: (B, C, h, h) -> (B, 3, S, S).

        `label` (B, num_labels) is needed where it is gated. Not to remember is for another's codes in training: the
        running statistics of batch norm are those of paintings, with which alone it will paint later.
        """
        x = code
        for depth in range(1, len(self.norms)):
            x = self._layer(depth, x, label, remembers)
        return as_picture(self.picture(x))

    def synthesis(self, ws: Tensor, noise: list[Tensor] | None = None) -> Tensor:
        return self.decode(self.encode(ws), ws[:, 0, self.z_dim :])

    def mix(
        self,
        ws_a: Tensor,
        ws_b: Tensor,
        weights: tuple[float, float, float],
        noise: list[Tensor] | None = None,
    ) -> Tensor:
        """Picture a, whose activations take b's statistics at the depths of each band by its weight.

        The two may have different labels. Source: AdaIN, Huang 2017, equation 8, as in `dcgan`.
        """
        at_depth = [w for w, band in zip(weights, self.bands.values()) for _ in band]
        label_a, label_b = ws_a[:, 0, self.z_dim :], ws_b[:, 0, self.z_dim :]
        a, b = ws_a[:, 0, :, None, None], ws_b[:, 0, :, None, None]
        for depth, weight in enumerate(at_depth):
            a, b = self._layer(depth, a, label_a), self._layer(depth, b, label_b)
            a = adain(a, b, weight) if weight else a
        return as_picture(self.picture(a))

    def merge(self, bands: tuple[Tensor, Tensor, Tensor], noise: list[Tensor] | None = None) -> Tensor:
        """The first ws, whose activations take the others' statistics at the depths of form and of colour."""
        maps = [ws[:, 0, :, None, None] for ws in bands]
        labels = [ws[:, 0, self.z_dim :] for ws in bands]
        for depth, source in enumerate(depths_of(self.bands)):
            maps = [self._layer(depth, x, label) for x, label in zip(maps, labels)]
            maps[0] = adain(maps[0], maps[source]) if source else maps[0]
        return as_picture(self.picture(maps[0]))


def trunk(size_px: int, width: int, layer_norm: bool = False) -> tuple[nn.Sequential, int, int]:
    """Strided convolutions and leaky ReLU down to a code, (B, 3, S, S) -> (B, C, h, h); C; and h, 4 but for 28 px.

    Normalised over the batch, or with `layer_norm` within each picture, which a gradient penalty needs: there
    every picture must be judged for itself (Gulrajani 2017, section 4).
    """
    sizes = sizes_of(size_px)[-2::-1]  # size / 2 ..
    channels = [channels_at(size, size_px, width) for size in sizes]
    layers: list[nn.Module] = [nn.Conv2d(3, channels[0], 4, 2, 1), nn.LeakyReLU(0.2)]
    for a, b in zip(channels, channels[1:]):
        norm = nn.GroupNorm(1, b) if layer_norm else nn.BatchNorm2d(b)
        layers += [nn.Conv2d(a, b, 4, 2, 1, bias=False), norm, nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers), channels[-1], sizes[-1]


class NamingCritic(nn.Module):
    """One trunk, two answers: how real a picture is, and which label it has.

    judge: (B, 3, S, S) -> logits (B, 1) and logits of the labels (B, num_labels). Called as a function it gives the
    first alone. Source: Odena 2017, "Conditional Image Synthesis with Auxiliary Classifier GANs", section 3.
    `layer_norm` is for a Wasserstein critic (GANGogh). `hidden`: sizes of the layers between the trunk and the labels,
    1024 and 512 at width 64 in CAN (Elgammal 2017).
    """

    def __init__(
        self,
        size_px: int,
        width: int,
        num_labels: int,
        layer_norm: bool = False,
        hidden: Sequence[int] = (),
    ) -> None:
        super().__init__()
        self.num_labels = num_labels
        self.trunk, channels, side = trunk(size_px, width, layer_norm)
        # A Wasserstein critic's constant pulls on nothing: it would never be learnt.
        self.real_or_fake = nn.Conv2d(channels, 1, side, 1, 0, bias=not layer_norm)
        widths = [channels * side**2, *hidden]
        between: list[nn.Module] = []
        for a, b in zip(widths, widths[1:]):
            between += [nn.Linear(a, b), nn.LeakyReLU(0.2)]
        self.labels = nn.Sequential(nn.Flatten(), *between, nn.Linear(widths[-1], num_labels))
        initialise(self)

    def features(self, x: Tensor) -> Tensor:
        """All of this network learns, so there is nothing that both updates could share."""
        return x.contiguous(memory_format=torch.channels_last)

    def heads(self, x: Tensor, label: Tensor | None = None) -> Tensor:
        return self.real_or_fake(self.trunk(x)).flatten(1)

    def judge(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Logits of being real (B, 1), and of each label (B, num_labels), float32."""
        code = self.trunk(self.features(x))
        return self.real_or_fake(code).flatten(1).float(), self.labels(code).float()

    def forward(self, x: Tensor, label: Tensor | None = None) -> Tensor:
        return self.heads(self.features(x))


class CategoricalDiscriminator(nn.Module):
    """Names the label of a picture, where the last one, number `num_labels`, is "fake".

    (B, 3, S, S) -> logits (B, num_labels + 1). `trunk` is the encoder whose code (B, C, h, h) a `LabelledGenerator`
    of the same size and width can decode. Source: Tan 2017, "ArtGAN", section 3: its Enc and clsNet.
    """

    def __init__(self, size_px: int, width: int, num_labels: int) -> None:
        super().__init__()
        self.num_labels = num_labels
        self.trunk, channels, side = trunk(size_px, width)
        self.labels = nn.Conv2d(channels, num_labels + 1, side, 1, 0)
        initialise(self)

    def features(self, x: Tensor) -> Tensor:
        """All of this network learns, so there is nothing that both updates could share."""
        return x.contiguous(memory_format=torch.channels_last)

    def heads(self, x: Tensor, label: Tensor | None = None) -> Tensor:
        return self.labels(self.trunk(x)).flatten(1)

    def forward(self, x: Tensor, label: Tensor | None = None) -> Tensor:
        return self.heads(self.features(x))

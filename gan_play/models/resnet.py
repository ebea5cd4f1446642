"""Residual networks of 2017 and 2018: the painter and the critic of WGAN-GP, SNGAN and the conditional GAN.

Sources: Gulrajani 2017, appendix F; Miyato 2018, "Spectral Normalization", appendix B; labels enter the painter
through conditional batch norm (Dumoulin 2017) and the critic by projection (Miyato & Koyama 2018, equation 3).
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gan_play.models.layers import adain, as_picture, channels_at, depths_of, sizes_of, style_bands

LEAST, MOST = 8, 16  # channels of the smallest map, in units of `width`
LABEL_DIM = 32  # numbers that stand for a label


def resnet_channels(size: int, size_px: int, width: int) -> int:
    """Channels of a map: as many on the smallest map of 28 px as of 64 px, with half as many at each doubling.

    A critic of digits whose last map had 2 `width` channels couldn't tell one digit from another (`benchmarks.digits`).
    """
    return max(channels_at(size, size_px, width, MOST), LEAST * width * sizes_of(size_px)[0] // size)


class LabelledNorm(nn.Module):
    """Batch norm whose scale and shift come from the label's numbers: x (B, C, H, W), label (B, LABEL_DIM)."""

    def __init__(self, channels: int, label_dim: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels)
        self.style = nn.Linear(label_dim, 2 * channels, bias=False) if label_dim else None

    def forward(self, x: Tensor, label: Tensor) -> Tensor:
        x = self.norm(x)
        if self.style is None:
            return x
        scale, shift = self.style(label)[:, :, None, None].to(x.dtype).chunk(2, dim=1)
        return x * (1 + scale) + shift


class UpBlock(nn.Module):
    """Twice the size, with a skip: (B, inputs, H, W) -> (B, outputs, 2H, 2W)."""

    def __init__(self, inputs: int, outputs: int, label_dim: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList([LabelledNorm(inputs, label_dim), LabelledNorm(outputs, label_dim)])
        self.first = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
        self.second = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.skip = nn.Conv2d(inputs, outputs, 1)

    def forward(self, x: Tensor, label: Tensor) -> Tensor:
        y = F.interpolate(F.relu(self.norms[0](x, label)), scale_factor=2, mode="nearest")
        y = self.second(F.relu(self.norms[1](self.first(y), label)))
        # A 1x1 convolution and nearest-neighbour enlarging commute, so the skip is convolved while it is small.
        return y + F.interpolate(self.skip(x), scale_factor=2, mode="nearest")


class ResnetGenerator(nn.Module):
    """z, and a label where there are any -> picture.

    mapping: z (B, z_dim), label (B,) -> ws (B, 1, w_dim): z beside the label's numbers, so that a walk can lead
    from label to label. synthesis: ws -> (B, 3, S, S) in [-1, 1]; no noise. A missing label is label 0.
    """

    noise_shapes: tuple = ()

    def __init__(
        self, size_px: int, width: int, num_labels: int = 0, z_dim: int = 128, grey: bool = False
    ) -> None:
        super().__init__()
        label_dim = LABEL_DIM if num_labels else 0
        self.size_px, self.z_dim, self.num_ws, self.num_labels = size_px, z_dim, 1, num_labels
        self.w_dim = z_dim + label_dim
        sizes = sizes_of(size_px)
        channels = [resnet_channels(size, size_px, width) for size in sizes]
        self.start_px = sizes[0]
        if num_labels:
            self.label = nn.Embedding(num_labels, LABEL_DIM)
        self.first = nn.Linear(self.w_dim, channels[0] * sizes[0] ** 2)
        self.blocks = nn.ModuleList(UpBlock(a, b, label_dim) for a, b in zip(channels, channels[1:]))
        self.last_norm = nn.BatchNorm2d(channels[-1])
        self.picture = nn.Conv2d(channels[-1], 1 if grey else 3, 3, padding=1)
        self.bands = style_bands(1 + len(self.blocks))  # of the depths at which statistics can be taken
        self.register_buffer("w_mean", torch.zeros(self.w_dim))
        start_evenly(self)

    def mapping(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        if not self.num_labels:
            return z[:, None]
        label = torch.zeros(len(z), dtype=torch.int64, device=z.device) if label is None else label
        return torch.cat([z, self.label(label)], dim=1)[:, None]

    def centre(self, label: Tensor | None = None) -> Tensor:
        """Where truncation draws styles to, each label's own: broadcasts to ws."""
        if not self.num_labels:
            return self.w_mean
        count = 1 if label is None else len(label)
        return self.mapping(self.w_mean.new_zeros(count, self.z_dim), label)

    def style_weights(self) -> list[Tensor]:
        """The weights that each style meets first, a row a unit: (units, w_dim), one for each of the ws."""
        return [self.first.weight.detach()]

    def depths(self, ws: Tensor) -> tuple[Tensor, Tensor]:
        """The first map (B, C, h, h) and the label's numbers (B, LABEL_DIM or 0)."""
        w = ws[:, 0]
        x = self.first(w).view(len(w), -1, self.start_px, self.start_px)
        return x.contiguous(memory_format=torch.channels_last), w[:, self.z_dim :]

    def finish(self, x: Tensor) -> Tensor:
        """The last map -> pictures (B, 3, S, S)."""
        return as_picture(self.picture(F.relu(self.last_norm(x))))

    def synthesis(self, ws: Tensor, noise: list[Tensor] | None = None) -> Tensor:
        x, label = self.depths(ws)
        for block in self.blocks:
            x = block(x, label)
        return self.finish(x)

    def mix(
        self,
        ws_a: Tensor,
        ws_b: Tensor,
        weights: tuple[float, float, float],
        noise: list[Tensor] | None = None,
    ) -> Tensor:
        """Picture a, whose activations take b's statistics at the depths of each band by its weight."""
        at_depth = [w for w, band in zip(weights, self.bands.values()) for _ in band]
        (a, label_a), (b, label_b) = self.depths(ws_a), self.depths(ws_b)
        for weight, block in zip(at_depth, [*self.blocks, None]):
            a = adain(a, b, weight) if weight else a
            if block is not None:
                a, b = block(a, label_a), block(b, label_b)
        return self.finish(a)

    def merge(self, bands: tuple[Tensor, Tensor, Tensor], noise: list[Tensor] | None = None) -> Tensor:
        """The first ws, whose activations take the others' statistics at the depths of form and of colour."""
        maps, labels = map(list, zip(*(self.depths(ws) for ws in bands)))
        for source, block in zip(depths_of(self.bands), [*self.blocks, None]):
            maps[0] = adain(maps[0], maps[source]) if source else maps[0]
            if block is not None:
                maps = [block(x, label) for x, label in zip(maps, labels)]
        return self.finish(maps[0])


class DownBlock(nn.Module):
    """Half the size where `halve`, with a skip: (B, inputs, H, W) -> (B, outputs, H / 2, W / 2).

    The first block takes pixels, which no ReLU should cut.
    """

    def __init__(self, inputs: int, outputs: int, halve: bool, first: bool = False) -> None:
        super().__init__()
        self.halve, self.first_of_all = halve, first
        self.first = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.second = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.skip = nn.Conv2d(inputs, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        y = self.second(F.relu(self.first(x if self.first_of_all else F.relu(x))))
        if self.halve:  # the 1x1 convolution of the skip commutes with the mean, and is cheaper after it
            return F.avg_pool2d(y, 2) + self.skip(F.avg_pool2d(x, 2))
        return y + self.skip(x)


class ResnetDiscriminator(nn.Module):
    """Residual blocks down to one logit, plus <label's numbers, features>: (B, 3, S, S), (B,) -> (B, 1).

    `spectral`: every weight divided by its largest singular value, and features summed over places (Miyato 2018,
    appendix B); else they are averaged (Gulrajani 2017, appendix F). A critic that is so bounded and averages has
    logits too small to reach the hinge's margins.
    """

    def __init__(self, size_px: int, width: int, num_labels: int = 0, spectral: bool = True) -> None:
        super().__init__()
        self.num_labels, self.sums = num_labels, spectral
        sizes = sizes_of(size_px)[::-1]
        channels = [3] + [resnet_channels(size, size_px, width) for size in sizes[1:]]
        blocks = [DownBlock(a, b, True, first=a == 3) for a, b in zip(channels, channels[1:])]
        self.blocks = nn.Sequential(*blocks, DownBlock(channels[-1], channels[-1], False))
        self.trunk_dim = channels[-1]
        self.judge = nn.Linear(self.trunk_dim, 1)
        if num_labels:
            self.label = nn.Embedding(num_labels, self.trunk_dim)
        start_evenly(self)
        if spectral:
            for module in list(self.modules()):
                if isinstance(module, nn.Conv2d | nn.Linear | nn.Embedding):
                    nn.utils.spectral_norm(module)

    def features(self, x: Tensor) -> Tensor:
        """All of this network learns, so there is nothing that both updates could share."""
        return x.contiguous(memory_format=torch.channels_last)

    def trunk(self, x: Tensor) -> Tensor:
        """What the critic makes of a picture before it judges: (B, trunk_dim)."""
        x = F.relu(self.blocks(x))
        return x.sum(dim=(2, 3)) if self.sums else x.mean(dim=(2, 3))

    def heads(self, x: Tensor, label: Tensor | None = None) -> Tensor:
        seen = self.trunk(x)
        logits = self.judge(seen)
        if self.num_labels and label is not None:
            logits = logits + (self.label(label) * seen).sum(dim=1, keepdim=True)
        return logits

    def forward(self, x: Tensor, label: Tensor | None = None) -> Tensor:
        return self.heads(self.features(x), label)


def start_evenly(network: nn.Module) -> None:
    """Glorot's uniform weights, by sqrt(2) more inside residual branches; biases 0 (Miyato 2018, appendix B).

    Labels begin without effect on norms (scale 1, shift 0), so that they don't drown z. A critic's numbers for labels
    are Glorot's too.
    """
    for name, module in network.named_modules():
        if name.endswith(".style"):
            nn.init.zeros_(module.weight)
        elif isinstance(module, nn.Conv2d | nn.Linear):
            inside = name.endswith((".first", ".second")) and "blocks" in name
            nn.init.xavier_uniform_(module.weight, math.sqrt(2) if inside else 1.0)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.Embedding) and isinstance(network, ResnetDiscriminator):
            nn.init.xavier_uniform_(module.weight)

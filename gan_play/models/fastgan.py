"""FastGAN: a light generator whose small maps open and close the channels of its large ones, and a discriminator
that must also be able to redraw the real pictures from what it noticed of them.

Source: Liu 2021, "Towards Faster and Stabilized GAN Training for High-fidelity Few-shot Image Synthesis". The paper
starts at 256 px; how its shapes carry over to smaller pictures is said where they do.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gan_play.models.layers import as_picture, depths_of, sizes_of, style_bands

# Channels at each resolution, in units of `width`: most of them where the picture is small.
CHANNELS = {4: 8, 8: 8, 16: 4, 32: 2, 64: 1, 128: 0.5, 256: 0.25, 512: 0.25}
REACH = 16  # a map of 8 px excites one of 128 px, 16 one of 256, 32 one of 512 (section 3.1)
GATES = 3  # maps that are excited: the last three
PART_PX, WHOLE_PX = (
    16,
    8,
)  # sides of the feature maps that a part and the whole are redrawn from (section 3.2)
LARGEST_REDRAWN_PX = 128


def part_of(x: Tensor, top: Tensor | int, left: Tensor | int, side: int) -> Tensor:
    """A square of maps, the same of all: (B, C, H, W) -> (B, C, side, side).

    Where it lies may be known to the device alone (0-d tensors).
    """
    places = torch.arange(side, device=x.device)
    return x.index_select(2, top + places).index_select(3, left + places)


def channels_at(size: int, width: int) -> int:
    """Channels of a map with that side."""
    return max(8, int(width * CHANNELS[size]))


class Excitation(nn.Module):
    """Skip-layer excitation: what a small map says about each channel of a large one, as gates from 0 to 1.

    (B, low, h, w) -> (B, high, 1, 1): pool to 4x4, a 4x4 convolution, leaky ReLU, a 1x1 convolution, sigmoid. The
    large map is then multiplied by its gates: y = F(x_low) * x_high. Source: Liu 2021, section 3.1, equation 1.
    """

    def __init__(self, low: int, high: int) -> None:
        super().__init__()
        self.look = nn.Conv2d(low, high, 4)
        self.decide = nn.Conv2d(high, high, 1)

    def forward(self, x: Tensor) -> Tensor:
        # Sides here are 4 times a power of two, so the mean over equal squares is the adaptive pooling.
        pooled = F.avg_pool2d(x, x.shape[-1] // 4)
        return torch.sigmoid(self.decide(F.leaky_relu(self.look(pooled), 0.1)))


class UpBlock(nn.Module):
    """Double the size, convolve, normalise, add noise, gate half of the channels with the other half.

    (B, inputs, H, W), noise (B, 1, 2H, 2W) or None -> (B, outputs, 2H, 2W). One convolution a resolution, GLU in
    place of ReLU: Liu 2021, section 3.1. The noise starts without strength, as in Karras 2019.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(inputs, 2 * outputs, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(2 * outputs)
        self.noise_strength = nn.Parameter(torch.zeros(2 * outputs))

    def forward(self, x: Tensor, noise: Tensor | None) -> Tensor:
        x = self.norm(self.convolution(F.interpolate(x, scale_factor=2, mode="nearest")))
        if noise is not None:
            x = x + noise.to(x.dtype) * self.noise_strength.to(x.dtype)[:, None, None]
        return F.glu(x, dim=1)


class FastganGenerator(nn.Module):
    """z -> picture, with gates from small maps to large ones.

    mapping: (B, z_dim) -> ws (B, 1, z_dim), z itself. synthesis: ws, noise -> (B, 3, S, S) in [-1, 1], float32;
    one noise map a block as in `noise_shapes`, None is no noise. From 256 px the gates reach as far as in the paper;
    smaller pictures have fewer resolutions, and they reach S / 16 times up, so that there are three at every size.
    """

    def __init__(self, size_px: int, width: int, z_dim: int = 256) -> None:
        super().__init__()
        self.size_px, self.z_dim, self.w_dim, self.num_ws, self.num_labels = size_px, z_dim, z_dim, 1, 0
        self.sizes = sizes_of(size_px)  # 4 ..
        channels = {size: channels_at(size, width) for size in self.sizes}
        self.first = nn.Linear(z_dim, 2 * channels[4] * 16, bias=False)
        self.first_norm = nn.BatchNorm2d(2 * channels[4])
        self.blocks = nn.ModuleList(
            UpBlock(channels[a], channels[b]) for a, b in zip(self.sizes, self.sizes[1:])
        )
        reach = min(REACH, size_px // 16)
        self.low_of = {high: high // reach for high in self.sizes[-GATES:]}
        self.excitations = nn.ModuleList(
            Excitation(channels[low], channels[high]) for high, low in self.low_of.items()
        )
        self.picture = nn.Conv2d(channels[size_px], 3, 3, padding=1)
        self.noise_shapes = [(1, size, size) for size in self.sizes[1:]]
        self.bands = style_bands(
            1 + GATES
        )  # of z, where the layout comes from, and of the gates in their order
        self.register_buffer("w_mean", torch.zeros(z_dim))

    def mapping(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        return z[:, None]

    def centre(self, label: Tensor | None = None) -> Tensor:
        """Where truncation draws styles to: broadcasts to ws."""
        return self.w_mean

    def style_weights(self) -> list[Tensor]:
        """The weights that each style meets first, a row a unit: (units, w_dim), one for each of the ws."""
        return [self.first.weight.detach()]

    def paint(
        self, z: Tensor, noise: list[Tensor] | None, given: list[Tensor | None] | None = None
    ) -> tuple[Tensor, list[Tensor]]:
        """The picture of z, and the gates it was painted with, or with those `given` in place of its own."""
        x = self.first(z).view(len(z), -1, 4, 4)  # (B, 2C, 4, 4)
        x = F.glu(self.first_norm(x.contiguous(memory_format=torch.channels_last)), dim=1)
        maps, gates = {4: x}, []
        for i, (size, block) in enumerate(zip(self.sizes[1:], self.blocks)):
            x = block(x, noise[i] if noise else None)
            if size in self.low_of:
                gate = given[len(gates)] if given else None
                if gate is None:
                    gate = self.excitations[len(gates)](maps[self.low_of[size]])
                gates.append(gate)
                x = x * gate
            maps[size] = x
        return as_picture(self.picture(x)), gates

    def synthesis(self, ws: Tensor, noise: list[Tensor] | None = None) -> Tensor:
        return self.paint(ws[:, 0], noise)[0]

    def mix(
        self,
        ws_a: Tensor,
        ws_b: Tensor,
        weights: tuple[float, float, float],
        noise: list[Tensor] | None = None,
    ) -> Tensor:
        """Picture a with b's layout (coarse), and with b's excitation of its larger maps (middle, fine).

        The gates hold no places, only which channels speak: with another picture's gates a layout stays where it is
        and changes its look, the paper's style mixing (section 4.2). All weights at 1 give b.
        """
        at_depth = [weight for weight, band in zip(weights, self.bands.values()) for _ in band]
        gates_a, gates_b = self.paint(ws_a[:, 0], noise)[1], self.paint(ws_b[:, 0], noise)[1]
        gates = [torch.lerp(a, b, weight) for a, b, weight in zip(gates_a, gates_b, at_depth[1:])]
        return self.paint(torch.lerp(ws_a, ws_b, at_depth[0])[:, 0], noise, gates)[0]

    def merge(self, bands: tuple[Tensor, Tensor, Tensor], noise: list[Tensor] | None = None) -> Tensor:
        """The layout of the first ws, seen through the excitation of the others' larger maps."""
        sources = depths_of(self.bands)
        gates = [self.paint(ws[:, 0], noise)[1] for ws in bands]
        chosen = [gates[source][at] for at, source in enumerate(sources[1:])]
        return self.paint(bands[0][:, 0], noise, chosen)[0]


def normed(convolution: nn.Conv2d) -> list[nn.Module]:
    """A convolution under spectral norm, batch norm and leaky ReLU."""
    return [nn.utils.spectral_norm(convolution), nn.BatchNorm2d(convolution.out_channels), nn.LeakyReLU(0.2)]


class DownBlock(nn.Module):
    """Half the size, seen sharply and seen as a mean, and the average of both: (B, C, H, W) -> (B, C', H/2, W/2)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.sharp = nn.Sequential(
            *normed(nn.Conv2d(inputs, outputs, 4, 2, 1, bias=False)),
            *normed(nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)),
        )
        self.mean = nn.Sequential(nn.AvgPool2d(2), *normed(nn.Conv2d(inputs, outputs, 1, bias=False)))

    def forward(self, x: Tensor) -> Tensor:
        return (self.sharp(x) + self.mean(x)) / 2


def decoder(inputs: int, width: int, side: int) -> nn.Sequential:
    """Redraws a picture from features: (B, C, 8, 8) -> (B, 3, side, side), a convolution a resolution.

    No tanh at the end: what it redraws went through augmentation and may be brighter than white.
    """
    layers: list[nn.Module] = []
    for i in range((side // WHOLE_PX).bit_length() - 1):
        outputs = max(8, width * 4 // 2**i)
        layers += [nn.Upsample(scale_factor=2), nn.Conv2d(inputs, 2 * outputs, 3, padding=1, bias=False)]
        layers += [nn.BatchNorm2d(2 * outputs), nn.GLU(dim=1)]
        inputs = outputs
    return nn.Sequential(*layers, nn.Conv2d(inputs, 3, 3, padding=1))


class FastganDiscriminator(nn.Module):
    """A critic that is also an encoder: it judges 5 x 5 places, and its features must suffice to redraw a real.

    (B, 3, S, S) -> logits (B, 25). `encode` gives the features, `judge` the logits, `redraw` the pictures that two
    small decoders make of them: a part, from a window of the 16 x 16 map, and the whole, from the 8 x 8 map, both
    `redrawn_px` wide. Liu 2021, section 3.2, where that is 128 px; here half of the picture's side below 256 px, which
    is what the part has to show at its own size.
    """

    def __init__(self, size_px: int, width: int) -> None:
        super().__init__()
        self.size_px, self.redrawn_px = size_px, min(LARGEST_REDRAWN_PX, size_px // 2)
        sizes = sizes_of(size_px)[-2:0:-1]  # size / 2 .. 8
        channels = {size: channels_at(size, width) for size in sizes}
        look = nn.utils.spectral_norm(nn.Conv2d(3, channels[sizes[0]], 4, 2, 1, bias=False))
        self.first = nn.Sequential(look, nn.LeakyReLU(0.2))
        self.down = nn.ModuleList(DownBlock(channels[a], channels[b]) for a, b in zip(sizes, sizes[1:]))
        self.verdict = nn.Sequential(
            *normed(nn.Conv2d(channels[WHOLE_PX], channels[WHOLE_PX], 1, bias=False)),
            nn.utils.spectral_norm(nn.Conv2d(channels[WHOLE_PX], 1, 4)),
        )
        self.part = decoder(channels[PART_PX], width, self.redrawn_px)
        self.whole = decoder(channels[WHOLE_PX], width, self.redrawn_px)

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Features of 16 x 16 and of 8 x 8 places: (B, C16, 16, 16), (B, C8, 8, 8)."""
        x = self.first(x.contiguous(memory_format=torch.channels_last))
        maps = [x]
        for block in self.down:
            maps.append(block(maps[-1]))
        return maps[-2], maps[-1]

    def judge(self, whole: Tensor) -> Tensor:
        """Logits of the places of an 8 x 8 map: (B, 25)."""
        return self.verdict(whole).flatten(1)

    def redraw(
        self, part: Tensor, whole: Tensor, top: Tensor | int, left: Tensor | int
    ) -> tuple[Tensor, Tensor]:
        """What the window of 8 x 8 at (top, left) of the 16 x 16 features shows, and the whole picture, made small.

        (B, C16, 16, 16), (B, C8, 8, 8) -> two pictures (B, 3, redrawn_px, redrawn_px), float32.
        """
        return self.part(part_of(part, top, left, WHOLE_PX)).float(), self.whole(whole).float()

    def features(self, x: Tensor) -> Tensor:
        """All of this network learns, so there is nothing that both updates could share."""
        return x

    def heads(self, x: Tensor, label: Tensor | None = None) -> Tensor:
        return self.judge(self.encode(x)[1])

    def forward(self, x: Tensor, label: Tensor | None = None) -> Tensor:
        return self.heads(self.features(x))

"""The translators between two sets of pictures that aren't paired: residual networks without a bottleneck.

Sources: Johnson 2016, "Perceptual Losses for Real-Time Style Transfer" (the network); Zhu 2017, "Unpaired
Image-to-Image Translation using Cycle-Consistent Adversarial Networks", section 7.2; Park 2020, "Contrastive Learning
for Unpaired Image-to-Image Translation", section 3 and appendix B (where the patches are compared, and their heads).
Sizes are brought back by resizing and not by transposed convolutions, which leave checkerboards (Odena 2016); borders
are filled with zeros and not mirrored, since only the former has one result, bit by bit, on a graphics card.

Beside the paper's network, a skip leads from the picture to its painting. An untaught translator then changes next to
nothing, so that minutes suffice where else the colours would have to be learnt first; and how bright a picture is
needn't pass the instance norms, which take it away. CycleGAN has it with trained eyes alone: against a critic that
has yet to learn to see it stays where leaving all as it is costs its cycle nothing.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gan_play.models.layers import as_picture
from gan_play.models.projected import ProjectedDiscriminator
from gan_play.models.translators import PatchDiscriminator, begin_small, patch_layers, twice

LITTLE = 0.002  # spread of the last weights: the first paintings are the pictures, but for a little noise
MOST = 0.98  # of a colour that is handed on: 1 would be infinite where the change is added
MOST_PATCH_DIM = 256  # numbers that stand for a patch


class Residual(nn.Module):
    """Two convolutions beside a skip: (B, C, H, W) -> the same."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.second = nn.Conv2d(channels, channels, 3, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return x + F.instance_norm(self.second(F.relu(F.instance_norm(self.first(x)))))


class Up(nn.Module):
    """Twice the size by resizing, then a convolution: (B, inputs, H, W) -> (B, outputs, 2H, 2W)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        x = self.convolution(twice(x))
        return F.relu(F.instance_norm(x))


class ResnetTranslator(nn.Module):
    """A picture -> the same one as the other set would have it: (B, 3, H, W) -> (B, 3, H, W), both in [-1, 1].

    H and W are multiples of `multiple`, whatever size it learnt at. 6 blocks up to 128 px, 9 above, and `width`
    channels at the full size (the papers': 64). `skip`: it paints the change alone.
    """

    multiple = 8  # 4 are halved twice; then a map of one place is left, which has no spread to be normed by
    strides = (1, 2, 4, 4, 4)  # of what `look` returns

    def __init__(self, size_px: int, width: int, skip: bool = False) -> None:
        super().__init__()
        self.size_px, self.width, self.skip = size_px, width, skip
        self.depths = (3, 2 * width, 4 * width, 4 * width, 4 * width)  # channels of what `look` returns
        self.first = nn.Conv2d(3, width, 7, padding=3, bias=False)
        self.down = nn.ModuleList(
            nn.Conv2d(width * n, 2 * width * n, 3, stride=2, padding=1, bias=False) for n in (1, 2)
        )
        self.blocks = nn.ModuleList(Residual(4 * width) for _ in range(6 if size_px <= 128 else 9))
        self.up = nn.Sequential(Up(4 * width, 2 * width), Up(2 * width, width))
        self.last = nn.Conv2d(width, 3, 7, padding=3)
        begin_small(self)  # as in Zhu 2017, section 7.1
        if skip:
            nn.init.normal_(self.last.weight, 0.0, LITTLE)

    def look(self, x: Tensor) -> list[Tensor]:
        """The first half of the network: what is seen at five depths, from the pixels to the middle block.

        (B, 3, H, W) -> maps of `depths` channels at `strides`.
        """
        maps = [x]
        x = F.relu(F.instance_norm(self.first(x)))
        for layer in self.down:
            maps.append(layer(x))
            x = F.relu(F.instance_norm(maps[-1]))
        for number, block in enumerate(self.blocks[: len(self.blocks) // 2]):
            x = block(x)
            if number == 0:
                maps.append(x)
        return [*maps, x]

    def paint(self, maps: list[Tensor]) -> Tensor:
        """The second half: what `look` saw -> pictures (B, 3, H, W); with a skip tanh(atanh(x) + change)."""
        x, middle = maps[0], maps[-1]
        for block in self.blocks[len(self.blocks) // 2 :]:
            middle = block(middle)
        y = self.last(self.up(middle))
        return as_picture(y.float() + x.float().clamp(-MOST, MOST).atanh() if self.skip else y)

    def forward(self, x: Tensor) -> Tensor:
        return self.paint(self.look(x))


class PatchHeads(nn.ModuleList):
    """The heads that patches are compared through, one for each depth (Park 2020, section 3.2).

    They serve training alone; they belong to a translator since they learn with it, from the same loss.
    maps (B, C_i, h_i, w_i), the last of which are compared, and places (P,) of each of these -> what stands for the
    patches there: (B, P, D) each, of length 1.
    """

    def __init__(self, depths: tuple[int, ...], width: int) -> None:
        self.patch_dim = min(MOST_PATCH_DIM, 4 * width)
        super().__init__(
            nn.Sequential(
                nn.Linear(channels, self.patch_dim),
                nn.ReLU(inplace=True),
                nn.Linear(self.patch_dim, self.patch_dim),
            )
            for channels in depths
        )

    def forward(self, maps: Sequence[Tensor], places: Sequence[Tensor]) -> list[Tensor]:
        seen = []
        for x, head, place in zip(maps[-len(self) :], self, places):
            y = head(x.flatten(2)[:, :, place].transpose(1, 2)).float()  # (B, P, D)
            seen.append(y * torch.rsqrt(y.square().sum(dim=2, keepdim=True) + 1e-7))
        return seen


class ContrastiveTranslator(ResnetTranslator):
    """A translator with the heads that patches are compared through, at all depths."""

    compared = ResnetTranslator.strides

    def __init__(self, size_px: int, width: int) -> None:
        super().__init__(size_px, width, skip=True)
        self.heads = PatchHeads(self.depths, width)


def critic_of_set(size_px: int, width: int, eyes: bool) -> nn.Module:
    """A critic that knows the pictures of a set: of patches or, with `eyes`, of what a trained network sees in them."""
    if eyes:
        return ProjectedDiscriminator(size_px)
    return PatchDiscriminator(0, width, patch_layers(size_px))


class CycleTranslator(nn.Module):
    """Two translators, `there` from the first set to the second and `back`. Called, it goes there."""

    compared = ()

    def __init__(self, there: nn.Module, back: nn.Module) -> None:
        super().__init__()
        self.size_px, self.width, self.multiple = there.size_px, there.width, there.multiple
        self.there, self.back = there, back

    def forward(self, x: Tensor) -> Tensor:
        return self.there(x)


class CycleDiscriminator(nn.Module):
    """A critic for either way, `judges`, each with its pool of the last paintings that it is also shown.

    The critics look at patches or, with `eyes`, at what one frozen network makes of pictures. The first judges what is
    painted `there`, beside pictures of the second set; the other what is painted `back`. `pooled`: how many paintings
    a pool holds.
    """

    def __init__(self, size_px: int, width: int, pooled: int, eyes: bool = False) -> None:
        super().__init__()
        self.judges = nn.ModuleList(critic_of_set(size_px, width, eyes) for _ in range(2))
        for name in ("there", "back"):
            self.register_buffer(f"pool_{name}", torch.zeros(pooled, 3, size_px, size_px, dtype=torch.uint8))

    @property
    def pools(self) -> tuple[Tensor, Tensor]:
        """(pooled, 3, S, S) uint8 of each way."""
        return self.pool_there, self.pool_back

"""The Inception-v3 network of published FIDs: its layout as a table, its weights from the published state.

Szegedy 2016, "Rethinking the Inception Architecture", as Google released it in December 2015 for 1008 classes.
What differs from later Inceptions, and moves every score, is kept: averages leave the padding out, the last
block takes a maximum instead of an average, pictures are enlarged as TensorFlow 1 did it, by bilinear weights
that count from the corner of the first pixel.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

SIDE_PX = 299
NORM_EPSILON = 0.001  # of the published network; it isn't part of the state

Branch = tuple[str | tuple[str, str], ...]
"""Convolutions one after the other, by name; a pair stands side by side at the end. "average" and "maximum" pool."""

A: tuple[Branch, ...] = (
    ("branch1x1",),
    ("branch5x5_1", "branch5x5_2"),
    ("branch3x3dbl_1", "branch3x3dbl_2", "branch3x3dbl_3"),
    ("average", "branch_pool"),
)
B: tuple[Branch, ...] = (
    ("branch3x3 halving",),
    ("branch3x3dbl_1", "branch3x3dbl_2", "branch3x3dbl_3 halving"),
    ("maximum halving",),
)
C: tuple[Branch, ...] = (
    ("branch1x1",),
    ("branch7x7_1", "branch7x7_2", "branch7x7_3"),
    ("branch7x7dbl_1", "branch7x7dbl_2", "branch7x7dbl_3", "branch7x7dbl_4", "branch7x7dbl_5"),
    ("average", "branch_pool"),
)
D: tuple[Branch, ...] = (
    ("branch3x3_1", "branch3x3_2 halving"),
    ("branch7x7x3_1", "branch7x7x3_2", "branch7x7x3_3", "branch7x7x3_4 halving"),
    ("maximum halving",),
)
E: tuple[Branch, ...] = (
    ("branch1x1",),
    ("branch3x3_1", ("branch3x3_2a", "branch3x3_2b")),
    ("branch3x3dbl_1", "branch3x3dbl_2", ("branch3x3dbl_3a", "branch3x3dbl_3b")),
    ("average", "branch_pool"),
)
LAST = (*E[:3], ("maximum", "branch_pool"))

STEM: Branch = (
    *("Conv2d_1a_3x3 halving", "Conv2d_2a_3x3 bare", "Conv2d_2b_3x3", "maximum halving"),
    *("Conv2d_3b_1x1", "Conv2d_4a_3x3 bare", "maximum halving"),
)
BLOCKS: dict[str, tuple[Branch, ...]] = {
    **{"Mixed_5b": A, "Mixed_5c": A, "Mixed_5d": A},
    **{"Mixed_6a": B, "Mixed_6b": C, "Mixed_6c": C, "Mixed_6d": C, "Mixed_6e": C},
    **{"Mixed_7a": D, "Mixed_7b": E, "Mixed_7c": LAST},
}
"""Name after name as the published state has them; the shapes come from the weights."""


def resize_from_corner(x: Tensor, side: int = SIDE_PX) -> Tensor:
    """Bilinear resizing as in TensorFlow 1: pixel i of the result looks at i * S / side.

    (B, 3, S, S) -> (B, 3, side, side), in the dtype of x.
    """
    size = x.shape[-1]
    place = torch.arange(side, dtype=torch.float32) * torch.tensor(size / side, dtype=torch.float32)
    left = place.long().clamp_(max=size - 1)
    share = place - left
    weights = torch.zeros(side, size)
    rows = torch.arange(side)
    weights[rows, left] += 1 - share
    weights[rows, (left + 1).clamp_(max=size - 1)] += share
    weights = weights.to(x)
    return weights @ x @ weights.T


class Inception(nn.Module):
    """Pictures -> pooled features and class probabilities, from the published state (name -> tensor).

    Input: (B, 3, S, S) in 0 to 255, float32, any S. KeyError where the state has other names. Frozen: each batch
    norm is folded into its convolution.
    """

    def __init__(self, state: dict[str, Tensor]) -> None:
        super().__init__()
        for name in _convolutions():
            norm = f"{name}.bn"
            weight, bias = fuse_conv_bn_weights(
                state[f"{name}.conv.weight"],
                None,
                state[f"{norm}.running_mean"],
                state[f"{norm}.running_var"],
                NORM_EPSILON,
                state[f"{norm}.weight"],
                state[f"{norm}.bias"],
            )
            weight = weight.detach().clone(memory_format=torch.channels_last)
            self.register_buffer(f"{name}.weight".replace(".", "/"), weight)
            self.register_buffer(f"{name}.bias".replace(".", "/"), bias.detach().clone())
        # Published Inception Scores leave the classifier's bias out: Salimans 2016's program did.
        self.register_buffer("classifier", state["fc.weight"].detach().clone())
        self.eval()

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Features (B, 2048), probabilities (B, 1008)."""
        x = (resize_from_corner(x) - 128) / 128
        x = self._along(STEM, "", x.contiguous(memory_format=torch.channels_last))
        for block, branches in BLOCKS.items():
            x = torch.cat([self._along(branch, f"{block}.", x) for branch in branches], dim=1)
        pooled = x.mean(dim=(2, 3))
        return pooled, F.linear(pooled, self.classifier).softmax(dim=1)

    def _along(self, branch: Branch, block: str, x: Tensor) -> Tensor:
        for layer in branch:
            if isinstance(layer, tuple):
                x = torch.cat([self._one(side, block, x) for side in layer], dim=1)
            else:
                x = self._one(layer, block, x)
        return x

    def _one(self, layer: str, block: str, x: Tensor) -> Tensor:
        name, _, how = layer.partition(" ")
        stride, padding = (2, 0) if how == "halving" else (1, 1)
        if name == "maximum":
            return F.max_pool2d(x, 3, stride, padding)
        if name == "average":
            return F.avg_pool2d(x, 3, stride, padding, count_include_pad=False)
        weight = self.get_buffer(f"{block}{name}.weight".replace(".", "/"))
        bias = self.get_buffer(f"{block}{name}.bias".replace(".", "/"))
        same = [0, 0] if how else [side // 2 for side in weight.shape[2:]]
        return F.relu_(F.conv2d(x, weight, bias, stride, same))


def _convolutions() -> list[str]:
    """The names of all convolutions in the published state."""
    layers = [("", layer) for layer in STEM]
    for block, branches in BLOCKS.items():
        for branch in branches:
            for layer in branch:
                sides = layer if isinstance(layer, tuple) else (layer,)
                layers += [(f"{block}.", side) for side in sides]
    names = [prefix + layer.partition(" ")[0] for prefix, layer in layers]
    return [name for name in names if name.rpartition(".")[2] not in ("average", "maximum")]

"""What the pictures of a batch tell together, also where several processes, the ranks, each hold a part of it.

A batch norm takes its statistics over all pictures, a critic may compare them, a running mean follows all of them.
Where ranks share a batch (`trainers/ranks.py` says so, by `sharing`), these functions look at the whole of it;
elsewhere they do what they'd do anyway. All can be differentiated, twice too: the gradients are those that one process
would find, if each rank's loss is weighed by its share of the batch.

All ranks hold as many pictures, in order, and must call the same functions in the same order, since they wait for each
other.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor, nn

_group: dist.ProcessGroup | None = None


@contextlib.contextmanager
def sharing(group: dist.ProcessGroup) -> Iterator[None]:
    """Meanwhile the batch is shared by the ranks of a group; every one of them has to be here."""
    global _group
    before, _group = _group, group
    try:
        yield
    finally:
        _group = before


def alone() -> bool:
    """Whether nothing is shared: then nobody is asked."""
    return _group is None


def place() -> tuple[int, int]:
    """Which part of the batch is here, from 0, and how many there are: (0, 1) where nothing is shared."""
    return (0, 1) if alone() else (dist.get_rank(_group), dist.get_world_size(_group))


class _Sum(torch.autograd.Function):
    """The sum over the ranks. Its gradient is the sum of theirs, since each of them used the sum."""

    @staticmethod
    def forward(ctx: object, x: Tensor) -> Tensor:
        total = x.clone(memory_format=torch.contiguous_format)
        dist.all_reduce(total, group=_group)
        return total

    @staticmethod
    def backward(ctx: object, gradient: Tensor) -> Tensor:
        return _Sum.apply(gradient)


def summed(x: Tensor) -> Tensor:
    """The sum of a tensor over the ranks, of the same shape."""
    return x if alone() else _Sum.apply(x)


def averaged(x: Tensor) -> Tensor:
    """The mean of a tensor over the ranks; of a mean over pictures, that over the pictures of all."""
    return x if alone() else _Sum.apply(x) / place()[1]


def gathered(x: Tensor) -> Tensor:
    """The pictures, labels or whatever else of all ranks, in order: (B, ...) -> (ranks * B, ...)."""
    if alone():
        return x
    rank, ranks = place()
    parts = [x if i == rank else torch.zeros_like(x) for i in range(ranks)]
    return _Sum.apply(torch.cat(parts))


def own(x: Tensor) -> Tensor:
    """This rank's part of what all have: (ranks * B, ...) -> (B, ...)."""
    rank, ranks = place()
    return x.tensor_split(ranks)[rank]


def statistics(
    x: Tensor, running_mean: Tensor | None, running_var: Tensor | None, momentum: float
) -> tuple[Tensor, Tensor]:
    """Mean and variance (C,) of each channel over the pictures of all ranks; moves the running ones: (B, C, ...).

    Of each rank's mean and variance, as in Chan 1983 ("Algorithms for Computing the Sample Variance", equation 1.5),
    not of sums of squares, which lose digits.
    """
    var, mean = torch.var_mean(x.float(), dim=[0, *range(2, x.dim())], correction=0)
    variances, means = gathered(torch.stack([var, mean])[None]).unbind(1)  # (ranks, C) each
    mean = means.mean(0)
    var = (variances + (means - mean).square()).mean(0)
    if running_mean is not None:
        with torch.no_grad():
            count = place()[1] * x.numel() // x.shape[1]
            running_mean.lerp_(mean.to(running_mean), momentum)
            running_var.lerp_((var * (count / (count - 1))).to(running_var), momentum)
    return mean, var


def batch_norm(
    x: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor,
    bias: Tensor,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Batch norm in training, with the statistics of the whole batch; the running ones are moved: (B, C, ...).

    PyTorch's SyncBatchNorm does the same, on graphics cards alone.
    """
    if alone():
        return F.batch_norm(x, running_mean, running_var, weight, bias, True, momentum, eps)
    mean, var = statistics(x, running_mean, running_var, momentum)
    shape = (-1, *[1] * (x.dim() - 2))
    scale = (weight * torch.rsqrt(var + eps)).view(shape)
    return ((x.float() - mean.view(shape)) * scale + bias.view(shape)).to(x.dtype)


def _forward(norm: nn.Module, x: Tensor) -> Tensor:
    if not norm.training:
        return type(norm).forward(norm, x)
    norm.num_batches_tracked.add_(1)
    return batch_norm(x, norm.running_mean, norm.running_var, norm.weight, norm.bias, norm.momentum, norm.eps)


def look_together(network: nn.Module) -> None:
    """Makes the batch norms of a network take their statistics of the whole batch, wherever it is."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            module.forward = _forward.__get__(module)

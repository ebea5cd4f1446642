"""What the benchmarks count, against what is worked out by hand, and whose time the parts of a step are."""

import torch
import torch.nn.functional as F
from torch import nn
from torch.profiler import ProfilerActivity, profile

from benchmarks import limits, throughput
from gan_play.trainers.recipes import RECIPES

ONE_WAY = (
    2 * 2 * 5 * 5 * 6 * 4 * 3 * 3
)  # 2 pictures of 5 x 5, 4 channels to 6, 3 x 3: a product and a sum each


def test_a_convolution_is_counted_there_and_back():
    x, layer = torch.randn(2, 4, 5, 5), nn.Conv2d(4, 6, 3, padding=1)
    assert throughput.count(lambda: layer(x)) == ONE_WAY
    assert throughput.count(lambda: layer(x).sum().backward()) == 2 * ONE_WAY  # no one asks for x's gradient
    x.requires_grad_()
    assert throughput.count(lambda: layer(x).sum().backward()) == 3 * ONE_WAY
    layer.requires_grad_(False)  # frozen features are gone through, and learn nothing
    assert throughput.count(lambda: layer(x).sum().backward()) == 2 * ONE_WAY


def test_a_convolution_in_groups_is_a_share_of_it_both_ways():
    x, layer = torch.randn(2, 4, 5, 5, requires_grad=True), nn.Conv2d(4, 6, 3, padding=1, groups=2)
    assert throughput.count(lambda: layer(x).sum().backward()) == 3 * ONE_WAY // 2


def test_a_transposed_convolution_is_counted_by_what_goes_in():
    x, layer = torch.randn(2, 4, 5, 5, requires_grad=True), nn.ConvTranspose2d(4, 6, 3, 2)
    assert throughput.count(lambda: layer(x).sum().backward()) == 3 * ONE_WAY


def test_mixed_precision_changes_no_count():
    x, layer = torch.randn(2, 4, 5, 5, requires_grad=True), nn.Conv2d(4, 6, 3, padding=1)

    def there_and_back() -> None:
        with torch.autocast("cpu", torch.bfloat16):
            y = layer(x)
        y.float().sum().backward()

    assert throughput.count(there_and_back) == 3 * ONE_WAY


def test_a_slope_s_own_way_back_is_counted():
    x, weight = torch.randn(8, 4, requires_grad=True), torch.randn(3, 4, requires_grad=True)

    def penalised() -> None:
        (slope,) = torch.autograd.grad(F.linear(x, weight).square().sum(), x, create_graph=True)
        slope.square().sum().backward()

    # x W^T; g W; then back: to g and to W of that, and to x and to W of the first: each 8 x 4 x 3.
    assert throughput.count(penalised) in [2 * 8 * 4 * 3 * products for products in (5, 6)]


def test_every_recipe_has_settings_to_be_measured_with():
    for name, row in RECIPES.items():
        assert throughput.usual(name, 64, "float32", "cpu").width == row.widths[0]


def test_a_part_s_way_back_is_told_apart_from_the_others():
    first, second = nn.Linear(4, 4), nn.Linear(4, 4)
    x = torch.randn(2, 4)
    with profile(activities=[ProfilerActivity.CPU], acc_events=True) as seen:
        y = limits.labelled("first", first)(x)
        limits.labelled("second", second)(y).sum().backward()
    taken = limits.times(seen.events(), "cpu")
    assert all(taken[part][0] > 0 and taken[part][1] > 0 for part in ("first", "second"))
    assert taken["overhead"][1] > 0  # the sum's

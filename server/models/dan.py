"""DAN: several attention heads on one backbone, each attending to another part of the face.

Source: Wen et al., "Distract your attention: multi-head cross attention network for facial expression
recognition" (arXiv 2109.07270; authors' code github.com/yaoing/DAN, MIT). Module names are the
checkpoints'.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .resnet18 import resnet18_features

_FEATURES = 512


@dataclass(frozen=True)
class DanConfig:
    """Sizes of the network; the defaults are the published one's."""

    num_classes: int = 8
    input_size: int = 224
    heads: int = 4


class SpatialAttention(nn.Module):
    """Multiplies the features by one attention map: (N, 512, H, W) -> (N, 512, H, W)."""

    def __init__(self) -> None:
        super().__init__()
        half = _FEATURES // 2
        self.conv1x1 = _conv_norm(_FEATURES, half, (1, 1))
        self.conv_3x3 = _conv_norm(half, _FEATURES, (3, 3))
        self.conv_1x3 = _conv_norm(half, _FEATURES, (1, 3))
        self.conv_3x1 = _conv_norm(half, _FEATURES, (3, 1))

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv1x1(x)
        y = F.relu(self.conv_3x3(y) + self.conv_1x3(y) + self.conv_3x1(y))
        return x * y.sum(1, keepdim=True)


class ChannelAttention(nn.Module):
    """Averages each map, then multiplies each channel by a gate computed from all: (N, C, H, W) -> (N, C)."""

    def __init__(self) -> None:
        super().__init__()
        self.attention = nn.Sequential(
            nn.Linear(_FEATURES, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, _FEATURES), nn.Sigmoid()
        )

    def forward(self, x: Tensor) -> Tensor:
        x = x.mean((2, 3))
        return x * self.attention(x)


class AttentionHead(nn.Module):
    """Spatial, then channel attention: (N, 512, H, W) -> (N, 512)."""

    def __init__(self) -> None:
        super().__init__()
        self.sa = SpatialAttention()
        self.ca = ChannelAttention()

    def forward(self, x: Tensor) -> Tensor:
        return self.ca(self.sa(x))


class Dan(nn.Module):
    """Takes float32 (N, 3, 224, 224), ImageNet-normalised; returns logits (N, classes)."""

    def __init__(self, config: DanConfig) -> None:
        super().__init__()
        self.config = config
        self.features = resnet18_features()
        for index in range(config.heads):
            self.add_module(f"cat_head{index}", AttentionHead())
        self.fc = nn.Linear(_FEATURES, config.num_classes)
        self.bn = nn.BatchNorm1d(config.num_classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.features(x)
        heads = [self.get_submodule(f"cat_head{index}")(x) for index in range(self.config.heads)]
        attended = torch.stack(heads, dim=1)  # (N, heads, 512)
        # Over the heads: what one attends to counts less in the others.
        return self.bn(self.fc(attended.log_softmax(dim=1).sum(1)))


def _conv_norm(in_channels: int, out_channels: int, kernel: tuple[int, int]) -> nn.Sequential:
    padding = (kernel[0] // 2, kernel[1] // 2)
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, kernel, padding=padding), nn.BatchNorm2d(out_channels)
    )

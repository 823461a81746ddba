"""A compact residual network with squeeze-and-excitation, for small faces trained from scratch.

Sources: He et al., pre-activation residual units (arXiv 1603.05027); Hu et al., squeeze-and-excitation
(arXiv 1709.01507). The sizes are this project's own.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F


@dataclass(frozen=True)
class SeResNetConfig:
    """Sizes of the network; the defaults have 2.8 M parameters."""

    num_classes: int = 7
    input_size: int = 48
    widths: tuple[int, int, int, int] = (32, 64, 128, 256)
    depths: tuple[int, int, int, int] = (2, 2, 2, 2)
    excitation_reduction: int = 8
    dropout: float = 0.3


class ChannelExcitation(nn.Module):
    """Scales each channel by a gate computed from the map's channel means."""

    def __init__(self, channels: int, reduction: int) -> None:
        super().__init__()
        self.squeeze = nn.Linear(channels, channels // reduction)
        self.excite = nn.Linear(channels // reduction, channels)

    def forward(self, x: Tensor) -> Tensor:
        gate = torch.sigmoid(self.excite(F.relu(self.squeeze(x.mean((2, 3))))))
        return x * gate[:, :, None, None]


class ResidualUnit(nn.Module):
    """BN, ReLU, 3x3 (strided), BN, ReLU, 3x3, excitation, added to the shortcut."""

    def __init__(self, in_channels: int, out_channels: int, stride: int, reduction: int) -> None:
        super().__init__()
        self.norm1 = nn.BatchNorm2d(in_channels)
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, stride, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, 1, 1, bias=False)
        self.excitation = ChannelExcitation(out_channels, reduction)
        self.shortcut: nn.Module = (
            nn.Identity()
            if in_channels == out_channels and stride == 1
            else nn.Conv2d(in_channels, out_channels, 1, stride, bias=False)
        )

    def forward(self, x: Tensor) -> Tensor:
        activated = F.relu(self.norm1(x))
        shortcut = x if isinstance(self.shortcut, nn.Identity) else self.shortcut(activated)
        out = self.conv2(F.relu(self.norm2(self.conv1(activated))))
        return torch.add(shortcut, self.excitation(out))


class SeResNet(nn.Module):
    """Takes float32 (N, 3, S, S), normalised; returns logits (N, classes)."""

    def __init__(self, config: SeResNetConfig) -> None:
        super().__init__()
        self.config = config
        self.stem = nn.Conv2d(3, config.widths[0], 3, 1, 1, bias=False)
        units: list[nn.Module] = []
        channels = config.widths[0]
        for stage, (width, depth) in enumerate(zip(config.widths, config.depths, strict=True)):
            for unit in range(depth):
                stride = 2 if stage > 0 and unit == 0 else 1
                units.append(ResidualUnit(channels, width, stride, config.excitation_reduction))
                channels = width
        self.stages = nn.Sequential(*units)
        self.norm = nn.BatchNorm2d(channels)
        self.dropout = nn.Dropout(config.dropout)
        self.head = nn.Linear(channels, config.num_classes)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.norm(self.stages(self.stem(x))))
        return self.head(self.dropout(x.mean((2, 3))))

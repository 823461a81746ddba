"""IR-50, the image stream of POSTER V2: an improved residual network without its last stage.

Source: Deng et al., ArcFace (arXiv 1801.07698), in the form that POSTER V2's authors use
(github.com/Talented-Q/POSTER_V2, ``models/ir50.py``). Module names are the checkpoint's.
"""

import torch
from torch import Tensor, nn


class Subsample(nn.Module):
    """Keeps every ``stride``-th pixel, like the authors' max-pool of kernel 1, at a fraction of its cost."""

    def __init__(self, stride: int) -> None:
        super().__init__()
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        return x if self.stride == 1 else x[:, :, :: self.stride, :: self.stride]


class ImprovedResidualUnit(nn.Module):
    """BN, 3x3, PReLU, strided 3x3, BN, added to a shortcut."""

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        if in_channels == out_channels:
            self.shortcut_layer: nn.Module = Subsample(stride)
        else:
            self.shortcut_layer = nn.Sequential(
                nn.Conv2d(in_channels, out_channels, 1, stride, bias=False), nn.BatchNorm2d(out_channels)
            )
        self.res_layer = nn.Sequential(
            nn.BatchNorm2d(in_channels),
            nn.Conv2d(in_channels, out_channels, 3, 1, 1, bias=False),
            nn.PReLU(out_channels),
            nn.Conv2d(out_channels, out_channels, 3, stride, 1, bias=False),
            nn.BatchNorm2d(out_channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        return torch.add(self.res_layer(x), self.shortcut_layer(x))


class ImprovedResidualBackbone(nn.Module):
    """The stem and three stages; each stage's first unit halves the resolution.

    Takes (N, 3, S, S); returns maps at S/2, S/4 and S/8 with ``widths`` channels.
    """

    def __init__(self, widths: tuple[int, int, int], depths: tuple[int, int, int]) -> None:
        super().__init__()
        self.input_layer = nn.Sequential(
            nn.Conv2d(3, widths[0], 3, 1, 1, bias=False), nn.BatchNorm2d(widths[0]), nn.PReLU(widths[0])
        )
        self.body1 = self._stage(widths[0], widths[0], depths[0])
        self.body2 = self._stage(widths[0], widths[1], depths[1])
        self.body3 = self._stage(widths[1], widths[2], depths[2])

    @staticmethod
    def _stage(in_channels: int, out_channels: int, depth: int) -> nn.Sequential:
        return nn.Sequential(
            ImprovedResidualUnit(in_channels, out_channels, stride=2),
            *(ImprovedResidualUnit(out_channels, out_channels, stride=1) for _ in range(depth - 1)),
        )

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        x1 = self.body1(self.input_layer(x))
        x2 = self.body2(x1)
        x3 = self.body3(x2)
        return x1, x2, x3

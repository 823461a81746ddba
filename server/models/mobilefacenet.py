"""MobileFaceNet, the landmark stream of POSTER V2.

Source: Chen et al., MobileFaceNets (arXiv 1804.07573), in the form that POSTER V2's authors use
(github.com/Talented-Q/POSTER_V2, ``models/mobilefacenet.py``). Module names are the checkpoint's.
The authors' code computes its classifier (``output_layer``) and drops the result; it is left out here.
"""

from dataclasses import dataclass

from torch import Tensor, nn


@dataclass(frozen=True)
class MobileFaceNetConfig:
    """Widths of the three stages; the defaults are the published network's."""

    stem_width: int = 64
    widths: tuple[int, int, int] = (64, 128, 128)
    transition_expansions: tuple[int, int, int] = (128, 256, 512)
    residual_expansions: tuple[int, int, int] = (128, 256, 256)
    depths: tuple[int, int, int] = (4, 6, 2)
    out_width: int = 512


class ConvUnit(nn.Module):
    """Convolution, BN and (unless ``linear``) PReLU."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: int = 1,
        stride: int = 1,
        groups: int = 1,
        linear: bool = False,
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(
            in_channels, out_channels, kernel, stride, kernel // 2, groups=groups, bias=False
        )
        self.bn = nn.BatchNorm2d(out_channels)
        self.prelu: nn.Module = nn.Identity() if linear else nn.PReLU(out_channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.prelu(self.bn(self.conv(x)))


class InvertedResidual(nn.Module):
    """1x1 up to ``expansion`` channels, depthwise 3x3, linear 1x1 down."""

    def __init__(
        self, in_channels: int, out_channels: int, expansion: int, stride: int, residual: bool
    ) -> None:
        super().__init__()
        self.conv = ConvUnit(in_channels, expansion)
        self.conv_dw = ConvUnit(expansion, expansion, 3, stride, groups=expansion)
        self.project = ConvUnit(expansion, out_channels, linear=True)
        self.residual = residual

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.project(self.conv_dw(self.conv(x)))
        return x + out if self.residual else out


class ResidualStage(nn.Module):
    """``depth`` inverted residuals of one width, named ``model`` as in the checkpoints."""

    def __init__(self, width: int, expansion: int, depth: int) -> None:
        super().__init__()
        self.model = nn.Sequential(
            *(InvertedResidual(width, width, expansion, stride=1, residual=True) for _ in range(depth))
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.model(x)


class MobileFaceNet(nn.Module):
    """Takes (N, 3, S, S); returns maps at S/4, S/8 and S/16."""

    def __init__(self, config: MobileFaceNetConfig) -> None:
        super().__init__()
        stem, (w1, w2, w3) = config.stem_width, config.widths
        t1, t2, t3 = config.transition_expansions
        r1, r2, r3 = config.residual_expansions
        d1, d2, d3 = config.depths
        self.conv1 = ConvUnit(3, stem, 3, 2)
        self.conv2_dw = ConvUnit(stem, stem, 3, 1, groups=stem)
        self.conv_23 = InvertedResidual(stem, w1, t1, stride=2, residual=False)
        self.conv_3 = ResidualStage(w1, r1, d1)
        self.conv_34 = InvertedResidual(w1, w2, t2, stride=2, residual=False)
        self.conv_4 = ResidualStage(w2, r2, d2)
        self.conv_45 = InvertedResidual(w2, w3, t3, stride=2, residual=False)
        self.conv_5 = ResidualStage(w3, r3, d3)
        self.conv_6_sep = ConvUnit(w3, config.out_width)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        x1 = self.conv_3(self.conv_23(self.conv2_dw(self.conv1(x))))
        x2 = self.conv_4(self.conv_34(x1))
        x3 = self.conv_6_sep(self.conv_5(self.conv_45(x2)))
        return x1, x2, x3

"""Draws simulated occlusions onto a batch of face images.

Two regions simulate what covers part of a face: a head-mounted display over its upper half and a mask over
its lower half. A block of 10 % of the image simulates a hand or a cup. Coordinates are those of the crop
(docs/crop.md), in which the eyes are at about 0.38 of the height, the tip of the nose at 0.6 and the mouth at
0.77.
"""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Region:
    """A rounded rectangle; its edges are fractions of the image's width and height."""

    left: float
    top: float
    right: float
    bottom: float


#: From the forehead to above the tip of the nose, like a head-mounted display.
HEADSET = Region(0.04, 0.14, 0.96, 0.56)
#: From below the bridge of the nose to the chin, like a surgical mask.
MASK = Region(0.10, 0.56, 0.90, 1.02)

#: Exponent n of the superellipse |x|^n + |y|^n <= 1: 2 is an ellipse, infinity a rectangle.
_ROUNDNESS = 8


def cover(images: Tensor, region: Region, levels: Tensor, jitter: float = 0.0) -> Tensor:
    """Draws ``region`` over every image.

    Args:
        images: float (N, 1 or 3, H, W) in [0, 255].
        levels: (N,), the brightness of each image's occlusion; it is shaded by a tenth from top to bottom.
        jitter: each edge moves by up to this share of the image, independently.
    """
    n, device = images.shape[0], images.device
    edges = torch.tensor((region.left, region.top, region.right, region.bottom), device=device)
    edges = edges + (torch.rand(n, 4, device=device) * 2 - 1) * jitter
    return torch.where(_inside(images, edges, _ROUNDNESS), _shaded(images, levels), images)


def cover_block(images: Tensor, area: float, levels: Tensor) -> Tensor:
    """Draws a square of ``area`` (fraction of the image) at a random place; arguments as in ``cover``."""
    n, device = images.shape[0], images.device
    side = area**0.5
    corner = torch.rand(n, 2, device=device) * (1 - side)
    edges = torch.cat((corner, corner + side), dim=1)
    return torch.where(_inside(images, edges, 64), levels.view(n, 1, 1, 1).expand_as(images), images)


def _inside(images: Tensor, edges: Tensor, roundness: int) -> Tensor:
    """Bool (N, 1, H, W): the pixels within ``edges`` (N, 4), fractions of width and height."""
    height, width = images.shape[-2:]
    x = (torch.arange(width, device=images.device) + 0.5) / width
    y = (torch.arange(height, device=images.device) + 0.5) / height
    left, top, right, bottom = (edge.view(-1, 1) for edge in edges.unbind(1))
    across = ((2 * x - left - right) / (right - left)) ** roundness
    down = ((2 * y - top - bottom) / (bottom - top)) ** roundness
    return (across[:, None, :] + down[:, :, None] <= 1)[:, None]


def _shaded(images: Tensor, levels: Tensor) -> Tensor:
    light = torch.linspace(1.05, 0.95, images.shape[-2], device=images.device).view(1, 1, -1, 1)
    return (levels.view(-1, 1, 1, 1) * light).clamp(0, 255).expand_as(images)

"""Random augmentation of a batch of faces, on tensors and therefore on any device.

Faces in front of a webcam are tilted, off-centre, noisy, out of focus and partly covered; most training
images are not.
"""

import math
from dataclasses import dataclass

import cv2
import torch
from torch import Tensor
from torch.nn import functional as F

from .occlusion import HEADSET, MASK, Region, cover


@dataclass(frozen=True)
class AugmentationSpec:
    """Strengths; a probability of 0 turns a change off."""

    flip: float = 0.5
    rotation_degrees: float = 15.0
    scale: float = 0.15  # relative change of size, both ways
    translation: float = 0.1  # of the image's side, both ways
    gamma: float = 0.3  # exponent 2**±gamma
    low_resolution: float = 0.15  # probability of down- and up-sampling
    blur: float = 0.1  # probability of a Gaussian blur
    noise: float = 0.15  # probability of Gaussian noise
    jpeg: float = 0.1  # probability of compression, at a quality of 20 to 90
    erasing: float = 0.4  # probability of one block of noise or of one brightness
    headset: float = 0.0  # probability of a head-mounted display
    mask: float = 0.0  # probability of a mask


def augment(images: Tensor, spec: AugmentationSpec, side: int | None = None) -> Tensor:
    """Takes and returns float (N, 1 or 3, H, W) in [0, 255], the latter with the given ``side`` if any."""
    images = _affine(images, spec, side or images.shape[-1])
    worn = torch.rand(images.shape[0], device=images.device)  # one draw, since no face gets both
    images = _wear(images, HEADSET, worn < spec.headset)
    images = _wear(images, MASK, (worn >= spec.headset) & (worn < spec.headset + spec.mask))
    images = _erase(_photometric(images, spec), spec.erasing)
    return _jpeg(images, spec.jpeg)


def _wear(images: Tensor, region: Region, chosen: Tensor) -> Tensor:
    """Covers the chosen images with a shape of random size and brightness near ``region``."""
    levels = torch.rand(images.shape[0], device=images.device) * 255
    covered = cover(images, region, levels, jitter=0.08)
    return torch.where(chosen.view(-1, 1, 1, 1), covered, images)


def _affine(images: Tensor, spec: AugmentationSpec, side: int) -> Tensor:
    n, device = images.shape[0], images.device
    angle = _symmetric(n, device) * math.radians(spec.rotation_degrees)
    size = 1 + _symmetric(n, device) * spec.scale
    mirror = torch.where(torch.rand(n, device=device) < spec.flip, -1.0, 1.0)
    shift = (torch.rand(n, 2, device=device) * 2 - 1) * 2 * spec.translation  # the grid spans [-1, 1]
    cos, sin = angle.cos() * size, angle.sin() * size
    matrix = torch.stack(
        (torch.stack((cos * mirror, -sin, shift[:, 0]), 1), torch.stack((sin * mirror, cos, shift[:, 1]), 1)),
        dim=1,
    )  # (N, 2, 3)
    grid = F.affine_grid(matrix, [n, images.shape[1], side, side], align_corners=False)
    # "border" repeats the edge: black wedges would tell the network about the augmentation.
    return F.grid_sample(images, grid, mode="bilinear", padding_mode="border", align_corners=False)


def _photometric(images: Tensor, spec: AugmentationSpec) -> Tensor:
    n, device = images.shape[0], images.device
    exponent = torch.exp2(_symmetric(n, device) * spec.gamma).view(n, 1, 1, 1)
    images = (images / 255).clamp(0, 1).pow(exponent) * 255

    chosen = torch.rand(n, device=device) < spec.low_resolution
    if chosen.any():
        side = images.shape[-1]
        smaller = int(torch.randint(side // 3, side, ()).item())
        low = F.interpolate(images[chosen], size=(smaller, smaller), mode="area")
        images[chosen] = F.interpolate(low, size=(side, side), mode="bilinear", align_corners=False)

    chosen = torch.rand(n, device=device) < spec.blur
    if chosen.any():
        images[chosen] = _blur(images[chosen], deviation=0.4 + 1.1 * float(torch.rand(())))

    chosen = torch.rand(n, device=device) < spec.noise
    deviation = chosen.view(n, 1, 1, 1) * torch.rand(n, 1, 1, 1, device=device) * 16
    return (images + torch.randn_like(images) * deviation).clamp(0, 255)


def _blur(images: Tensor, deviation: float) -> Tensor:
    """Gaussian, ``deviation`` in pixels; the edges are repeated."""
    reach = 4
    offsets = torch.arange(-reach, reach + 1, device=images.device, dtype=images.dtype)
    kernel = torch.exp(-0.5 * (offsets / deviation) ** 2)
    kernel = kernel / kernel.sum()
    planes = F.pad(images, (reach,) * 4, mode="replicate").flatten(0, 1).unsqueeze(1)
    planes = F.conv2d(F.conv2d(planes, kernel.view(1, 1, 1, -1)), kernel.view(1, 1, -1, 1))
    return planes.view_as(images)


def _jpeg(images: Tensor, probability: float) -> Tensor:
    """JPEG-compressed and decoded, on the CPU, for real artefacts."""
    for index in (torch.rand(images.shape[0]) < probability).nonzero().flatten().tolist():
        quality = int(torch.randint(20, 91, ()))
        # OpenCV expects BGR. Encoding and decoding swap the channels in the same way, so colours stay right.
        pixels = images[index].flip(0).permute(1, 2, 0).round().clamp(0, 255).to("cpu", torch.uint8).numpy()
        _, packed = cv2.imencode(".jpg", pixels, (cv2.IMWRITE_JPEG_QUALITY, quality))
        read = cv2.imdecode(packed, cv2.IMREAD_UNCHANGED)
        assert read is not None
        images[index] = torch.from_numpy(read.reshape(pixels.shape)).permute(2, 0, 1).flip(0).to(images)
    return images


def _erase(images: Tensor, probability: float) -> Tensor:
    """Covers a block of 4 to 25 % of the image with noise (Zhong et al., arXiv 1708.04896) or, in half
    of the cases, with one brightness."""
    n, _, height, width = images.shape
    device = images.device
    area = torch.empty(n, device=device).uniform_(0.04, 0.25) * height * width
    aspect = torch.exp(_symmetric(n, device) * math.log(2.0))
    block_h, block_w = (area * aspect).sqrt().clamp(max=height), (area / aspect).sqrt().clamp(max=width)
    top = torch.rand(n, device=device) * (height - block_h)
    left = torch.rand(n, device=device) * (width - block_w)
    y = torch.arange(height, device=device).view(1, height, 1)
    x = torch.arange(width, device=device).view(1, 1, width)
    inside = _between(y, top, block_h) & _between(x, left, block_w)
    inside &= (torch.rand(n, device=device) < probability).view(n, 1, 1)
    noise, flat = torch.rand_like(images), torch.rand(n, 1, 1, 1, device=device)
    filling = torch.where(torch.rand(n, 1, 1, 1, device=device) < 0.5, noise, flat)
    return torch.where(inside[:, None], filling * 255, images)


def _between(position: Tensor, start: Tensor, length: Tensor) -> Tensor:
    start, length = start.view(-1, 1, 1), length.view(-1, 1, 1)
    return (position >= start) & (position < start + length)


def mixup(images: Tensor, targets: Tensor, alpha: float) -> tuple[Tensor, Tensor]:
    """Blends each image and its target with another's (Zhang et al., arXiv 1710.09412)."""
    weight = float(torch.distributions.Beta(alpha, alpha).sample())
    order = torch.randperm(images.shape[0], device=images.device)
    return images.lerp(images[order], 1 - weight), targets.lerp(targets[order], 1 - weight)


def _symmetric(n: int, device: torch.device) -> Tensor:
    return torch.rand(n, device=device) * 2 - 1

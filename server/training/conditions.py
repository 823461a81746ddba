"""The conditions of an evaluation: simulated problems of faces in front of a camera."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from .occlusion import HEADSET, MASK, Region, cover, cover_block

#: Uint8 (N, H, W) grey or (N, H, W, 3) RGB.
Images = npt.NDArray[np.uint8]
Change = Callable[[Images, np.random.Generator], Images]

#: Deviation of the blur's Gaussian as a fraction of the image's side: 1.2 px of 48.
_BLUR = 0.025

#: Divisor of a dark image's brightness, and the standard deviation of its noise, in levels of 255.
_DARKER, _NOISE = 8, 2.0

#: Roll of a tilted head, in degrees.
_ROLL_DEG = 30.0


@dataclass(frozen=True)
class Condition:
    """``change`` takes images and a random generator, and returns as many images of the same size."""

    name: str
    title: str
    change: Change


def conditions(side: int) -> tuple[Condition, ...]:
    """All conditions for images of ``side`` px, without resolutions that are not lower than that."""
    return (
        Condition("mirrored", "mirrored", _mirror),
        Condition("headset", "headset", partial(_wear, region=HEADSET)),
        Condition("mask", "mask", partial(_wear, region=MASK)),
        Condition("block_10", "block of 10 %", partial(_block, area=0.1)),
        Condition("block_20", "block of 20 %", partial(_block, area=0.2)),
        *(
            Condition(f"side_{low}", f"only {low} px", partial(_lower, side=low))
            for low in (32, 24, 16)
            if low < side
        ),
        *(
            Condition(f"jpeg_{quality}", f"JPEG quality {quality}", partial(_compress, quality=quality))
            for quality in (60, 30, 10)
        ),
        Condition("blur", "blurred", _blur),
        Condition("dark", "dark", _darken),
        Condition("roll_30", "turned by 30°", _roll),
    )


def _mirror(images: Images, _: np.random.Generator) -> Images:
    return np.ascontiguousarray(images[:, :, ::-1])


def _wear(images: Images, generator: np.random.Generator, region: Region) -> Images:
    levels = _levels(len(images), generator)
    with _chance_of(generator):
        return _images(cover(_tensor(images), region, levels), images)


def _block(images: Images, generator: np.random.Generator, area: float) -> Images:
    levels = _levels(len(images), generator)
    with _chance_of(generator):
        return _images(cover_block(_tensor(images), area, levels), images)


def _lower(images: Images, _: np.random.Generator, side: int) -> Images:
    def lower(image: Images) -> Images:
        small = cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA)
        return np.asarray(cv2.resize(small, image.shape[1::-1], interpolation=cv2.INTER_LINEAR), np.uint8)

    return np.stack([lower(image) for image in images])


def _compress(images: Images, _: np.random.Generator, quality: int) -> Images:
    def compress(image: Images) -> Images:
        # OpenCV expects BGR, and JPEG treats blue and red differently.
        _, packed = cv2.imencode(".jpg", image[..., ::-1] if image.ndim == 3 else image, options)
        read = np.asarray(cv2.imdecode(packed, cv2.IMREAD_UNCHANGED), np.uint8)
        return read[..., ::-1] if image.ndim == 3 else read

    options = (cv2.IMWRITE_JPEG_QUALITY, quality)
    return np.stack([compress(image) for image in images])


def _blur(images: Images, _: np.random.Generator) -> Images:
    deviation = _BLUR * images.shape[1]
    return np.stack([np.asarray(cv2.GaussianBlur(p, (0, 0), deviation), np.uint8) for p in images])


def _darken(images: Images, generator: np.random.Generator) -> Images:
    """Simulates an eighth of the light, with the noise of a sensor that amplifies it."""
    noise = generator.normal(0, _NOISE, images.shape[:3])
    noise = noise if images.ndim == 3 else noise[..., None]
    return np.clip(images / _DARKER + noise, 0, 255).round().astype(np.uint8)


def _roll(images: Images, generator: np.random.Generator) -> Images:
    """Turns each image in its plane, in a random direction; edge pixels are repeated."""
    side = images.shape[1]
    middle = ((side - 1) / 2, (side - 1) / 2)
    angles = np.where(generator.random(len(images)) < 0.5, _ROLL_DEG, -_ROLL_DEG)
    matrices = [cv2.getRotationMatrix2D(middle, float(angle), 1.0) for angle in angles]
    return np.stack(
        [
            np.asarray(cv2.warpAffine(image, matrix, (side, side), borderMode=cv2.BORDER_REPLICATE), np.uint8)
            for image, matrix in zip(images, matrices, strict=True)
        ]
    )


@contextmanager
def _chance_of(generator: np.random.Generator) -> Iterator[None]:
    """Seeds PyTorch's global random numbers, which occlusions use, from ``generator``; restores their state
    afterwards."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(generator.integers(2**31)))
        yield


def _levels(count: int, generator: np.random.Generator) -> Tensor:
    """Random brightness of each occlusion."""
    return torch.from_numpy(generator.uniform(0, 255, count).astype(np.float32))


def _tensor(images: Images) -> Tensor:
    """Converts images to float (N, 1 or 3, H, W)."""
    planes = images[:, None] if images.ndim == 3 else images.transpose(0, 3, 1, 2)
    return torch.from_numpy(planes.astype(np.float32))


def _images(planes: Tensor, like: Images) -> Images:
    pixels = planes.round().to(torch.uint8).numpy()
    return pixels[:, 0] if like.ndim == 3 else np.ascontiguousarray(pixels.transpose(0, 2, 3, 1))

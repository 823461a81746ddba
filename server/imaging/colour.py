"""Converts colours from a file's ICC profile to sRGB, in which the networks were trained."""

import hashlib
import io
import logging
from functools import lru_cache

import numpy as np
from PIL import Image, ImageCms

logger = logging.getLogger(__name__)

#: Larger profiles are ignored. The largest in use, those of printing presses, have 3 MB.
MAX_PROFILE_BYTES = 4 * 1024 * 1024

#: Transforms of profiles up to this size are cached: those of cameras and screens.
_KEPT_BYTES = 64 * 1024

#: A profile that changes no value by more than this, of 255, counts as sRGB.
_SAME = 2

#: ICC's name of the colour space for each of Pillow's modes.
_COLOUR_SPACES = {"RGB": "RGB", "CMYK": "CMYK", "L": "GRAY"}


def to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """The image in mode RGB, its colours converted from ``profile`` (ICC) to sRGB.

    A profile that is broken, or of another colour space than the image's, is ignored.
    """
    if image.mode not in _COLOUR_SPACES:  # palettes and transparency are based on RGB
        image = image.convert("RGB")
    transform = _transform_of(profile, image.mode) if profile else None
    converted = image.convert("RGB") if transform is None else transform.apply(image)
    converted.info.pop("icc_profile", None)  # saving the image would embed it again
    return converted


def _transform_of(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    if len(profile) > MAX_PROFILE_BYTES:
        return None
    return (_kept_transform if len(profile) <= _KEPT_BYTES else _transform)(profile, mode)


def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """None if the profile is sRGB already, cannot be read, or does not fit the mode."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if source.profile.xcolor_space.strip() != _COLOUR_SPACES[mode]:
            return None
        transform = ImageCms.buildTransform(
            source,
            ImageCms.createProfile("sRGB"),
            mode,
            "RGB",
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
            ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
        if mode == "RGB":
            sample = _colour_sample()
            change = np.asarray(transform.apply(sample), np.int16) - np.asarray(sample, np.int16)
            if np.abs(change).max() <= _SAME:
                return None
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError) as error:
        digest = hashlib.sha256(profile).hexdigest()[:12]
        logger.debug("a colour profile (SHA-256 %s…) is left out: %s", digest, error)
        return None
    return transform


_kept_transform = lru_cache(maxsize=32)(_transform)


def _colour_sample() -> Image.Image:
    """A grid over the RGB cube, with 9 values for each channel."""
    steps = np.linspace(0, 255, 9).round().astype(np.uint8)
    cube = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1)
    return Image.fromarray(cube.reshape(27, 27, 3))

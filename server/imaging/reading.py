"""Reads an image from any form that a program may have it in."""

import os
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from ..exceptions import ImageError, MissingExtraError, SourceError
from ..extras import needed_for
from .decoding import HTTP_FORMATS, decode, format_of, upright_rgb

#: Most pixels of one image: 200 MB of RGB. Larger ones are broken headers or attacks.
MAX_PIXELS = 2**26

#: Formats that are read from local files. HEIC, which phone cameras write, needs an extra library.
FILE_FORMATS = (*HTTP_FORMATS, "TIFF", "AVIF")
IMAGE_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".dib", ".tif", ".tiff", ".avif", ".heic", ".heif"}
)

#: A path, an encoded file's bytes, a PIL image, or an array uint8 (H, W, 3) RGB.
ImageInput = str | os.PathLike[str] | bytes | bytearray | memoryview | Image.Image | npt.NDArray[np.uint8]


def read_pixels(image: ImageInput) -> tuple[npt.NDArray[np.uint8], str | None]:
    """The image as uint8 (H, W, 3) RGB, upright, and its file's name if it was read from one.

    Raises SourceError for a file that cannot be read, ImageError for bytes that are no image and for a PIL
    image whose file is truncated, MissingExtraError for HEIC without its library, ValueError for an array of
    another shape or type, and TypeError for anything else.
    """
    match image:
        case str() | os.PathLike():
            if "://" in str(image) or str(image).startswith("data:"):
                raise SourceError("an image is a file here; addresses are for `track` and for streams")
            return read_file(Path(image)), str(image)
        case bytes() | bytearray() | memoryview():
            return np.asarray(_decoded(bytes(image))), None
        case Image.Image():
            if 0 in image.size:
                raise ValueError(f"an image has pixels; this is {image.width} × {image.height}")
            return checked_array(np.asarray(upright_rgb(image))), None
        case np.ndarray():
            return checked_array(image), None
    raise TypeError(f"an image is a path, bytes, a PIL image or an array, not {type(image).__name__}")


def read_file(path: Path) -> npt.NDArray[np.uint8]:
    """Reads an image file as uint8 (H, W, 3), sRGB, upright. Raises SourceError."""
    try:
        return np.asarray(_decoded(path.read_bytes()))
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror}") from error
    except (ImageError, MissingExtraError) as error:
        raise SourceError(f"{path}: {error}") from error


def _decoded(data: bytes) -> Image.Image:
    """Raises ImageError, and MissingExtraError for HEIC without its library."""
    if format_of(data) != "HEIC":
        return decode(data, MAX_PIXELS, FILE_FORMATS)
    _register_heic()
    return decode(data, MAX_PIXELS, ("HEIF",))


@cache
def _register_heic() -> None:
    """Makes Pillow able to read HEIC. Raises MissingExtraError."""
    with needed_for("reading HEIC"):
        from pi_heif import register_heif_opener
    register_heif_opener()


def checked_array(pixels: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """The array, made contiguous. Raises ValueError unless it is uint8 (H, W, 3) and not empty."""
    if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8 or 0 in pixels.shape:
        raise ValueError(f"an image is uint8 (H, W, 3), RGB; this is {pixels.dtype} {pixels.shape}")
    return np.ascontiguousarray(pixels)

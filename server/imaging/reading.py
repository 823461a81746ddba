"""An image in whatever form a program has it, as pixels."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from ..exceptions import ImageError, SourceError
from .decoding import decode, upright_rgb

#: Most pixels of one image: 200 MB of RGB. Larger ones are broken headers or attacks.
MAX_PIXELS = 2**26

#: A path, an encoded file's bytes, a PIL image, or an array uint8 (H, W, 3) RGB.
ImageInput = str | os.PathLike[str] | bytes | bytearray | memoryview | Image.Image | npt.NDArray[np.uint8]


def read_pixels(image: ImageInput) -> tuple[npt.NDArray[np.uint8], str | None]:
    """Uint8 (H, W, 3) RGB, upright, and the file's name if it came from one.

    Raises SourceError for a file that cannot be read, ImageError for bytes that are no image and for a PIL
    image whose file is truncated, ValueError for an array of another form and TypeError for anything else.
    """
    match image:
        case str() | os.PathLike():
            if "://" in str(image) or str(image).startswith("data:"):
                raise SourceError("an image is a file here; addresses are for `track` and for streams")
            return read_file(Path(image)), str(image)
        case bytes() | bytearray() | memoryview():
            return np.asarray(decode(bytes(image), MAX_PIXELS)), None
        case Image.Image():
            if 0 in image.size:
                raise ValueError(f"an image has pixels; this is {image.width} × {image.height}")
            return checked_array(np.asarray(upright_rgb(image))), None
        case np.ndarray():
            return checked_array(image), None
    raise TypeError(f"an image is a path, bytes, a PIL image or an array, not {type(image).__name__}")


def read_file(path: Path) -> npt.NDArray[np.uint8]:
    """A JPEG, PNG or WebP file as uint8 (H, W, 3), RGB, upright. Raises SourceError."""
    try:
        return np.asarray(decode(path.read_bytes(), MAX_PIXELS))
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror}") from error
    except ImageError as error:
        raise SourceError(f"{path}: {error}") from error


def checked_array(pixels: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """The array itself, contiguous. Raises ValueError unless it is uint8 (H, W, 3) with pixels in it."""
    if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8 or 0 in pixels.shape:
        raise ValueError(f"an image is uint8 (H, W, 3), RGB; this is {pixels.dtype} {pixels.shape}")
    return np.ascontiguousarray(pixels)

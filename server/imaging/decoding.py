"""From an encoded picture to the pixels that the networks take."""

import io
import struct

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

from ..exceptions import ImageError, ImageTooLargeError, InvalidImageError
from .structure import check_structure

FORMATS = ("JPEG", "PNG", "WEBP")

#: What Pillow raises on broken files; the last two come from broken orientation tags.
_BROKEN = (OSError, ValueError, SyntaxError, EOFError, TypeError, struct.error)

#: A crop at each of the networks' input sizes, uint8 (S, S, 3) RGB, in memory.
Crops = tuple[npt.NDArray[np.uint8], ...]


def decode(data: bytes, max_pixels: int) -> Image.Image:
    """An upright RGB picture from a JPEG, PNG or WebP file.

    Raises ImageTooLargeError, from the header alone, for more than ``max_pixels``, and InvalidImageError
    for anything empty, truncated or of another format.
    """
    return upright_rgb(read_header(data, max_pixels))


def upright_rgb(picture: Image.Image) -> Image.Image:
    """Turned as its EXIF orientation says, in RGB. Raises InvalidImageError where its file is truncated."""
    try:
        picture.load()
        upright = ImageOps.exif_transpose(picture)
        if upright.mode.startswith("I"):
            # 16-bit grey: Pillow itself would cut off all that is brighter than 255 of 65535.
            upright = Image.fromarray((np.asarray(upright) >> 8).astype(np.uint8))
        return upright.convert("RGB")
    except _BROKEN as error:
        raise _broken(error) from error


def read_header(data: bytes, max_pixels: int) -> Image.Image:
    """A picture whose size and format are known, not yet its pixels. Raises as ``decode`` does."""
    if not data:
        raise InvalidImageError("the picture is empty", "empty")
    check_structure(data)
    try:
        picture = Image.open(io.BytesIO(data), formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageTooLargeError(max_pixels, "the picture is far too large") from error
    except UnidentifiedImageError as error:
        message = "the data is neither JPEG, PNG nor WebP, or its header is broken"
        raise InvalidImageError(message, "unsupported" if _is_other_format(data) else "unknown") from error
    except _BROKEN as error:
        raise _broken(error) from error
    pixels = picture.width * picture.height
    if pixels > max_pixels:
        raise ImageTooLargeError(max_pixels, f"the picture has {pixels} pixels")
    return picture


def count_pixels(data: bytes, max_pixels: int) -> int:
    """Of an encoded picture, from its header; 0 for one that ``decode`` refuses by its header."""
    try:
        picture = read_header(data, max_pixels)
    except ImageError:
        return 0
    return picture.width * picture.height


def _broken(error: Exception) -> InvalidImageError:
    return InvalidImageError(f"the picture is truncated or broken: {error}")


def _is_other_format(data: bytes) -> bool:
    """Whether the first bytes are those of GIF, BMP, TIFF, or of HEIC and AVIF as telephones take them."""
    return data.startswith((b"GIF8", b"BM", b"II*\0", b"MM\0*")) or data[4:8] == b"ftyp"


def grey_face(sizes: tuple[int, ...]) -> Crops:
    """For trying an engine out: a crop without anything on it, at each of ``sizes``."""
    return tuple(np.full((size, size, 3), 128, np.uint8) for size in sizes)


def prepare(picture: Image.Image, sizes: tuple[int, ...]) -> Crops:
    """Resizes a crop to each of ``sizes``, with antialiasing, as training pictures were."""
    return tuple(
        np.asarray(
            picture
            if picture.size == (size, size)
            else picture.resize((size, size), Image.Resampling.BILINEAR, reducing_gap=2.0)
        )
        for size in sizes
    )

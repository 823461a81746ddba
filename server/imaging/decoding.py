"""Decodes images into the pixels that the networks take."""

import io
import struct

import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image, ImageChops, UnidentifiedImageError

from ..exceptions import ImageError, ImageTooLargeError, InvalidImageError
from .colour import to_srgb
from .metadata import ended, exif_orientation, without_metadata
from .structure import check_structure

#: Formats that the stream accepts; the default everywhere.
FORMATS = ("JPEG", "PNG", "WEBP")

#: Formats that the server accepts in uploads. TIFF is not one: its decoders are large and often faulty.
HTTP_FORMATS = (*FORMATS, "BMP")

#: Exceptions that Pillow raises for broken files; the last two come from broken metadata.
_BROKEN = (OSError, ValueError, SyntaxError, EOFError, TypeError, KeyError, IndexError, struct.error)

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

#: Format name, offset and signature of formats that error messages name.
_SIGNATURES: tuple[tuple[str, int, bytes], ...] = (
    ("GIF", 0, b"GIF8"),
    ("BMP", 0, b"BM"),
    ("TIFF", 0, b"II*\0"),
    ("TIFF", 0, b"MM\0*"),
    ("PDF", 0, b"%PDF"),
    ("JPEG XL", 0, b"\xff\x0a"),
    ("JPEG XL", 4, b"JXL \r\n"),
    ("AVIF", 4, b"ftypavi"),
    ("HEIC", 4, b"ftyphe"),
    ("HEIC", 4, b"ftypmif1"),
    ("HEIC", 4, b"ftypmsf1"),
    ("a video", 4, b"ftyp"),
)

#: A crop at each of the networks' input sizes, uint8 (S, S, 3) RGB, in host memory.
Crops = tuple[npt.NDArray[np.uint8], ...]


def decode(data: bytes, max_pixels: int, formats: tuple[str, ...] = FORMATS) -> Image.Image:
    """Decodes a file in one of ``formats`` (Pillow's names) to an upright RGB image in sRGB.

    Raises ImageTooLargeError for more than ``max_pixels``, which the header alone tells, and
    InvalidImageError for a file that is empty, of another format, or lacks pixels. Metadata that cannot be
    read is ignored.
    """
    picture = read_header(data, max_pixels, formats)
    try:
        return upright_rgb(picture)
    except InvalidImageError as error:
        mended = _mended(data, max_pixels, formats)
        if mended is None:
            raise
        try:
            return upright_rgb(mended)
        except InvalidImageError:
            raise error from error.__cause__


def upright_rgb(picture: Image.Image) -> Image.Image:
    """The image turned by its EXIF orientation, in sRGB. Raises InvalidImageError if it is truncated."""
    try:
        picture.load()
        profile = picture.info.get("icc_profile")
        orientation = orientation_of(picture)
        if picture.mode.startswith("I"):
            # 16-bit grey: Pillow itself would clip everything brighter than 255 of 65535.
            picture = Image.fromarray((np.asarray(picture) >> 8).astype(np.uint8))
            profile = None
        converted = to_srgb(picture, profile)
        turn = _TURNS.get(orientation)
        return converted if turn is None else converted.transpose(turn)
    except _BROKEN as error:
        raise _broken(error) from error


def orientation_of(picture: Image.Image) -> int:
    """The EXIF orientation, 1 to 8; 1 (upright) if it is missing or invalid. Other entries do not matter."""
    if exif := picture.info.get("exif"):
        return exif_orientation(exif)
    try:
        orientation = picture.getexif().get(ExifTags.Base.Orientation, 1)  # from TIFF tags or XMP
    except _BROKEN:
        return 1
    return orientation if isinstance(orientation, int) and orientation in _TURNS else 1


def read_header(data: bytes, max_pixels: int, formats: tuple[str, ...] = FORMATS) -> Image.Image:
    """Opens an image without decoding its pixels: size and format are known. Raises as ``decode``."""
    if not data:
        raise InvalidImageError("the image is empty", "empty")
    check_structure(data)
    try:
        picture = _opened(data, formats)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageTooLargeError(max_pixels, "the image is far too large") from error
    except UnidentifiedImageError as error:
        found = format_of(data)
        message = f"the data is neither {_listed(formats)}, or its header is broken"
        if found is not None:
            message = f"the data is neither {_listed(formats)}, but {found}"
        raise InvalidImageError(message, "unknown" if found is None else "unsupported") from error
    except _BROKEN as error:
        raise _broken(error) from error
    pixels = picture.width * picture.height
    if pixels > max_pixels:
        raise ImageTooLargeError(max_pixels, f"the image has {pixels} pixels")
    return picture


def count_pixels(data: bytes, max_pixels: int, formats: tuple[str, ...] = FORMATS) -> int:
    """The number of pixels in an encoded image's header; 0 if ``decode`` would refuse that header."""
    try:
        picture = read_header(data, max_pixels, formats)
    except ImageError:
        return 0
    return picture.width * picture.height


def _opened(data: bytes, formats: tuple[str, ...]) -> Image.Image:
    try:
        return Image.open(io.BytesIO(data), formats=formats)
    except _BROKEN:
        pixels = without_metadata(data)
        if pixels is None:
            raise
    return Image.open(io.BytesIO(pixels), formats=formats)


def _mended(data: bytes, max_pixels: int, formats: tuple[str, ...]) -> Image.Image | None:
    """The image of a file that could not be decoded as it is; None if pixels are missing."""
    pixels = without_metadata(data)
    if pixels is None:
        return None
    variants = ended(pixels) or (pixels,)
    try:
        pictures = [read_header(variant, max_pixels, formats) for variant in variants]
        for picture in pictures:
            picture.load()
    except (ImageError, *_BROKEN):
        return None
    first, *others = pictures
    is_whole = all(ImageChops.difference(first, other).getbbox() is None for other in others)
    return first if is_whole else None


def _broken(error: Exception) -> InvalidImageError:
    return InvalidImageError(f"the image is truncated or broken: {error}")


def format_of(data: bytes) -> str | None:
    """The format that the first bytes show, if it is one of ``_SIGNATURES``; None otherwise."""
    found = (name for name, place, start in _SIGNATURES if data.startswith(start, place))
    return next(found, None)


def _listed(formats: tuple[str, ...]) -> str:
    """For messages: "JPEG, PNG nor WebP"."""
    names = ["WebP" if name == "WEBP" else name for name in formats]
    return f"{', '.join(names[:-1])} nor {names[-1]}"


def grey_face(sizes: tuple[int, ...]) -> Crops:
    """A blank crop at each of ``sizes``, to try an engine out."""
    return tuple(np.full((size, size, 3), 128, np.uint8) for size in sizes)


def grey_file() -> bytes:
    """A blank crop as a PNG file."""
    buffer = io.BytesIO()
    Image.new("RGB", (64, 64), (128, 128, 128)).save(buffer, "PNG")
    return buffer.getvalue()


def prepare(picture: Image.Image, sizes: tuple[int, ...]) -> Crops:
    """Resizes a crop to each of ``sizes``, with antialiasing, as for the training images."""
    return tuple(
        np.asarray(
            picture
            if picture.size == (size, size)
            else picture.resize((size, size), Image.Resampling.BILINEAR, reducing_gap=2.0)
        )
        for size in sizes
    )

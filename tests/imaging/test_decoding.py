import io
import struct

import numpy as np
import pytest
from emostream.exceptions import ImageTooLargeError, InvalidImageError
from emostream.imaging.decoding import HTTP_FORMATS, decode, prepare
from PIL import Image

from tests.support import encoded, jpeg, png_header

PLENTY = 1_000_000
RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)


def plain(colour: object = RED, mode: str = "RGB", size_wh: tuple[int, int] = (8, 8)) -> Image.Image:
    return Image.new(mode, size_wh, colour)  # type: ignore[arg-type]


def first_pixel(picture: Image.Image) -> tuple[int, ...]:
    assert picture.mode == "RGB"
    return tuple(np.asarray(picture)[0, 0].tolist())


# Decoding


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP"])
def test_jpeg_png_and_webp_are_decoded_to_rgb(file_format: str) -> None:
    picture = decode(encoded(plain((200, 30, 60), size_wh=(30, 20)), file_format), PLENTY)

    assert picture.size == (30, 20)
    assert first_pixel(picture) == pytest.approx((200, 30, 60), abs=6)


@pytest.mark.parametrize("file_format", ["GIF", "BMP", "TIFF", "AVIF"])
def test_other_formats_are_refused_by_their_names(file_format: str) -> None:
    with pytest.raises(InvalidImageError, match=f"neither JPEG, PNG nor WebP, but {file_format}") as caught:
        decode(encoded(plain(), file_format), PLENTY)

    assert caught.value.fault == "unsupported"


def test_a_format_is_read_where_it_is_asked_for() -> None:
    bmp = encoded(four_corners(), "BMP")

    assert first_pixel(decode(bmp, PLENTY, HTTP_FORMATS)) == RED
    with pytest.raises(ImageTooLargeError):
        decode(bmp, 100, HTTP_FORMATS)


def test_an_empty_picture_is_refused() -> None:
    with pytest.raises(InvalidImageError, match="empty"):
        decode(b"", PLENTY)


@pytest.mark.parametrize(
    "data", [b"\xff", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\x00\x00\x00\x00WEBP", b"hello"]
)
def test_what_only_begins_like_a_picture_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidImageError):
        decode(data, PLENTY)


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("kept", [0.3, 0.9])
def test_a_truncated_picture_is_refused(file_format: str, kept: float) -> None:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8))
    data = encoded(noise, file_format)

    with pytest.raises(InvalidImageError):
        decode(data[: int(len(data) * kept)], PLENTY)


#: For each orientation which of the stored corners is shown top left, and which top right.
SHOWN = {
    1: ("top left", "top right"),
    2: ("top right", "top left"),
    3: ("bottom right", "bottom left"),
    4: ("bottom left", "bottom right"),
    5: ("top left", "bottom left"),
    6: ("bottom left", "top left"),
    7: ("bottom right", "top right"),
    8: ("top right", "bottom right"),
}
CORNERS = {"top left": RED, "top right": GREEN, "bottom left": BLUE, "bottom right": (255, 255, 255)}


def four_corners() -> Image.Image:
    """64 × 32, each corner in a colour of its own."""
    picture = Image.new("RGB", (64, 32))
    for colour, (x, y) in zip(CORNERS.values(), [(0, 0), (32, 0), (0, 16), (32, 16)], strict=True):
        picture.paste(colour, (x, y, x + 32, y + 16))
    return picture


@pytest.mark.parametrize("orientation", SHOWN)
def test_pictures_are_turned_upright_as_their_exif_says(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation

    shown = decode(encoded(four_corners(), "JPEG", exif=exif, quality=95), PLENTY)

    assert shown.size == ((32, 64) if orientation > 4 else (64, 32))
    corners = [shown.getpixel((0, 0)), shown.getpixel((shown.width - 1, 0))]
    assert np.allclose(corners, [CORNERS[name] for name in SHOWN[orientation]], atol=10)


def jpeg_with_exif(*entries: tuple[int, int, int, bytes]) -> bytes:
    """The four corners, with EXIF entries of (tag, type, count, value in four bytes) as they are."""
    body = b"".join(struct.pack("<HHI", *entry[:3]) + entry[3] for entry in sorted(entries))
    tiff = b"II*\0" + struct.pack("<IH", 8, len(entries)) + body + bytes(4)
    data = encoded(four_corners(), "JPEG", quality=95)
    return data[:2] + b"\xff\xe1" + struct.pack(">H", len(tiff) + 8) + b"Exif\0\0" + tiff + data[2:]


SIX = (0x0112, 3, 1, struct.pack("<I", 6))


@pytest.mark.filterwarnings("ignore::UserWarning")  # as emostream.process has it
@pytest.mark.parametrize(
    "odd",
    [
        (0x0100, 2, 4, b"403\0"),
        (0x0100, 5, 1, struct.pack("<I", 26)),
        (0x0100, 9, 1, struct.pack("<i", -1)),
        (0x0100, 99, 1, bytes(4)),
        (0x010E, 2, 100_000, bytes(4)),
        (0x8769, 4, 1, struct.pack("<I", 60_000)),
        (0x9000, 7, 4, b"\xff\xff\xff\xff"),
    ],
    ids=["text", "rational", "negative", "unknown type", "beyond the end", "no such block", "no version"],
)
def test_an_odd_exif_entry_changes_nothing_about_the_orientation(odd: tuple[int, int, int, bytes]) -> None:
    shown = decode(jpeg_with_exif(SIX, odd), PLENTY)

    assert shown.size == (32, 64)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("value", [0, 9, 65_535])
def test_an_orientation_that_there_is_not_is_none(value: int) -> None:
    assert decode(jpeg_with_exif((0x0112, 3, 1, struct.pack("<I", value))), PLENTY).size == (64, 32)


def test_an_orientation_as_text_is_none() -> None:
    assert decode(jpeg_with_exif((0x0112, 2, 2, b"6\0\0\0")), PLENTY).size == (64, 32)


def test_grey_pictures_become_rgb() -> None:
    assert first_pixel(decode(encoded(plain(100, "L"), "PNG"), PLENTY)) == (100, 100, 100)


def test_black_and_white_pictures_become_rgb() -> None:
    assert first_pixel(decode(encoded(plain(1, "1"), "PNG"), PLENTY)) == (255, 255, 255)


def test_cmyk_pictures_become_rgb() -> None:
    data = encoded(plain(RED).convert("CMYK"), "JPEG", quality=95)

    assert first_pixel(decode(data, PLENTY)) == pytest.approx(RED, abs=6)


def test_grey_of_16_bits_keeps_its_brightness() -> None:
    """Pillow's own conversion would show all but the darkest shades as white."""
    picture = Image.fromarray(np.full((8, 8), 25_607, np.uint16))

    assert first_pixel(decode(encoded(picture, "PNG"), PLENTY)) == (100, 100, 100)


def test_transparency_is_ignored() -> None:
    assert first_pixel(decode(encoded(plain((*RED, 128), "RGBA"), "PNG"), PLENTY)) == RED


def test_palettes_become_rgb() -> None:
    assert first_pixel(decode(encoded(plain(RED).convert("P"), "PNG"), PLENTY)) == RED


@pytest.mark.parametrize("file_format", ["WEBP", "PNG"])
def test_of_an_animation_the_first_picture_counts(file_format: str) -> None:
    options = {"lossless": True} if file_format == "WEBP" else {}
    data = encoded(plain(RED), file_format, save_all=True, append_images=[plain(BLUE)], **options)
    with Image.open(io.BytesIO(data)) as animation:
        assert animation.n_frames == 2

    assert first_pixel(decode(data, PLENTY)) == RED


# Pictures that are too large


def test_a_picture_may_have_as_many_pixels_as_the_limit_and_no_more() -> None:
    assert decode(jpeg(40, 25), 1000).size == (40, 25)

    with pytest.raises(ImageTooLargeError, match="the image has 1000 pixels; at most 999 pixels"):
        decode(jpeg(40, 25), 999)


@pytest.mark.parametrize("side", [2_000, 12_000, 100_000], ids=lambda side: f"{side} px")
def test_too_many_pixels_are_told_from_the_header_alone(side: int) -> None:
    """There is nothing but a header: were anything decoded, the picture would be truncated."""
    with pytest.raises(ImageTooLargeError):
        decode(png_header(side, side), PLENTY)


def test_a_small_header_without_pixels_is_truncated() -> None:
    """The counterpart of the test above."""
    with pytest.raises(InvalidImageError):
        decode(png_header(100, 100), PLENTY)


def test_a_header_that_announces_no_pixels_is_refused() -> None:
    with pytest.raises(InvalidImageError):
        decode(png_header(0, 0), PLENTY)


# Preparation


def test_a_crop_is_resized_to_every_size_asked_for() -> None:
    faces = prepare(plain((10, 20, 30), size_wh=(200, 100)), (48, 224))

    assert [(face.shape, face.dtype) for face in faces] == [
        ((48, 48, 3), np.uint8),
        ((224, 224, 3), np.uint8),
    ]
    assert all((face == (10, 20, 30)).all() for face in faces)


def test_a_crop_of_the_right_size_is_not_touched() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (48, 48, 3), np.uint8)

    (face,) = prepare(Image.fromarray(noise), (48,))

    assert np.array_equal(face, noise)


def test_shrinking_averages_and_does_not_throw_pixels_away() -> None:
    """Stripes of one pixel become grey; with every fourth pixel taken they would stay black or white."""
    stripes = np.zeros((192, 192, 3), np.uint8)
    stripes[:, ::2] = 255

    (face,) = prepare(Image.fromarray(stripes), (48,))

    assert np.abs(face[4:-4, 4:-4].astype(int) - 127).max() <= 4

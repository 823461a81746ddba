import io

import numpy as np
import pytest
from emostream.exceptions import ImageTooLargeError, InvalidImageError
from emostream.imaging.decoding import decode, prepare
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


@pytest.mark.parametrize("file_format", ["GIF", "BMP", "TIFF"])
def test_other_formats_are_refused(file_format: str) -> None:
    with pytest.raises(InvalidImageError, match="neither JPEG, PNG nor WebP"):
        decode(encoded(plain(), file_format), PLENTY)


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


@pytest.mark.parametrize(
    ("orientation", "corner"),
    [(1, "top left"), (2, "top right"), (3, "bottom right"), (6, "bottom left"), (8, "top right")],
)
def test_pictures_are_turned_upright_as_their_exif_says(orientation: int, corner: str) -> None:
    """The stored picture has its four corners in four colours; the corner that is shown top left is told."""
    corners = {"top left": RED, "top right": GREEN, "bottom left": BLUE, "bottom right": (255, 255, 255)}
    stored = Image.new("RGB", (64, 32))
    for (name, colour), place in zip(corners.items(), [(0, 0), (32, 0), (0, 16), (32, 16)], strict=True):
        stored.paste(colour, (*place, place[0] + 32, place[1] + 16))
        assert name
    exif = Image.Exif()
    exif[0x0112] = orientation

    shown = decode(encoded(stored, "JPEG", exif=exif, quality=95), PLENTY)

    assert shown.size == ((32, 64) if orientation > 4 else (64, 32))
    assert first_pixel(shown) == pytest.approx(corners[corner], abs=10)


def test_an_exif_block_that_makes_no_sense_is_a_broken_picture_and_no_crash() -> None:
    """Found by damaging pictures at random: Pillow raises errors there that are none of its own."""
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "a description"
    data = encoded(plain(), "JPEG", exif=exif).replace(
        b"\x01\x0e\x00\x02", b"\x01\x00\x00\x02"
    )  # a width as text

    with pytest.raises(InvalidImageError):
        decode(data, PLENTY)


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

    with pytest.raises(ImageTooLargeError, match="the picture has 1000 pixels; at most 999 pixels"):
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

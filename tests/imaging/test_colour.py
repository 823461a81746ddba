import io

import numpy as np
import pytest
from emostream.imaging.colour import MAX_PROFILE_BYTES, to_srgb
from emostream.imaging.decoding import decode
from PIL import Image, ImageCms

from tests.support import encoded

PLENTY = 1_000_000
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
COLOURS = Image.fromarray(np.random.default_rng(0).integers(0, 256, (24, 24, 3), np.uint8))


def matrix_profile(swap: tuple[bytes, bytes]) -> bytes:
    """sRGB with two of its primaries exchanged: a sound profile with which colours are others, visibly."""
    profile = bytearray(SRGB)
    count = int.from_bytes(profile[128:132], "big")
    places = {bytes(profile[at : at + 4]): at for at in range(132, 132 + 12 * count, 12)}
    first, second = (places[name] for name in swap)
    profile[first : first + 4], profile[second : second + 4] = swap[1], swap[0]
    return bytes(profile)


def as_of(space: bytes) -> bytes:
    """A profile that says it is of other colours than its tables are."""
    return SRGB[:16] + space + SRGB[20:]


EXCHANGED = matrix_profile((b"rXYZ", b"gXYZ"))


@pytest.mark.parametrize("file_format", ["PNG", "WEBP", "JPEG"])
def test_colours_of_a_profile_become_srgb(file_format: str) -> None:
    red = Image.new("RGB", (16, 16), (255, 0, 0))
    options = {"lossless": True} if file_format == "WEBP" else {}

    shown = decode(encoded(red, file_format, icc_profile=EXCHANGED, **options), PLENTY)

    assert np.allclose(shown.getpixel((8, 8)), (0, 255, 0), atol=4)
    assert "icc_profile" not in decode(encoded(red, "PNG", icc_profile=SRGB), PLENTY).info


def test_srgb_itself_changes_no_pixel() -> None:
    assert (np.asarray(to_srgb(COLOURS, SRGB)) == np.asarray(COLOURS)).all()


@pytest.mark.parametrize("mode", ["RGBA", "P", "LA"])
def test_palettes_and_transparency_have_their_profiles_colours(mode: str) -> None:
    image = Image.new("RGBA", (8, 8), (255, 0, 0, 90)).convert(mode)
    expected = to_srgb(image.convert("RGB"), EXCHANGED)

    converted = to_srgb(image, EXCHANGED)

    assert converted.mode == "RGB"
    assert (np.asarray(converted) == np.asarray(expected)).all()


@pytest.mark.parametrize(
    ("mode", "profile"),
    [
        ("RGB", b"nonsense"),
        ("RGB", SRGB[:200]),
        ("RGB", as_of(b"CMYK")),
        ("CMYK", SRGB),
        ("CMYK", as_of(b"CMYK")),
        ("L", SRGB),
        ("L", as_of(b"GRAY")),
        ("RGB", EXCHANGED + bytes(MAX_PROFILE_BYTES)),
    ],
)
def test_a_profile_that_is_broken_or_of_other_colours_is_left_out(mode: str, profile: bytes) -> None:
    image = COLOURS.convert(mode)

    assert (np.asarray(to_srgb(image, profile)) == np.asarray(image.convert("RGB"))).all()


def test_grey_with_a_profile_of_another_brightness_is_converted() -> None:
    linear = grey_profile(1.0)

    shown = decode(encoded(Image.new("L", (8, 8), 55), "PNG", icc_profile=linear), PLENTY)

    assert np.allclose(shown.getpixel((4, 4)), (128, 128, 128), atol=3)  # 0.2157 of the light


def grey_profile(gamma: float) -> bytes:
    """The smallest profile of grey: a white point and a curve (ICC.1, version 2)."""
    white = b"XYZ " + bytes(4) + b"".join(round(v * 65536).to_bytes(4, "big") for v in (0.9642, 1, 0.8249))
    curve = b"curv" + bytes(4) + (1).to_bytes(4, "big") + round(gamma * 256).to_bytes(2, "big") + bytes(2)
    table = (2).to_bytes(4, "big")
    start = 128 + 4 + 2 * 12
    for name, content in ((b"wtpt", white), (b"kTRC", curve)):
        table += name + start.to_bytes(4, "big") + len(content).to_bytes(4, "big")
        start += len(content)
    header = start.to_bytes(4, "big") + bytes(4) + b"\2\x10\0\0" + b"mntrGRAYXYZ " + bytes(12) + b"acsp"
    header += bytes(28) + white[8:] + bytes(48)
    profile = header + table + white + curve
    assert ImageCms.ImageCmsProfile(io.BytesIO(profile)).profile.xcolor_space == "GRAY"
    return profile

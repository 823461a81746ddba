import io
import sys
from base64 import b64decode
from pathlib import Path

import numpy as np
import pytest
from emostream.exceptions import ImageTooLargeError, InvalidImageError, SourceError
from emostream.imaging.reading import ImageInput, _register_heic, read_file, read_pixels
from PIL import Image

from tests.support import encoded, png_header

PIXELS = np.random.default_rng(0).integers(0, 256, (30, 40, 3), np.uint8)
PNG = encoded(Image.fromarray(PIXELS), "PNG")


#: 64 × 32 as a telephone stores it: red, green, blue and white, a corner each.
HEIC = b64decode(
    "AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAX1tZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAA"
    "ACJpbG9jAAAAAERAAAEAAQAAAAABoQABAAAAAAAAAMEAAAAjaWluZgAAAAAAAQAAABVpbmZlAgAAAAABAABodmMxAAAAAA5waXRt"
    "AAAAAAABAAAA/WlwcnAAAADdaXBjbwAAAHZodmNDAQNwAAAAkAAAAAAAHvAA/P34+AAADwNgAAEAGEABDAH//wNwAAADAJAAAAMA"
    "AAMAHroCQGEAAQAqQgEBA3AAAAMAkAAAAwAAAwAeoCCBBZbq5Ka5uAhoMCAAAAMDIAAAAwAhYgABAAZEAcFzwIkAAAATY29scm5j"
    "bHgAAQANAAaAAAAAFGlzcGUAAAAAAAAAQAAAAEAAAAAoY2xhcAAAAEAAAAABAAAAIAAAAAEAAAAAAAAAAv///+AAAAACAAAAEHBp"
    "eGkAAAAAAwgICAAAABhpcG1hAAAAAAAAAAEAAQWBAgMFhAAAAMltZGF0AAAAvSgBrxOAeXPTSAv/+u8Ff+Vaz/zNyboRP/44VPv2"
    "5av/WaNQL9hPX3tkw0vwJbLOs9DSwqvox0e2UXE+Abh/W/T/zo2HplRDH2aTL9Pcp0qv+J/yOGXTxBmc4cBljb2i60bybgZmXmhL"
    "e3slG409gGCCWzX7WlpGznTct8y3gK1NFbBADtj6VxL6NUX4YL9+wsW8dnDP24VAc/zLehrWlpGoOQDlvd/aatwKwAWcddf76etw"
    "H5mG47qlYnn4wA=="
)


def turned() -> bytes:
    """The same image, stored upside down."""
    exif = Image.Exif()
    exif[0x0112] = 3
    return encoded(Image.fromarray(PIXELS).rotate(180), "PNG", exif=exif)


@pytest.mark.parametrize(
    "image",
    [
        PNG,
        bytearray(PNG),
        memoryview(PNG),
        turned(),
        Image.fromarray(PIXELS),
        Image.open(io.BytesIO(turned())),
        PIXELS,
        PIXELS[:, ::-1][:, ::-1],  # a view that is not contiguous
    ],
    ids=["bytes", "bytearray", "memoryview", "EXIF", "PIL", "PIL with EXIF", "array", "view"],
)
def test_whatever_an_image_is_its_pixels_are_the_same(image: ImageInput) -> None:
    pixels, name = read_pixels(image)

    assert (pixels == PIXELS).all()
    assert (pixels.shape, pixels.dtype, pixels.flags.c_contiguous) == ((30, 40, 3), np.uint8, True)
    assert name is None


@pytest.mark.parametrize("kind", [str, Path])
def test_a_file_has_its_name_as_it_was_given(
    kind: type[str] | type[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("one.png").write_bytes(PNG)

    pixels, name = read_pixels(kind("one.png"))

    assert (pixels == PIXELS).all()
    assert name == "one.png"


def test_a_pil_image_stays_as_it_was() -> None:
    image = Image.open(io.BytesIO(turned()))

    read_pixels(image)

    assert image.getexif()[0x0112] == 3
    assert (np.asarray(image.rotate(180)) == PIXELS).all()


@pytest.mark.parametrize(
    ("mode", "colour", "expected"),
    [
        ("L", 100, (100, 100, 100)),
        ("RGBA", (200, 30, 60, 10), (200, 30, 60)),
        ("I;16", 25_607, (100, 100, 100)),
        ("P", 0, (0, 0, 0)),
    ],
)
def test_pil_images_of_other_modes_become_rgb(
    mode: str, colour: object, expected: tuple[int, int, int]
) -> None:
    pixels, _ = read_pixels(Image.new(mode, (8, 8), colour))  # type: ignore[arg-type]

    assert tuple(pixels[0, 0].tolist()) == expected


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((30, 40, 3), np.float32),
        np.zeros((30, 40), np.uint8),
        np.zeros((30, 40, 4), np.uint8),
        np.zeros((2, 30, 40, 3), np.uint8),
        np.zeros((0, 40, 3), np.uint8),
    ],
    ids=["floats", "grey", "RGBA", "batch", "empty"],
)
def test_an_array_of_another_form_is_refused_with_its_form(array: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"uint8 \(H, W, 3\), RGB; this is \w+ \(\d") as caught:
        read_pixels(array)

    assert str(array.dtype) in str(caught.value)
    assert str(array.shape) in str(caught.value)


@pytest.mark.parametrize("other", [None, 7, [[1, 2]]])
def test_another_object_is_refused_by_its_type(other: object) -> None:
    with pytest.raises(TypeError, match=f"not {type(other).__name__}"):
        read_pixels(other)  # type: ignore[arg-type]


def test_bytes_that_are_no_image_are_refused() -> None:
    with pytest.raises(InvalidImageError):
        read_pixels(b"nonsense")
    with pytest.raises(ImageTooLargeError):
        read_pixels(png_header(20_000, 20_000))


def test_a_pil_image_whose_file_is_truncated_is_refused() -> None:
    image = Image.open(io.BytesIO(PNG[: len(PNG) // 2]))

    with pytest.raises(InvalidImageError, match="truncated"):
        read_pixels(image)


def test_a_file_that_cannot_be_read_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "bad.jpg").write_bytes(b"nonsense")

    with pytest.raises(SourceError, match=r"missing\.jpg cannot be read: No such file"):
        read_file(tmp_path / "missing.jpg")
    with pytest.raises(SourceError, match=r"bad\.jpg: the data is neither"):
        read_file(tmp_path / "bad.jpg")
    with pytest.raises(SourceError, match="cannot be read: Is a directory"):
        read_file(tmp_path)


@pytest.mark.parametrize("address", ["https://example.invalid/a.jpg", "data:image/png;base64,AAAA"])
def test_an_address_is_no_file_and_is_not_repeated(address: str) -> None:
    with pytest.raises(SourceError, match="addresses are for") as caught:
        read_pixels(address)

    assert "AAAA" not in str(caught.value)


def test_a_pil_image_without_pixels_is_told() -> None:
    with pytest.raises(ValueError, match="0 × 0"):
        read_pixels(Image.new("RGB", (0, 0)))


@pytest.mark.parametrize("ending", ["bmp", "tif", "avif"])
def test_a_file_of_ones_own_may_have_a_format_that_servers_do_not_take(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a.{ending}"
    Image.new("RGB", (40, 30), (200, 30, 60)).save(path)

    assert np.abs(read_file(path).astype(int) - (200, 30, 60)).max() < 8


def test_heic_is_read_with_its_library(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(HEIC)  # as it is called once it was sent around

    pixels = read_file(tmp_path / "a.jpg")

    assert pixels.shape == (32, 64, 3)
    assert np.abs(pixels[[4, 4], [4, -5]].astype(int) - [(255, 0, 0), (0, 255, 0)]).max() < 20


def test_heic_without_its_library_names_the_file_and_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pi_heif", None)
    _register_heic.cache_clear()
    (tmp_path / "a.heic").write_bytes(HEIC)

    with pytest.raises(
        SourceError, match=r"a\.heic: reading HEIC needs pi-heif: .*install 'emostream\[heic\]'"
    ):
        read_file(tmp_path / "a.heic")

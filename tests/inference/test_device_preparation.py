"""Encoded crops made ready on a device. Tests marked cuda need a GPU; the others run the same code on the
CPU, with OpenCV in the place of nvJPEG."""

import cv2
import numpy as np
import pytest
import torch
from emostream.exceptions import ImageTooLargeError, InvalidImageError
from emostream.imaging.decoding import decode, prepare
from emostream.inference.device_preparation import (
    DevicePreparation,
    is_plain_jpeg,
    nvjpeg_decoder,
    reduced,
    resized,
    stack,
)
from PIL import Image

from tests.portraits import portrait
from tests.support import encoded

CPU = torch.device("cpu")
MANY = 10**7


class Decoder:
    """Stands for a decoder on the device: decodes, and counts what it was given."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, data: bytes) -> torch.Tensor:
        self.calls += 1
        bgr = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        if bgr is None:
            raise RuntimeError("nvjpegDecode failed")
        return torch.from_numpy(np.ascontiguousarray(bgr[..., ::-1])).permute(2, 0, 1)


def prepared(data: bytes, *sizes: int, decoder: Decoder | None = None) -> list[np.ndarray]:
    face = DevicePreparation(CPU, sizes, decoder)(data, MANY)
    assert all(isinstance(crop, torch.Tensor) for crop in face)
    return [np.asarray(crop) for crop in face]


@pytest.mark.parametrize("decoder", [None, Decoder()], ids=["on the CPU", "on the device"])
def test_a_crop_is_as_the_cpu_prepares_it(decoder: Decoder | None) -> None:
    """Up to rounding: the same filter, and decoders that differ by a level here and there."""
    data = encoded(portrait(), "JPEG", quality=90)
    sizes = (48, 112, 224)

    found = prepared(data, *sizes, decoder=decoder)

    for crop, expected in zip(found, prepare(decode(data, MANY), sizes), strict=True):
        difference = np.abs(crop.astype(int) - np.asarray(expected).astype(int))
        assert crop.dtype == np.uint8
        assert crop.shape == np.asarray(expected).shape
        assert difference.mean() < 1
        assert difference.max() <= 12


def test_whole_upright_jpegs_are_decoded_on_the_device_and_others_are_not() -> None:
    decoder = Decoder()
    turned = Image.Exif()
    turned[0x0112] = 6
    for image, times in (
        (encoded(portrait(), "JPEG"), 1),
        (encoded(portrait().convert("L"), "JPEG"), 2),
        (encoded(portrait(), "PNG"), 2),
        (encoded(portrait(), "JPEG", exif=turned), 2),
        (encoded(portrait().convert("CMYK"), "JPEG"), 2),
    ):
        prepared(image, 48, decoder=decoder)
        assert decoder.calls == times


def test_a_turned_image_comes_out_upright() -> None:
    turned = Image.Exif()
    turned[0x0112] = 6
    sideways = portrait().transpose(Image.Transpose.ROTATE_90)

    (found,) = prepared(encoded(sideways, "JPEG", exif=turned, quality=95), 48, decoder=Decoder())

    (expected,) = prepare(portrait(), (48,))
    assert np.abs(found.astype(int) - np.asarray(expected).astype(int)).mean() < 4


@pytest.mark.parametrize("length", [0, 2, 200, 2000])
def test_truncated_images_are_errors_whoever_decodes(length: int) -> None:
    data = encoded(portrait(), "JPEG")[:length]

    with pytest.raises(InvalidImageError):
        DevicePreparation(CPU, (48,), Decoder())(data, MANY)


def test_what_the_device_cannot_decode_is_left_to_the_cpu() -> None:
    def refuse(data: bytes) -> torch.Tensor:
        raise RuntimeError("nvjpegDecode failed: unsupported")

    (crop,) = DevicePreparation(CPU, (48,), refuse)(encoded(portrait(), "JPEG"), MANY)

    assert tuple(crop.shape) == (48, 48, 3)


def test_too_many_pixels_are_refused_before_decoding() -> None:
    decoder = Decoder()

    with pytest.raises(ImageTooLargeError):
        DevicePreparation(CPU, (48,), decoder)(encoded(portrait(), "JPEG"), max_pixels=100)

    assert decoder.calls == 0


def test_a_image_that_is_no_image_is_no_plain_jpeg() -> None:
    assert not is_plain_jpeg(b"", MANY)
    assert not is_plain_jpeg(b"\xff\xd8 nothing \xff\xd9", MANY)


def test_a_crop_of_the_right_size_keeps_its_pixels() -> None:
    pixels = torch.randint(0, 256, (3, 48, 48), dtype=torch.uint8)

    assert torch.equal(resized(pixels, 48), pixels.permute(1, 2, 0))


@pytest.mark.parametrize("size", [(9000, 40), (40, 9000), (6500, 1000), (3500, 3)])
def test_a_huge_image_comes_close_to_what_the_cpu_makes_of_it(size: tuple[int, int]) -> None:
    image = portrait().resize(size)

    (found,) = prepared(encoded(image, "PNG"), 48)

    (expected,) = prepare(image, (48,))
    assert np.abs(found.astype(int) - np.asarray(expected).astype(int)).mean() < 1.5


@pytest.mark.parametrize("size", [(3072, 48), (3073, 5000), (100_000, 1), (6143, 6144)])
def test_no_side_is_shrunk_by_more_than_a_gpus_filter_can(size: tuple[int, int]) -> None:
    left = reduced(torch.rand(1, 1, *size), 48)

    assert max(left.shape[2:]) <= 64 * 48
    assert left.mean().item() == pytest.approx(0.5, abs=0.02)


def test_what_a_gpu_can_shrink_at_once_is_not_averaged_before() -> None:
    image = torch.rand(1, 3, 3000, 2000)

    assert reduced(image, 48) is image


def test_there_is_no_nvjpeg_on_a_cpu() -> None:
    assert nvjpeg_decoder(CPU) is None


def test_faces_are_stacked_size_by_size() -> None:
    faces = [prepare(Image.new("RGB", (64, 64), (level, 0, 0)), (24, 48)) for level in (10, 20, 30)]

    small, large = stack(faces)

    assert isinstance(small, np.ndarray)
    assert (small.shape, large.shape) == ((3, 24, 24, 3), (3, 48, 48, 3))
    assert [int(crop[0, 0, 0]) for crop in small] == [10, 20, 30]


def test_where_one_face_is_on_a_device_all_are_brought_there() -> None:
    in_memory = (np.full((2, 2, 3), 7, np.uint8),)
    on_device = (torch.full((2, 2, 3), 9, dtype=torch.uint8),)

    (stacked,) = stack([in_memory, on_device])

    assert isinstance(stacked, torch.Tensor)
    assert stacked[:, 0, 0, 0].tolist() == [7, 9]


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU")
def test_the_gpu_prepares_what_the_cpu_prepares() -> None:
    device = torch.device("cuda", 0)
    preparation = DevicePreparation(device, (48, 224), nvjpeg_decoder(device))
    strip = portrait().resize((20_000, 60))
    for image, file_format in ((portrait(), "JPEG"), (portrait(), "PNG"), (strip, "PNG")):
        data = encoded(image, file_format)
        for crop, expected in zip(
            preparation(data, MANY), prepare(decode(data, MANY), (48, 224)), strict=True
        ):
            assert isinstance(crop, torch.Tensor)
            assert crop.device.type == "cuda"
            difference = np.abs(crop.cpu().numpy().astype(int) - np.asarray(expected).astype(int))
            assert difference.mean() < 1.5

import cv2
import numpy as np
import pytest
from emostream.imaging.crop import cut
from emostream.quality.measures import measure_crop
from PIL import Image

from tests.portraits import FACE_XYWH, portrait


@pytest.fixture(scope="module")
def crop() -> np.ndarray:
    (pixels,) = cut(np.asarray(portrait()), FACE_XYWH, (224,))
    return pixels


def test_blur_lowers_sharpness_and_light_does_not(crop: np.ndarray) -> None:
    sharp = measure_crop(crop)
    blurred = [measure_crop(cv2.GaussianBlur(crop, (0, 0), sigma)).sharpness for sigma in (4, 8, 16)]
    dark = measure_crop((crop * 0.4).astype(np.uint8))

    assert sharp.sharpness > 2 * blurred[0] > 4 * blurred[1] > 8 * blurred[2]
    assert dark.sharpness == pytest.approx(sharp.sharpness, rel=0.1)
    assert dark.brightness == pytest.approx(0.4 * sharp.brightness, abs=0.01)


def test_the_same_face_is_as_sharp_whatever_the_size_of_its_crop(crop: np.ndarray) -> None:
    image, triangle = Image.fromarray(crop), Image.Resampling.BILINEAR
    sizes = [np.asarray(image.resize((px, px), triangle)) for px in (48, 112, 400)]

    for measured in map(measure_crop, sizes):
        assert measured.sharpness == pytest.approx(measure_crop(crop).sharpness, rel=0.15)
        assert measured.brightness == pytest.approx(measure_crop(crop).brightness, abs=0.01)


def test_a_small_face_that_was_enlarged_is_not_sharp(crop: np.ndarray) -> None:
    small = Image.fromarray(crop).resize((16, 16), Image.Resampling.BOX)

    assert measure_crop(np.asarray(small.resize((224, 224)))).sharpness < 0.3 * measure_crop(crop).sharpness


@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_crop_of_one_colour_has_no_sharpness(level: int) -> None:
    measured = measure_crop(np.full((5, 9, 3), level, np.uint8))

    assert (measured.sharpness, measured.brightness) == (0.0, pytest.approx(level / 255, abs=1e-5))

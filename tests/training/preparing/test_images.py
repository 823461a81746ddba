from functools import partial
from pathlib import Path

import numpy as np
import pytest
from emostream.detection.anchors import Detections
from emostream.detection.detector import FaceDetector
from emostream.exceptions import ImageError
from emostream.imaging.crop import cut
from emostream.training.preparing.images import Cutter, image_of, open_image
from emostream.training.preparing.sample import Reason, Sample, one_hot
from PIL import Image

from tests.portraits import FACES_DIR, no_face, portrait
from tests.support import encoded
from tests.training.preparing.sources import write_image


def sample(image: Image.Image) -> Sample:
    return Sample("a.png", "train", one_hot("anger"), lambda: image)


def gradient(width: int, height: int) -> Image.Image:
    """Brightness is the column, from 0 to 255 over the whole width."""
    row = np.linspace(0, 255, width).astype(np.uint8)
    return Image.fromarray(np.broadcast_to(row, (height, width)).copy())


@pytest.mark.parametrize(("colour", "shape"), [(False, (32, 32)), (True, (32, 32, 3))])
def test_images_are_scaled_to_the_side_in_grey_or_colour(colour: bool, shape: tuple[int, ...]) -> None:
    pixels = Cutter(32, colour, 24)(sample(Image.new("RGB", (64, 64), (200, 100, 50))))

    assert isinstance(pixels, np.ndarray)
    assert (pixels.shape, pixels.dtype) == (shape, np.uint8)
    # BT.601 luma of that orange: 0.299 * 200 + 0.587 * 100 + 0.114 * 50
    assert pixels[0, 0].tolist() == ([200, 100, 50] if colour else 124)


def test_a_grey_image_of_the_right_size_stays_as_it_is() -> None:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (48, 48), dtype=np.uint8))

    assert np.array_equal(np.asarray(noise), Cutter(48, False, 24)(sample(noise)))


def test_of_a_image_that_is_not_square_the_middle_is_taken_and_nothing_is_squashed() -> None:
    pixels = Cutter(50, False, 24)(sample(gradient(200, 50)))

    assert isinstance(pixels, np.ndarray)
    assert pixels[0, 0] == pytest.approx(255 * 75 / 199, abs=1)
    assert pixels[0, -1] == pytest.approx(255 * 124 / 199, abs=1)


def test_too_few_pixels_are_a_reason() -> None:
    assert Cutter(48, False, 24)(sample(Image.new("L", (100, 23)))) is Reason.TOO_SMALL
    assert not isinstance(Cutter(48, False, 24)(sample(Image.new("L", (100, 24)))), Reason)


def test_a_file_that_is_no_image_is_a_reason_and_no_error(tmp_path: Path) -> None:
    file = tmp_path / "a.png"
    whole = encoded(Image.new("L", (48, 48), 7), "PNG")
    for content in (b"", b"no image", whole[:60]):
        file.write_bytes(content)
        broken = Sample("a.png", "train", one_hot("anger"), partial(open_image, file))
        assert Cutter(48, False, 24)(broken) is Reason.UNREADABLE


def test_a_file_that_is_gone_raises_an_error_of_images(tmp_path: Path) -> None:
    with pytest.raises(ImageError):
        open_image(tmp_path / "nothing.png")
    assert open_image(write_image(tmp_path / "a.png")).size == (60, 60)
    assert image_of(encoded(Image.new("L", (5, 4)), "PNG")).size == (5, 4)


def test_a_detector_finds_the_face_and_the_crop_is_the_projects_own() -> None:
    detector = FaceDetector.load(FACES_DIR)
    image = np.asarray(portrait())
    (box_xywh,) = detector.detect(image, 1).boxes()
    (expected,) = cut(image, box_xywh, (48,))

    assert np.array_equal(expected, Cutter(48, True, 24, detector)(sample(portrait())))


def test_an_image_without_a_face_or_with_a_small_one_is_left_out() -> None:
    detector = FaceDetector.load(FACES_DIR)

    assert Cutter(48, False, 24, detector)(sample(image_of(no_face()))) is Reason.NO_FACE

    class Small:
        def detect(self, image: object, max_faces: int) -> Detections:
            landmarks = np.zeros((1, 6, 2), np.float32)
            return Detections(np.float32([[5, 5, 20, 30]]), np.float32([0.9]), landmarks)

    assert Cutter(48, False, 24, Small())(sample(portrait())) is Reason.TOO_SMALL

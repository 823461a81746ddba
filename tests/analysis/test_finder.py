from pathlib import Path

import numpy as np
import pytest
from emostream.analysis.finder import EncodedSearch, FaceFinder, MissingDetector, load_finder
from emostream.detection.anchors import Detections
from emostream.detection.detector import FaceDetector
from emostream.exceptions import ImageTooLargeError, InvalidImageError
from emostream.imaging.crop import RawBoxXywh, cut
from PIL import Image

from tests.portraits import FACE_XYWH, FACES_DIR, iou, portrait, portrait_file
from tests.support import LABELS, encoded, png_header

PLENTY = 20_000_000


class FakeDetector(FaceDetector):
    """Finds what it is told."""

    def __init__(self, *boxes_xywh: RawBoxXywh) -> None:
        self._boxes = np.array(boxes_xywh, np.float32).reshape(-1, 4)

    def detect(self, picture: object, max_faces: int, min_face_px: int | None = None) -> Detections:
        number = len(self._boxes)
        scores, landmarks = np.full(number, 0.75, np.float32), np.zeros((number, 6, 2), np.float32)
        return Detections(self._boxes, scores, landmarks).first(max_faces)


@pytest.fixture(scope="module")
def finder() -> FaceFinder:
    return FaceFinder(FaceDetector.load(FACES_DIR), (48,))


def test_a_file_is_decoded_searched_and_cropped(finder: FaceFinder) -> None:
    found = EncodedSearch(finder, portrait_file(), PLENTY, 8)()

    assert len(found.crops) == 1
    assert found.size_wh == (512, 512)
    assert iou(found.boxes_xywh[0], FACE_XYWH) > 0.8
    assert [crop.shape for crop in found.crops[0]] == [(48, 48, 3)]
    assert found.image_rgb is None
    assert min(found.decode_ms, found.detect_ms, found.crop_ms) > 0


@pytest.mark.parametrize("turn_deg", [-35, 40, 180])
def test_the_crop_of_a_turned_face_is_upright_and_its_roll_is_known(
    finder: FaceFinder, turn_deg: int
) -> None:
    x, y, side, _ = FACE_XYWH
    centre = (x + side / 2, y + side / 2)
    turned = portrait().rotate(-turn_deg, Image.Resampling.BICUBIC, center=centre, fillcolor=(96, 110, 120))
    image_rgb = np.asarray(turned)

    found = finder.find(image_rgb, 1)

    (roll_deg,) = (assessment.quality.roll_deg for assessment in found.assessments)
    assert roll_deg is not None
    for measured_deg in (found.turns_deg[0], roll_deg):
        assert (measured_deg - turn_deg + 180) % 360 - 180 == pytest.approx(0, abs=12)
    (box,) = found.raw_boxes_xywh
    assert (found.crops[0][0] == cut(image_rgb, box, (48,), found.turns_deg[0])[0]).all()


def test_the_crop_of_an_upright_face_is_what_it_was_without_landmarks(finder: FaceFinder) -> None:
    found = finder.find(np.asarray(portrait()), 1)

    assert found.turns_deg == (0.0,)
    assert (found.crops[0][0] == cut(np.asarray(portrait()), found.raw_boxes_xywh[0], (48,))[0]).all()


def test_the_image_is_kept_where_it_is_asked_for(finder: FaceFinder) -> None:
    found = EncodedSearch(finder, portrait_file("PNG"), PLENTY, 8, keep_image=True)()

    assert found.image_rgb is not None
    assert (found.image_rgb == np.asarray(portrait())).all()


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_a_face_is_where_it_is_shown_and_not_where_it_is_stored(finder: FaceFinder, orientation: int) -> None:
    turn = {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = portrait().crop((0, 0, 512, 400)).transpose(turn[orientation])

    found = EncodedSearch(finder, encoded(stored, "JPEG", exif=exif), PLENTY, 8)()

    assert found.size_wh == (512, 400)
    assert iou(found.boxes_xywh[0], FACE_XYWH) > 0.8


def test_images_that_cannot_be_used_are_told(finder: FaceFinder) -> None:
    with pytest.raises(InvalidImageError):
        EncodedSearch(finder, b"no image", PLENTY, 8)()
    with pytest.raises(ImageTooLargeError):
        EncodedSearch(finder, png_header(5000, 5000), PLENTY, 8)()


def test_faces_have_boxes_inside_the_image_scores_and_numbers_from_one() -> None:
    finder = FaceFinder(FakeDetector((-10.4, -15.0, 60.0, 60.0), (90.0, 30.0, 60.0, 60.0)), (48,))
    found = finder.find(np.zeros((50, 100, 3), np.uint8), 8)

    faces = found.recognized(LABELS, np.eye(2, len(LABELS), dtype=np.float32), source="a.jpg")

    assert faces.size_wh == (100, 50)
    assert [face.box_xywh for face in faces] == [(0, 0, 50, 45), (90, 30, 10, 20)]
    assert [(face.face_id, face.score, face.emotion) for face in faces] == [
        (1, 0.75, LABELS[0]),
        (2, 0.75, LABELS[1]),
    ]
    assert (faces.source, faces.labels) == ("a.jpg", LABELS)


def test_crops_are_cut_by_the_detectors_own_box_which_may_reach_outside() -> None:
    finder = FaceFinder(FakeDetector((-10.0, 10.0, 40.0, 40.0)), (48,))

    found = finder.find(np.zeros((100, 100, 3), np.uint8), 8)

    assert found.raw_boxes_xywh == ((-10.0, 10.0, 40.0, 40.0),)
    assert found.boxes_xywh == ((0, 10, 30, 40),)


def test_a_server_without_the_detectors_files_gets_a_value_that_says_what_is_missing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    finder = load_finder(tmp_path, 24, (48,))

    assert isinstance(finder, MissingDetector)
    assert str(tmp_path) in finder.reason
    assert finder.reason in caplog.text
    assert isinstance(load_finder(FACES_DIR, 24, (48,)), FaceFinder)

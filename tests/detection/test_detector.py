"""The detector with its real networks on made pictures with a real face, and with a network that pretends."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from emostream.detection.anchors import FULL_RANGE, SHORT_RANGE, BlazeFaceSpec, Detections, Grid
from emostream.detection.blazeface import Pixels
from emostream.detection.detector import FaceDetector
from emostream.detection.verifier import ANSWERS
from emostream.imaging.crop import RawBoxXywh
from PIL import Image

from tests.detection.counting import CountingNetwork
from tests.portraits import FACE_XYWH, FACES_DIR, LANDMARKS_XY, crowd, iou, portrait


@pytest.fixture(scope="module")
def detector() -> FaceDetector:
    return FaceDetector.load(FACES_DIR)


@pytest.fixture(scope="module")
def short_range(tmp_path_factory: pytest.TempPathFactory) -> FaceDetector:
    folder = tmp_path_factory.mktemp("short")
    shutil.copy(FACES_DIR / SHORT_RANGE.file_name, folder)
    return FaceDetector.load(folder)


def detect(detector: FaceDetector, picture: Image.Image, max_faces: int = 32) -> list[RawBoxXywh]:
    return detector.detect(np.asarray(picture), max_faces).boxes()


def missing(found: list[RawBoxXywh], boxes: tuple[RawBoxXywh, ...]) -> list[RawBoxXywh]:
    return [box for box in boxes if not any(iou(other, box) > 0.4 for other in found)]


def test_a_portrait_has_one_face_where_it_is(detector: FaceDetector) -> None:
    found = detector.detect(np.asarray(portrait()), 32)

    (box,) = found.boxes()
    assert iou(box, FACE_XYWH) > 0.8
    assert found.scores[0] > 0.8


def test_the_short_range_model_finds_it_too(short_range: FaceDetector) -> None:
    found = detect(short_range, portrait())

    assert short_range.name == "face_detection_short_range"
    assert max(iou(box, FACE_XYWH) for box in found) > 0.7


@pytest.mark.parametrize("face_px", [24, 30, 60, 120, 300])
def test_one_face_is_found_at_every_size(detector: FaceDetector, face_px: int) -> None:
    made = crowd((1200, 900), [face_px], seed=face_px)
    found = detect(detector, made.picture)

    assert missing(found, made.boxes_xywh) == []
    assert len(found) == 1


def test_a_face_that_fills_the_picture_is_found(detector: FaceDetector) -> None:
    x, y, side, _ = (round(value) for value in FACE_XYWH)
    found = detect(detector, portrait().crop((x, y, x + side, y + side)))

    assert len(found) == 1
    assert iou(found[0], (0, 0, side, side)) > 0.7


def test_a_face_larger_than_the_picture_is_found(detector: FaceDetector) -> None:
    """Brow and chin are outside."""
    x, y, side, _ = (round(value) for value in FACE_XYWH)
    edge = 14
    (box,) = detect(detector, portrait().crop((x + edge, y + edge, x + side - edge, y + side - edge)))

    assert iou(box, (-edge, -edge, side, side)) > 0.6


def test_a_face_cut_off_by_a_third_is_found(detector: FaceDetector) -> None:
    x, y, side, _ = FACE_XYWH
    (box,) = detect(detector, portrait().crop((round(x) + 32, 0, 512, 512)))

    assert iou(box, (-32, y, side, side)) > 0.6


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_close_face_is_found_whichever_way_the_camera_was_held(
    detector: FaceDetector, quarters: int
) -> None:
    x, y, side, _ = (round(value) for value in FACE_XYWH)
    edge = 14
    close = portrait().crop((x + edge, y + edge, x + side - edge, y + side - edge))
    found = detector.detect(np.rot90(np.asarray(close), quarters), 32)

    (box,) = found.boxes()
    assert iou(box, (-edge, -edge, side, side)) > 0.6
    (right_x, right_y), (left_x, left_y) = found.landmarks_xy[0, :2]
    angle = np.degrees(np.arctan2(right_y - left_y, left_x - right_x)) % 360
    assert angle == pytest.approx(90 * quarters, abs=15)


def test_a_face_upside_down_is_not_taken_for_its_chin(detector: FaceDetector) -> None:
    """The verifier takes its mouth and chin for a face, of which the detector is not sure."""
    x, y, side, _ = FACE_XYWH
    found = detector.detect(np.rot90(np.asarray(portrait()), 2), 32)

    (box,) = found.boxes()
    assert iou(box, (512 - x - side, 512 - y - side, side, side)) > 0.6
    assert found.scores[0] > 0.6


def test_a_picture_with_an_upright_face_is_not_looked_at_turned(detector: FaceDetector) -> None:
    network = CountingNetwork(detector)
    counting = FaceDetector(network)

    assert len(counting.detect(np.asarray(portrait().resize((160, 160))), 8)) == 1
    with_a_face = network.passes
    assert len(counting.detect(np.full((160, 160, 3), 90, np.uint8), 8)) == 0

    assert with_a_face < network.passes - with_a_face == 2 + 3


@pytest.mark.parametrize("face_px", [30, 106, 200])
def test_eyes_nose_and_mouth_are_where_they_are(detector: FaceDetector, face_px: int) -> None:
    scale = face_px / FACE_XYWH[2]
    found = detector.detect(np.asarray(portrait().resize((round(512 * scale),) * 2)), 1)

    assert found.landmarks_xy.shape == (1, 6, 2)
    right, *_, left = found.landmarks_xy[0, [4, 0, 1, 5], 0]
    assert right < LANDMARKS_XY[0][0] * scale < LANDMARKS_XY[1][0] * scale < left  # the ears
    for landmark, expected in zip(found.landmarks_xy[0], LANDMARKS_XY, strict=False):
        assert np.hypot(*(landmark - np.array(expected) * scale)) < 0.06 * face_px


def test_a_crowd_is_found_face_by_face_and_each_once(detector: FaceDetector) -> None:
    """Twelve megapixels with faces from the smallest size up, which no single look would cover."""
    made = crowd((4000, 3000), [24, 24, 27, 32, 40, 60, 90, 140, 220, 350, 600], seed=1)
    found = detect(detector, made.picture)

    assert missing(found, made.boxes_xywh) == []
    assert len(found) == len(made.boxes_xywh)


def test_the_largest_come_first_and_no_more_than_asked_for(detector: FaceDetector) -> None:
    made = crowd((1000, 800), [40, 200, 80, 120], seed=2)
    found = detect(detector, made.picture, max_faces=3)

    areas = [width * height for _, _, width, height in found]
    assert areas == sorted(areas, reverse=True)
    assert missing(found, made.boxes_xywh[:3]) == []  # the crowd's boxes are largest first
    assert len(found) == 3


@pytest.mark.parametrize("size_wh", [(1, 1), (640, 1), (1, 640), (17, 23)])
def test_a_picture_too_small_for_any_face_has_none(detector: FaceDetector, size_wh: tuple[int, int]) -> None:
    assert detect(detector, Image.new("RGB", size_wh, "white")) == []


def test_threads_do_not_disturb_each_other(detector: FaceDetector) -> None:
    pictures = [crowd((500, 400), [60 + 10 * number], seed=number) for number in range(8)]
    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(lambda made: detect(detector, made.picture), pictures * 2))

    assert together == [detect(detector, made.picture) for made in pictures] * 2


class PretendedNetwork:
    """Finds white squares by their brightness, with the score that it is told for each look.

    It is asked at the level of whole tiles first, then at the coarsest one, then for second looks, then for
    turned ones; where no more scores are told, it finds nothing.
    """

    spec = BlazeFaceSpec("pretended.tflite", 64, (Grid(8, 1),), smallest_face_px=8)

    def __init__(self, *scores: float) -> None:
        self._scores = list(scores)

    def __call__(self, tile: np.ndarray, min_score: float) -> Detections:
        y, x = np.nonzero(tile[:, :, 0] > 127)
        if not len(x) or not self._scores or (score := self._scores.pop(0)) < min_score:
            return Detections.none()
        box = [x.min(), y.min(), np.ptp(x) + 1, np.ptp(y) + 1]
        landmarks = np.zeros((1, 6, 2), np.float32)
        return Detections(np.array([box], np.float32), np.array([score], np.float32), landmarks)


def white_square(side: int) -> np.ndarray:
    picture = np.zeros((64, 64, 3), np.uint8)
    picture[20 : 20 + side, 30 : 30 + side] = 255
    return picture


def test_a_face_of_trusted_size_gets_no_second_look() -> None:
    found = FaceDetector(PretendedNetwork(0.7, 0.1), 24).detect(white_square(16), 8)

    assert found.boxes() == [(30, 20, 16, 16)]
    assert found.scores.tolist() == pytest.approx([0.7])


def test_a_small_face_gets_a_second_look_whose_score_and_box_count() -> None:
    found = FaceDetector(PretendedNetwork(0.3, 0.1, 0.9), 24).detect(white_square(6), 8)

    (box,) = found.boxes()
    assert found.scores.tolist() == pytest.approx([0.9])
    assert iou(box, (30, 20, 6, 6)) > 0.7


@pytest.mark.parametrize("scores", [(0.55, 0.1, 0.5), (0.9, 0.1, 0.1)])
def test_a_small_face_that_the_second_look_does_not_confirm_is_none(scores: tuple[float, ...]) -> None:
    assert len(FaceDetector(PretendedNetwork(*scores), 24).detect(white_square(6), 8)) == 0


@pytest.mark.parametrize(("probability", "faces"), [(0.95, 1), (0.5, 0)])
def test_the_verifier_may_confirm_a_turned_face_of_a_low_score(probability: float, faces: int) -> None:
    picture = np.zeros((64, 64, 3), np.uint8)
    picture[8:50, 16:58] = 255
    network = PretendedNetwork(0.0, 0.0, 0.3, 0.4, 0.4)

    found = FaceDetector(network, 24, Answering(probability, "none")).detect(picture, 8)

    assert len(found) == faces
    for box in found.boxes():
        assert iou(box, (16, 8, 42, 42)) > 0.7


class Answering:
    """A verifier that gives the same answer, with the rest for no face, whatever it sees."""

    def __init__(self, face: float, answer: str) -> None:
        self.answered = np.zeros(len(ANSWERS), np.float32)
        self.answered[ANSWERS.index("no face")] = 1 - face
        self.answered[ANSWERS.index(answer)] = face

    def answers(self, crop: Pixels) -> npt.NDArray[np.float32]:
        return self.answered


@pytest.mark.parametrize(
    ("probability", "answer", "faces"),
    [
        (0.985, "headset", 1),
        (0.975, "headset", 0),
        (0.985, "mask", 0),
        (0.985, "block", 0),
        (0.996, "block", 1),
    ],
)
def test_under_a_headset_the_verifier_may_be_less_sure_of_what_no_second_look_confirms(
    probability: float, answer: str, faces: int
) -> None:
    picture = np.zeros((64, 64, 3), np.uint8)
    picture[8:50, 16:58] = 255
    network = PretendedNetwork(0.3, 0.0)

    assert len(FaceDetector(network, 24, Answering(probability, answer)).detect(picture, 8)) == faces


def test_the_second_look_may_reach_beyond_the_picture() -> None:
    white = np.full((64, 64, 3), 255, np.uint8)

    (box,) = FaceDetector(PretendedNetwork(0.6, 0.1, 0.9), 24).detect(white, 8).boxes()

    assert iou(box, (0, 0, 64, 64)) > 0.9


class Source:
    """A source of covered faces that has one, wherever it is asked."""

    box = (8.0, 8.0, 48.0, 48.0)

    def __init__(self) -> None:
        self.asked = 0

    def faces(self, picture: np.ndarray, known: Detections) -> Detections:
        self.asked += 1
        return self.face_at(picture, self.box)

    def face_at(self, picture: np.ndarray, box_xywh: RawBoxXywh) -> Detections:
        box = np.array([box_xywh], np.float32)
        return Detections(box, np.full(1, 0.5, np.float32), np.zeros((1, 6, 2), np.float32))


@pytest.mark.parametrize(("score", "asked"), [(0.7, 0), (0.55, 1), (0.0, 1)])
def test_covered_faces_are_looked_for_where_no_face_is_certain(score: float, asked: int) -> None:
    source = Source()
    square = white_square(16)

    found = FaceDetector(PretendedNetwork(score, 0.0), 24, covered=source).detect(square, 8)

    assert source.asked == asked
    assert (source.box in found.boxes()) == bool(asked)


def test_a_known_face_that_the_network_loses_is_looked_for_under_a_cover() -> None:
    box = (20.0, 10.0, 44.0, 44.0)
    black = np.zeros((64, 64, 3), np.uint8)

    assert FaceDetector(PretendedNetwork(), covered=Source()).verified(black, box).boxes() == [box]
    assert len(FaceDetector(PretendedNetwork()).verified(black, box)) == 0


def test_without_the_short_range_model_the_others_are_found(tmp_path: Path, detector: FaceDetector) -> None:
    shutil.copy(FACES_DIR / FULL_RANGE.file_name, tmp_path)
    picture = np.asarray(portrait())

    assert FaceDetector.load(tmp_path).detect(picture, 8).boxes() == detector.detect(picture, 8).boxes()

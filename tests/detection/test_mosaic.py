import numpy as np
import pytest
from emostream.detection.anchors import Detections
from emostream.detection.detector import FaceDetector
from emostream.detection.mosaic import look_again
from emostream.imaging.crop import RawBoxXywh
from emostream.imaging.decoding import decode

from tests.detection.counting import CountingNetwork
from tests.portraits import FACE_XYWH, FACES_DIR, LANDMARKS_XY, crowd, iou, no_face, portrait


@pytest.fixture(scope="module")
def detector() -> FaceDetector:
    return FaceDetector.load(FACES_DIR)


def moved(box: RawBoxXywh, x: float, y: float) -> RawBoxXywh:
    return (box[0] + x, box[1] + y, box[2], box[3])


def box_of(found: Detections) -> RawBoxXywh:
    (box,) = found.boxes_xywh
    return tuple(float(value) for value in box)  # type: ignore[return-value]


@pytest.mark.parametrize("faces", [1, 4, 5])
def test_four_faces_that_have_moved_are_found_in_one_pass(detector: FaceDetector, faces: int) -> None:
    sizes = [30, 60, 90, 150, 40][:faces]
    made = crowd((1280, 720), sizes, seed=2)
    before = [moved(box, 0.2 * box[2], -0.25 * box[3]) for box in made.boxes_xywh]
    network = CountingNetwork(detector)

    found = look_again(network, np.asarray(made.picture), before)

    assert network.passes == (2 if faces == 5 else 1)
    assert all(iou(box_of(one), box) > 0.6 for one, box in zip(found, made.boxes_xywh, strict=True))


def test_a_face_that_has_gone_is_missing_and_the_others_keep_their_places(detector: FaceDetector) -> None:
    made = crowd((1280, 720), [120], seed=4)
    x, _, width, _ = made.boxes_xywh[0]
    nothing = (10.0 if x > 640 else 1100.0, 300.0, width, width)

    gone, found = look_again(detector.network, np.asarray(made.picture), [nothing, made.boxes_xywh[0]])

    assert len(gone) == 0
    assert iou(box_of(found), made.boxes_xywh[0]) > 0.6


def test_landmarks_are_found_in_any_cell(detector: FaceDetector) -> None:
    for found in look_again(detector.network, np.asarray(portrait()), [FACE_XYWH] * 4):
        for landmark, expected in zip(found.landmarks_xy[0], LANDMARKS_XY, strict=False):
            assert np.hypot(*(landmark - np.array(expected))) < 0.06 * FACE_XYWH[2]


def test_a_box_outside_of_the_picture_finds_nothing(detector: FaceDetector) -> None:
    picture = np.asarray(portrait())

    assert [len(one) for one in look_again(detector.network, picture, [(-900.0, 50.0, 90.0, 90.0)])] == [0]


def test_a_face_at_the_edge_is_found(detector: FaceDetector) -> None:
    cut_off = np.asarray(portrait())[:, 200:]
    box = moved(FACE_XYWH, -200, 0)

    here, again = look_again(detector.network, cut_off, [box, box])

    assert iou(box_of(here), box) > 0.5
    assert iou(box_of(again), box) > 0.5


def test_where_there_never_was_a_face_none_is_found(detector: FaceDetector) -> None:
    coffee = np.asarray(decode(no_face(), 10**7))

    found = look_again(detector.network, coffee, [(x, y, 80.0, 80.0) for x in (0, 200) for y in (0, 200)])

    assert [len(one) for one in found] == [0, 0, 0, 0]

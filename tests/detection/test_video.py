"""Real faces that move over a photograph, and how often the network is asked meanwhile."""

import numpy as np
import pytest
from emostream.detection.anchors import Detections
from emostream.detection.blazeface import Pixels
from emostream.detection.detector import FaceDetector
from emostream.detection.video import LOST_SCAN_INTERVAL_S, SCAN_INTERVAL_S, VideoDetector
from emostream.imaging.crop import RawBoxXywh
from emostream.tracking.appearance import appearance_of
from emostream.tracking.tracker import FaceTracker
from PIL import Image

from tests.detection.counting import CountingNetwork
from tests.portraits import FACES_DIR, iou, portrait

FPS = 30
SIZE_WH = (640, 480)
FACE_PX = 90


class Followed:
    """A video's detector with the tracker that tells it where to look, as ``FrameSearch`` joins them."""

    def __init__(self, detector: FaceDetector, min_face_px: int | None = None) -> None:
        self._video = VideoDetector(detector, min_face_px)
        self._tracker = FaceTracker()
        self.ids: list[int] = []

    def detect(self, picture: Pixels, time_s: float, max_faces: int) -> Detections:
        known = self._tracker.expected(time_s, LOST_SCAN_INTERVAL_S)
        found = self._video.detect(picture, time_s, max_faces, known)
        looks = [appearance_of(picture, box) for box in found.boxes()]
        self.ids = self._tracker.update(found.boxes(), looks, time_s)
        return found


@pytest.fixture(scope="module")
def detector() -> FaceDetector:
    return FaceDetector.load(FACES_DIR)


def frame(*centres: tuple[float, float], face_px: int = FACE_PX) -> Pixels:
    """Heads with their faces' centres there."""
    picture = Image.new("RGB", SIZE_WH, (96, 110, 120))
    scale = face_px / 106
    head = portrait().crop((120, 10, 335, 260))
    head = head.resize((round(head.width * scale), round(head.height * scale)))
    for x, y in centres:
        picture.paste(head, (round(x - 107 * scale), round(y - 111 * scale)))
    return np.asarray(picture)


def box_around(x: float, y: float, face_px: int = FACE_PX) -> RawBoxXywh:
    return (x - face_px / 2, y - face_px / 2, face_px, face_px)


def test_moving_faces_are_followed_with_little_more_than_one_pass_a_frame(detector: FaceDetector) -> None:
    network = CountingNetwork(detector)
    video = Followed(FaceDetector(network))
    seen = 0

    for index in range(FPS):
        centres = [(120 + 4 * index, 150 + 2 * index), (540 - 5 * index, 330 - 3 * index)]
        found = video.detect(frame(*centres), index / FPS, 8)
        seen += sum(any(iou(box, box_around(*centre)) > 0.5 for box in found.boxes()) for centre in centres)

    assert seen == 2 * FPS
    # One scan of 7 passes, 4 glances, and one pass for each of the other frames.
    assert network.passes < 2 * FPS


def test_a_face_that_moves_by_more_than_half_its_side_each_frame_is_followed_where_it_is_expected(
    detector: FaceDetector,
) -> None:
    network = CountingNetwork(detector)
    video = Followed(FaceDetector(network))
    # Slow at first, so that it is not lost before its speed is known.
    way = np.cumsum([20, 30, 45, 60, 60, 60, 60])

    ids = []
    for index, x in enumerate(way):
        video.detect(frame((60 + float(x), 240)), index / FPS, 8)
        ids.append(video.ids)

    assert ids == [[1]] * len(way)
    # The scan and one glance, and one pass for each of the other frames.
    assert network.passes < len(way) + 20


def test_a_large_face_that_appears_is_seen_before_the_next_scan(detector: FaceDetector) -> None:
    video = Followed(detector)
    assert len(video.detect(frame(), 0.0, 8)) == 0

    times = [index / FPS for index in range(1, FPS // 2)]
    seen = [bool(video.detect(frame((320, 240)), time_s, 8)) for time_s in times]

    assert not seen[0]
    assert seen[round(0.25 * FPS) :] == [True] * len(seen[round(0.25 * FPS) :])
    assert times[-1] < SCAN_INTERVAL_S


def test_a_small_face_that_appears_is_seen_at_the_next_scan(detector: FaceDetector) -> None:
    video = Followed(detector)
    video.detect(frame(), 0.0, 8)

    assert len(video.detect(frame((320, 240), face_px=26), 0.03, 8)) == 0
    (box,) = video.detect(frame((320, 240), face_px=26), SCAN_INTERVAL_S, 8).boxes()

    assert iou(box, box_around(320, 240, 26)) > 0.4


def test_a_face_that_jumps_is_lost_and_found_by_a_scan_before_its_time(detector: FaceDetector) -> None:
    video = Followed(detector)
    assert len(video.detect(frame((120, 120), face_px=40), 0.0, 8)) == 1

    jumped = frame((500, 380), face_px=40)
    seen = [bool(video.detect(jumped, index / FPS, 8)) for index in range(1, 15)]

    assert not seen[0]
    assert seen[-1]


def test_a_face_that_turned_away_is_followed_again_where_it_was(detector: FaceDetector) -> None:
    network = CountingNetwork(detector)
    video = Followed(FaceDetector(network))
    video.detect(frame((320, 240)), 0.0, 8)
    video.detect(frame(), 1 / FPS, 8)
    before = network.passes

    found = video.detect(frame((325, 240)), 2 / FPS, 8)

    assert len(found) == 1
    assert network.passes == before + 1


def test_a_time_that_goes_back_makes_it_look_for_all_anew(detector: FaceDetector) -> None:
    video = Followed(detector)
    video.detect(frame(), 5.0, 8)

    assert len(video.detect(frame((320, 240), face_px=40), 0.0, 8)) == 1


def test_no_more_faces_than_asked_for(detector: FaceDetector) -> None:
    video = Followed(detector)
    two = frame((150, 200), (480, 250))

    assert [len(video.detect(two, time_s, 1)) for time_s in (0.0, 0.04, 0.25)] == [1, 1, 1]


def test_large_frames_are_not_searched_for_the_smallest_faces_unless_told_to(detector: FaceDetector) -> None:
    empty = np.full((2160, 3840, 3), 100, np.uint8)

    def passes(min_face_px: int | None) -> int:
        network = CountingNetwork(detector)
        VideoDetector(FaceDetector(network), min_face_px).detect(empty, 0.0, 8, [])
        return network.passes

    assert passes(None) < 40
    assert passes(48) > 40

import sys
from pathlib import Path

import numpy as np
import pytest
from emostream.client import local_detection
from emostream.client.local_detection import CROP_PX, LocalSearch, load_detector
from emostream.detection.detector import FaceDetector
from emostream.exceptions import DetectorError, MissingExtraError
from emostream.sources import Frame

from tests.portraits import FACE_XYWH, FACES_DIR, iou, portrait


@pytest.fixture(scope="module")
def detector() -> FaceDetector:
    return FaceDetector.load(FACES_DIR)


def test_faces_keep_their_ids_in_a_video_but_not_from_image_to_image(detector: FaceDetector) -> None:
    """Of two people the one with the first id leaves."""
    one = np.asarray(portrait())
    nobody, both = np.full_like(one, 128), np.hstack([one, one])
    video, images = LocalSearch(detector, 8), LocalSearch(detector, 8)

    seen = video.find(Frame(0, 0.0, both, None))
    assert seen.face_ids == (1, 2)
    second_is_right = seen.found.boxes_xywh[1][0] > one.shape[1]
    second = np.hstack([nobody, one] if second_is_right else [one, nobody])
    later = [video.find(Frame(index, index / 10, image, None)) for index, image in ((1, both), (2, second))]
    assert [here.face_ids for here in later] == [(1, 2), (2,)]

    named = [Frame(0, 0.0, both, "a.jpg"), Frame(1, 0.1, second, "b.jpg")]
    assert [images.find(frame).face_ids for frame in named] == [(1, 2), (1,)]


def test_boxes_scores_and_crops_are_in_the_order_of_the_ids(detector: FaceDetector) -> None:
    here = LocalSearch(detector, 8).find(Frame(0, 0.0, np.asarray(portrait()), "me.jpg"))

    assert here.face_ids == (1,)
    assert iou(here.found.boxes_xywh[0], FACE_XYWH) > 0.5
    assert here.found.scores[0] > 0.5
    assert [crop.shape for crop in here.found.crops[0]] == [(CROP_PX, CROP_PX, 3)]


def test_the_packages_own_detector_is_loaded_or_one_of_another_folder() -> None:
    for found in (load_detector("auto"), load_detector("local", FACES_DIR, 48)):
        assert isinstance(found, FaceDetector)
    assert found.min_face_px == 48


@pytest.mark.parametrize("detect", ["server", "none"])
def test_no_detector_is_loaded_where_faces_are_not_found_here(detect: local_detection.Detect) -> None:
    assert load_detector(detect) is None


def test_missing_files_leave_detection_to_the_server_unless_it_is_wanted_here(tmp_path: Path) -> None:
    assert load_detector("auto", tmp_path) is None
    with pytest.raises(DetectorError, match="no face detector in"):
        load_detector("local", tmp_path)


def test_a_missing_library_does_so_too_and_the_error_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_detection, "find_spec", lambda module: None)

    assert load_detector("auto") is None
    with pytest.raises(MissingExtraError) as missing:
        load_detector("local")
    assert str(missing.value).startswith("detecting faces on this machine needs OpenVINO: ")
    assert str(missing.value).endswith("install 'emostream[server]'")


def test_opencv_is_one_of_those_libraries(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("detector", "views"):
        monkeypatch.delitem(sys.modules, f"emostream.detection.{module}")
    monkeypatch.setitem(sys.modules, "cv2", None)

    assert load_detector("auto") is None
    with pytest.raises(MissingExtraError, match="needs OpenCV"):
        load_detector("local")

"""Frames one after the other, with real detection, to a recogniser that pretends."""

import numpy as np
import pytest
from emostream.analysis.finder import FaceFinder
from emostream.analysis.video import AnalysisOptions, FrameAnalysis
from emostream.detection.detector import FaceDetector
from emostream.sources import Frame

from tests.portraits import FACES_DIR, crowd, portrait
from tests.support import LABELS, FakeRecognizer
from tests.writers.videos import frame


@pytest.fixture(scope="module")
def finder() -> FaceFinder:
    return FaceFinder(FaceDetector.load(FACES_DIR), FakeRecognizer.input_sizes)


def analysis_of(finder: FaceFinder, is_still: bool = False, **options: float) -> FrameAnalysis:
    recognizer = FakeRecognizer(is_open=True)
    return FrameAnalysis(finder, recognizer, AnalysisOptions(**options), is_still)  # type: ignore[arg-type]


def at(index: int, image_rgb: np.ndarray | None = None) -> Frame:
    return Frame(index, index / 20, frame(index) if image_rgb is None else image_rgb, None)


def certain(emotion: str) -> np.ndarray:
    row = np.zeros((1, len(LABELS)), np.float32)
    row[0, LABELS.index(emotion)] = 1.0
    return row


def test_a_frames_faces_know_its_place_and_its_image(finder: FaceFinder) -> None:
    faces = analysis_of(finder).analyze(at(7))

    assert (faces.frame_index, faces.time_s, faces.source) == (7, 0.35, None)
    assert faces.labels == LABELS
    assert faces.image_rgb is not None
    assert (faces.image_rgb == frame(7)).all()
    assert faces[0].confidence == 1.0


def test_an_image_has_its_files_name_unless_its_source_is_named(finder: FaceFinder) -> None:
    analysis = analysis_of(finder, is_still=True)
    found = analysis.find(Frame(0, 0.0, np.asarray(portrait()), "me.jpg"))

    assert analysis.recognized(found, certain("fear")).source == "me.jpg"
    assert analysis.recognized(found, certain("fear"), "photos/me.jpg").source == "photos/me.jpg"


def test_a_face_keeps_its_id_while_it_moves_and_another_one_gets_another(finder: FaceFinder) -> None:
    analysis = analysis_of(finder)
    both = frame(3, (960, 360)).copy()
    both[:, 480:] = frame(0)

    ids = [[face.face_id for face in analysis.analyze(at(index))] for index in range(3)]
    later = analysis.analyze(Frame(40, 2.0, both, None))  # the next scan of the whole frame

    assert ids == [[1], [1], [1]]
    assert sorted(face.face_id or 0 for face in later) == [1, 2]


def test_smoothing_weighs_a_faces_past(finder: FaceFinder) -> None:
    analysis = analysis_of(finder, smoothing=0.75)

    first = analysis.recognized(analysis.find(at(0)), certain("happiness"))
    second = analysis.recognized(analysis.find(at(1)), certain("fear"))

    assert first[0].probabilities["happiness"] == 1.0
    assert second[0].probabilities["happiness"] == pytest.approx(0.75)
    assert second[0].probabilities["fear"] == pytest.approx(0.25)
    assert second[0].emotion == "happiness"


def test_at_most_so_many_faces_are_found_the_largest(finder: FaceFinder) -> None:
    group = np.asarray(crowd((1280, 800), [60, 150, 90]).picture)

    faces = analysis_of(finder, is_still=True, max_faces=2).analyze(at(0, group))

    heights = [face.box_xywh[3] for face in faces if face.box_xywh is not None]
    assert len(heights) == 2
    assert heights[0] > heights[1] > 75


def test_faces_below_the_smallest_size_are_left_out(finder: FaceFinder) -> None:
    group = np.asarray(crowd((1280, 800), [60, 150]).picture)

    found = [
        len(analysis_of(finder, is_still, min_face_px=100).analyze(at(0, group)))
        for is_still in (True, False)
    ]

    assert found == [1, 1]


def test_a_frame_without_faces_has_none(finder: FaceFinder) -> None:
    faces = analysis_of(finder, smoothing=0.5).analyze(at(0, np.zeros((90, 120, 3), np.uint8)))

    assert (len(faces), faces.size_wh) == (0, (120, 90))

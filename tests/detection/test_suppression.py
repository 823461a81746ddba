import numpy as np
from emostream.detection.anchors import Detections
from emostream.detection.suppression import best_of_each_face


def detections(*boxes_and_scores: tuple[list[float], float]) -> Detections:
    boxes, scores = zip(*boxes_and_scores, strict=True)
    landmarks = np.zeros((len(scores), 6, 2), np.float32)
    return Detections(np.array(boxes, np.float32), np.array(scores, np.float32), landmarks)


def test_of_boxes_that_overlap_the_best_is_kept() -> None:
    found = detections(([0, 0, 10, 10], 0.6), ([1, 1, 10, 10], 0.9), ([2, 0, 10, 10], 0.7))

    assert best_of_each_face(found).tolist() == [1]


def test_faces_side_by_side_are_all_kept_best_first() -> None:
    found = detections(([0, 0, 10, 10], 0.6), ([11, 0, 10, 10], 0.9), ([0, 11, 10, 10], 0.7))

    assert best_of_each_face(found).tolist() == [1, 2, 0]


def test_a_piece_of_a_larger_face_is_no_face() -> None:
    """Its intersection over union is small: it is small itself."""
    found = detections(([0, 0, 100, 100], 0.9), ([30, 30, 30, 30], 0.6))

    assert best_of_each_face(found).tolist() == [0]


def test_a_doubtful_large_box_does_not_swallow_a_certain_face() -> None:
    found = detections(([0, 0, 100, 100], 0.6), ([30, 30, 30, 30], 0.9))

    assert best_of_each_face(found).tolist() == [1, 0]


def test_nothing_stays_nothing() -> None:
    assert best_of_each_face(Detections.none()).tolist() == []

import numpy as np
import pytest
from emostream.detection.anchors import FULL_RANGE, SHORT_RANGE, Detections, anchor_centres, decode

CENTRES = np.array([[2, 2], [6, 2]], np.float32)


def outputs(anchors: int) -> tuple[np.ndarray, np.ndarray]:
    """Of a network that sees nothing anywhere."""
    offsets = np.zeros((anchors, 16), np.float32)
    offsets[:, 2:4] = 10
    return np.full(anchors, -20, np.float32), offsets


def test_the_full_range_model_has_one_anchor_in_each_cell_of_four_pixels() -> None:
    centres = anchor_centres(FULL_RANGE)

    assert centres.shape == (2304, 2) == (FULL_RANGE.anchors, 2)
    assert centres[0].tolist() == [2, 2]
    assert centres[1].tolist() == [6, 2]  # x grows first
    assert centres[48].tolist() == [2, 6]
    assert centres[-1].tolist() == [190, 190]


def test_the_short_range_model_has_two_anchors_in_fine_cells_and_six_in_coarse_ones() -> None:
    centres = anchor_centres(SHORT_RANGE)

    assert centres.shape == (896, 2) == (SHORT_RANGE.anchors, 2)
    assert centres[:3].tolist() == [[4, 4], [4, 4], [12, 4]]
    assert centres[512:519].tolist() == [[8, 8]] * 6 + [[24, 8]]


def test_a_box_lies_around_its_anchor_moved_by_the_offsets() -> None:
    logits, offsets = outputs(2)
    logits[1] = 2.0
    offsets[1, :4] = [1, -1, 8, 4]

    found = decode(logits, offsets, CENTRES, 0.5)

    assert found.boxes_xywh.tolist() == [[6 + 1 - 4, 2 - 1 - 2, 8, 4]]
    assert found.scores == pytest.approx(1 / (1 + np.exp(-2)))


@pytest.mark.parametrize(("min_score", "count"), [(0.45, 2), (0.55, 1), (0.75, 0)])
def test_only_what_reaches_the_score_is_kept(min_score: float, count: int) -> None:
    logits, offsets = outputs(2)
    logits[:] = [0.0, 1.0]  # 0.5 and 0.73

    assert len(decode(logits, offsets, CENTRES, min_score)) == count


@pytest.mark.parametrize("size", [(0, 5), (5, 0), (-3, 5)])
def test_a_box_without_area_is_no_face(size: tuple[float, float]) -> None:
    logits, offsets = outputs(2)
    logits[0] = 9
    offsets[0, 2:4] = size

    assert len(decode(logits, offsets, CENTRES, 0.5)) == 0


def test_a_number_that_is_none_is_no_face() -> None:
    logits, offsets = outputs(2)
    logits[0] = np.nan

    assert len(decode(logits, offsets, CENTRES, 0.5)) == 0


def test_outputs_of_another_network_are_refused() -> None:
    with pytest.raises(ValueError, match="expected 2304 anchors"):
        decode(*outputs(896), anchor_centres(FULL_RANGE), 0.5)


def test_landmarks_lie_relative_to_the_anchors_centre() -> None:
    logits, offsets = outputs(2)
    logits[1] = 2.0
    offsets[1, 4:] = range(12)

    found = decode(logits, offsets, CENTRES, 0.5)

    assert found.landmarks_xy.tolist() == [[[6 + x, 2 + x + 1] for x in range(0, 12, 2)]]


def test_detections_are_taken_to_another_frame_with_their_landmarks() -> None:
    landmarks = np.full((1, 6, 2), (12, 21), np.float32)
    found = Detections(np.array([[10, 20, 4, 6]], np.float32), np.array([0.5], np.float32), landmarks)

    placed = found.placed(0.5, 100, 0)

    assert placed.boxes_xywh.tolist() == [[220, 40, 8, 12]]
    assert placed.landmarks_xy.tolist() == [[[224, 42]] * 6]


def test_joined_detections_keep_their_order_and_landmarks() -> None:
    def one(x: float) -> Detections:
        box = np.array([[x, 0, 4, 6]], np.float32)
        return Detections(box, np.array([0.5], np.float32), np.full((1, 6, 2), x, np.float32))

    joined = Detections.joined([one(1), one(2)])

    assert joined[np.array([1])].landmarks_xy.tolist() == [[[2, 2]] * 6]


def test_nothing_joined_is_nothing() -> None:
    assert len(Detections.joined([])) == len(Detections.joined([Detections.none()])) == 0

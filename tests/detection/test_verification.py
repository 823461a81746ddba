import numpy as np
import numpy.typing as npt
import pytest
from emostream.detection.anchors import Detections
from emostream.detection.blazeface import Pixels
from emostream.detection.verification import answers, is_verifiable, probability_of_face, shows_headset
from emostream.detection.verifier import ANSWERS, INPUT_PX
from emostream.imaging.crop import face_square


def test_faces_from_40_px_up_are_verifiable() -> None:
    boxes = np.array([[0, 0, 39, 39], [0, 0, 30, 40], [5, 5, 90, 90]], np.float32)
    found = Detections(boxes, np.ones(3, np.float32), np.zeros((3, 6, 2), np.float32))

    assert is_verifiable(found).tolist() == [False, True, True]
    assert is_verifiable(Detections.none()).tolist() == []


class Recording:
    """A verifier that keeps what it sees, and takes it for a face under a headset."""

    def __init__(self) -> None:
        self.crops: list[Pixels] = []

    def answers(self, crop: Pixels) -> npt.NDArray[np.float32]:
        self.crops.append(crop)
        return np.array([0.25, 0, 0.75, 0, 0], np.float32)


def test_the_verifier_sees_the_crop_of_the_face() -> None:
    """White pixels are where the square of the face is, and nowhere else."""
    box = (60.0, 50.0, 40.0, 40.0)
    left, top, side, _ = (round(value) for value in face_square(box))
    picture = np.zeros((200, 200, 3), np.uint8)
    picture[top : top + side, left : left + side] = 255
    verifier = Recording()

    assert probability_of_face(answers(verifier, picture, box)) == 0.75
    [crop] = verifier.crops
    assert crop.shape == (INPUT_PX, INPUT_PX, 3)
    assert crop.mean() > 240


@pytest.mark.parametrize("likeliest", ANSWERS)
def test_a_headset_is_shown_where_it_is_the_likeliest(likeliest: str) -> None:
    answered = np.full(len(ANSWERS), 0.1, np.float32)
    answered[ANSWERS.index(likeliest)] = 0.6

    assert shows_headset(answered) == (likeliest == "headset")

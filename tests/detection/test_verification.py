import numpy as np
from emostream.detection.anchors import Detections
from emostream.detection.blazeface import Pixels
from emostream.detection.verification import is_verifiable, probability
from emostream.detection.verifier import INPUT_PX
from emostream.imaging.crop import face_square


def test_faces_from_40_px_up_are_verifiable() -> None:
    boxes = np.array([[0, 0, 39, 39], [0, 0, 30, 40], [5, 5, 90, 90]], np.float32)
    found = Detections(boxes, np.ones(3, np.float32), np.zeros((3, 6, 2), np.float32))

    assert is_verifiable(found).tolist() == [False, True, True]
    assert is_verifiable(Detections.none()).tolist() == []


def test_the_verifier_sees_the_crop_of_the_face() -> None:
    """White pixels are where the square of the face is, and nowhere else."""
    box = (60.0, 50.0, 40.0, 40.0)
    left, top, side, _ = (round(value) for value in face_square(box))
    picture = np.zeros((200, 200, 3), np.uint8)
    picture[top : top + side, left : left + side] = 255
    crops: list[Pixels] = []

    def verifier(crop: Pixels) -> float:
        crops.append(crop)
        return 0.75

    assert probability(verifier, picture, box) == 0.75
    [crop] = crops
    assert crop.shape == (INPUT_PX, INPUT_PX, 3)
    assert crop.mean() > 240

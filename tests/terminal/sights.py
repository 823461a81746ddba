"""Frames with faces that nobody had to find."""

import numpy as np
from emostream.sources import Frame
from emostream.terminal.watch import LiveFace, Sight

LABELS = ("anger", "happiness", "surprise")


def face(face_id: int, *shares: float, box: tuple[int, int, int, int] = (160, 120, 80, 80)) -> LiveFace:
    return LiveFace(face_id, box, np.array(shares, np.float32))


def sight(*faces: LiveFace) -> Sight:
    return Sight(Frame(3, 0.1, np.full((360, 480, 3), 90, np.uint8), None), faces, 31.4, 24.6)

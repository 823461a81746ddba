"""Frames with made faces."""

import numpy as np
from emostream.faces import Face, Faces
from emostream.terminal.watch import Sight

LABELS = ("anger", "happiness", "surprise")


def face(face_id: int, *shares: float, box: tuple[int, int, int, int] = (160, 120, 80, 80)) -> Face:
    return Face.from_row(LABELS, np.array(shares, np.float32), box, 0.9, face_id)


def faces_of(*faces: Face) -> Faces:
    """The faces of a grey frame."""
    image_rgb = np.full((360, 480, 3), 90, np.uint8)
    return Faces(faces, (480, 360), LABELS, frame_index=3, time_s=0.1, image_rgb=image_rgb)


def sight(*faces: Face) -> Sight:
    return Sight(faces_of(*faces), 31.4, 24.6)

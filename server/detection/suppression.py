"""One box for each face: non-maximum suppression across tiles and levels. Pure."""

import cv2
import numpy as np
import numpy.typing as npt

from ..imaging.boxes import areas, intersections
from .anchors import Detections

#: Two boxes that overlap by more than this (intersection over union) are one face.
MAX_IOU = 0.3

#: A box of which more than this fraction lies inside a better box is a part of that face: in a tile or a fine
#: level, the network sometimes takes a part of a large face for a face.
MAX_INSIDE = 0.75


def best_of_each_face(detections: Detections) -> npt.NDArray[np.intp]:
    """Indices of the best box of each face, best first."""
    if not len(detections):
        return np.empty(0, np.intp)
    boxes, scores = detections.boxes_xywh, detections.scores
    kept = np.asarray(
        cv2.dnn.NMSBoxes(boxes.tolist(), scores.tolist(), score_threshold=0.0, nms_threshold=MAX_IOU), np.intp
    )
    # Row i, column j: the fraction of box i inside box j. Below the diagonal, j is the better one.
    inside = intersections(boxes[kept], boxes[kept]) / areas(boxes[kept])[:, None]
    return kept[~(np.tril(inside, -1) > MAX_INSIDE).any(1)]

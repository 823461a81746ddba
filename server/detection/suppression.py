"""One box for each face: non-maximum suppression across tiles and levels. Pure."""

import cv2
import numpy as np
import numpy.typing as npt

from ..imaging.boxes import areas, intersections
from .anchors import Detections

#: Two boxes that overlap by more (intersection over union) are one face.
MAX_IOU = 0.3

#: A box that lies inside a better one by more than this part of itself is a piece of that face: a tile or a
#: fine level sees a part of a large face as a face now and then.
MAX_INSIDE = 0.75


def best_of_each_face(detections: Detections) -> npt.NDArray[np.intp]:
    """Indices of the best box of every face, best first."""
    if not len(detections):
        return np.empty(0, np.intp)
    boxes, scores = detections.boxes_xywh, detections.scores
    kept = np.asarray(
        cv2.dnn.NMSBoxes(boxes.tolist(), scores.tolist(), score_threshold=0.0, nms_threshold=MAX_IOU), np.intp
    )
    # Row i, column j: how much of box i lies in box j; below the diagonal j is the better one.
    inside = intersections(boxes[kept], boxes[kept]) / areas(boxes[kept])[:, None]
    return kept[~(np.tril(inside, -1) > MAX_INSIDE).any(1)]

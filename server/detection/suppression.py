"""One box for each face: non-maximum suppression across tiles and levels. Pure."""

import cv2
import numpy as np
import numpy.typing as npt

from .anchors import Detections, Floats

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


def areas(boxes_xywh: Floats) -> Floats:
    """Areas (N,) of boxes (N, 4)."""
    return np.asarray(boxes_xywh[:, 2] * boxes_xywh[:, 3], np.float32)


def intersections(a_xywh: Floats, b_xywh: Floats) -> Floats:
    """Areas (N, M) that boxes (N, 4) and (M, 4) have in common."""
    low = np.maximum(a_xywh[:, None, :2], b_xywh[None, :, :2])
    high = np.minimum(a_xywh[:, None, :2] + a_xywh[:, None, 2:], b_xywh[None, :, :2] + b_xywh[None, :, 2:])
    return np.asarray(np.clip(high - low, 0, None).prod(2), np.float32)


def ious(a_xywh: Floats, b_xywh: Floats) -> Floats:
    """Intersection over union (N, M) of boxes (N, 4) and (M, 4), in [0, 1]."""
    common = intersections(a_xywh, b_xywh)
    union = areas(a_xywh)[:, None] + areas(b_xywh)[None, :] - common
    return np.asarray(np.divide(common, union, out=np.zeros_like(common), where=union > 0), np.float32)

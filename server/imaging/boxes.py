"""Geometry of boxes, each (x, y, width, height). Pure."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]


def areas(boxes_xywh: Floats) -> Floats:
    """Areas (N,) of boxes (N, 4)."""
    return np.asarray(boxes_xywh[:, 2] * boxes_xywh[:, 3], np.float32)


def intersections(a_xywh: Floats, b_xywh: Floats) -> Floats:
    """Intersection areas (N, M) of boxes (N, 4) and (M, 4)."""
    low = np.maximum(a_xywh[:, None, :2], b_xywh[None, :, :2])
    high = np.minimum(a_xywh[:, None, :2] + a_xywh[:, None, 2:], b_xywh[None, :, :2] + b_xywh[None, :, 2:])
    return np.asarray(np.clip(high - low, 0, None).prod(2), np.float32)


def ious(a_xywh: Floats, b_xywh: Floats) -> Floats:
    """Intersection over union (N, M) of boxes (N, 4) and (M, 4), in [0, 1]."""
    common = intersections(a_xywh, b_xywh)
    union = areas(a_xywh)[:, None] + areas(b_xywh)[None, :] - common
    return np.asarray(np.divide(common, union, out=np.zeros_like(common), where=union > 0), np.float32)

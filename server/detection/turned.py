"""Turns images and detections by multiples of 90°, anticlockwise. Pure."""

import numpy as np

from .anchors import Detections
from .blazeface import Pixels


def turned_image(image: Pixels, quarters: int) -> Pixels:
    """The image uint8 (H, W, 3) turned by ``quarters`` times 90°, contiguous in memory."""
    return np.ascontiguousarray(np.rot90(image, quarters))


def turned_back(found: Detections, quarters: int, size_wh: tuple[int, int]) -> Detections:
    """Converts detections in an image turned by ``quarters`` to the original image of ``size_wh``.

    Boxes stay upright rectangles. Landmarks keep their order, so the eyes show how the face is turned.
    """
    boxes, landmarks = found.boxes_xywh, found.landmarks_xy
    x, y, width, height = (boxes[:, column] for column in range(4))
    image_width, image_height = size_wh
    if quarters == 1:
        turned = (image_width - y - height, x, height, width)
        points = (image_width - landmarks[..., 1], landmarks[..., 0])
    elif quarters == 2:
        turned = (image_width - x - width, image_height - y - height, width, height)
        points = (image_width - landmarks[..., 0], image_height - landmarks[..., 1])
    elif quarters == 3:
        turned = (y, image_height - x - width, height, width)
        points = (landmarks[..., 1], image_height - landmarks[..., 0])
    else:
        raise ValueError(f"expected 1, 2 or 3 quarters of a turn, got {quarters}")
    return Detections(np.stack(turned, axis=1), found.scores, np.stack(points, axis=-1))

"""Square views of an image at another scale. Pure."""

from dataclasses import dataclass

import cv2
import numpy as np

from ..imaging.crop import RawBoxXywh
from .anchors import Detections
from .blazeface import Pixels


@dataclass(frozen=True)
class View:
    """A square part of an image at another scale: uint8 (S, S, 3) RGB, black outside the image.

    ``scale`` is its pixels per image pixel; ``corner_xy`` is its top left corner in image pixels.
    """

    pixels: Pixels
    scale: float
    corner_xy: tuple[int, int]

    def in_picture(self, found: Detections) -> Detections:
        """Converts detections from pixels of this view to image pixels."""
        return found.placed(self.scale, 0, 0).placed(1, *self.corner_xy)


def view(picture: Pixels, box_xywh: RawBoxXywh, face_part: float, side_px: int) -> View:
    """The square around a face, scaled to ``side_px``; the face's longer side is ``face_part`` of that."""
    x, y, width, height = box_xywh
    side = max(1, round(max(width, height) / face_part))
    left, top = round(x + width / 2 - side / 2), round(y + height / 2 - side / 2)
    region = np.ascontiguousarray(
        picture[max(0, top) : max(0, top + side), max(0, left) : max(0, left + side)]
    )
    scale = side_px / side
    if not region.size:  # the box is entirely outside
        return View(np.zeros((side_px, side_px, 3), np.uint8), scale, (left, top))
    small = resized(region, (max(1, round(region.shape[1] * scale)), max(1, round(region.shape[0] * scale))))
    # Columns and rows of the square that are outside the image.
    offset_xy = (round(max(0, -left) * scale), round(max(0, -top) * scale))
    return View(padded(small, side_px, offset_xy), scale, (left, top))


def resized(picture: Pixels, size_wh: tuple[int, int]) -> Pixels:
    """The image uint8 (H, W, 3) in another size."""
    height, width, _ = picture.shape
    if (width, height) == size_wh:
        return picture
    # Area averaging shrinks without aliasing, but enlarges in blocks.
    shrinks = size_wh[0] < width
    return np.asarray(
        cv2.resize(picture, size_wh, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR), np.uint8
    )


def padded(picture: Pixels, side: int, offset_xy: tuple[int, int] = (0, 0)) -> Pixels:
    """A black square with the image at ``offset_xy``; what does not fit is cut off."""
    if picture.shape[:2] == (side, side):
        return picture
    square = np.zeros((side, side, 3), np.uint8)
    x, y = offset_xy
    room = square[y : y + picture.shape[0], x : x + picture.shape[1]]
    room[:] = picture[: room.shape[0], : room.shape[1]]
    return square

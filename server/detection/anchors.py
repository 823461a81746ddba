"""Decodes the raw outputs of BlazeFace (Bazarevsky et al., arXiv 1907.05047). Pure: arrays in, arrays out.

The network predicts one logit and 16 offsets in input pixels for each of its fixed anchors: the centre of the
box relative to the anchor's (dx, dy), the box's width and height, then x and y of six landmarks relative to
the anchor's centre.
The anchors are those of MediaPipe's graphs ``face_detection_short_range`` and ``face_detection_full_range``.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..imaging.boxes import Floats
from ..imaging.crop import RawBoxXywh

OFFSETS_PER_ANCHOR = 16

#: Names of the landmarks, in order; right and left are the person's own.
LANDMARKS = ("right_eye", "left_eye", "nose_tip", "mouth", "right_ear", "left_ear")


@dataclass(frozen=True)
class Grid:
    """Anchors at the centres of square cells, one or more in each."""

    stride_px: int
    anchors_per_cell: int


@dataclass(frozen=True)
class BlazeFaceSpec:
    """The facts about a model file that its use needs.

    ``input_px`` is the side of its square input, ``grids`` are in the order of its outputs, and
    ``smallest_face_px`` is the smallest face in that input that it finds reliably (measured; see
    docs/images.md).
    """

    file_name: str
    input_px: int
    grids: tuple[Grid, ...]
    smallest_face_px: int

    @property
    def anchors(self) -> int:
        """The number of anchors."""
        return sum((self.input_px // grid.stride_px) ** 2 * grid.anchors_per_cell for grid in self.grids)


FULL_RANGE = BlazeFaceSpec("face_detection_full_range.tflite", 192, (Grid(4, 1),), smallest_face_px=16)
# MediaPipe lists strides 8, 16, 16, 16 with two anchors each; layers of one stride share their cells.
SHORT_RANGE = BlazeFaceSpec(
    "face_detection_short_range.tflite", 128, (Grid(8, 2), Grid(16, 6)), smallest_face_px=20
)


@dataclass(frozen=True)
class Detections:
    """N boxes (N, 4), each x, y, width, height, their scores (N,) in [0, 1], and their landmarks (N, 6, 2).

    Landmarks are x and y in the boxes' coordinates, in the order of ``LANDMARKS``.
    """

    boxes_xywh: Floats
    scores: Floats
    landmarks_xy: Floats

    def __len__(self) -> int:
        return len(self.scores)

    def __getitem__(self, chosen: npt.NDArray[np.bool_] | npt.NDArray[np.intp] | slice) -> "Detections":
        return Detections(self.boxes_xywh[chosen], self.scores[chosen], self.landmarks_xy[chosen])

    def placed(self, scale: float, x: float, y: float) -> "Detections":
        """The same in other coordinates: moved by (x, y), then divided by ``scale``."""
        boxes = (self.boxes_xywh + np.array([x, y, 0, 0], np.float32)) / np.float32(scale)
        landmarks = (self.landmarks_xy + np.array([x, y], np.float32)) / np.float32(scale)
        return Detections(boxes, self.scores, landmarks)

    def first(self, number: int) -> "Detections":
        """At most the first ``number``."""
        return self[:number]

    def boxes(self) -> list[RawBoxXywh]:
        """Every box as a tuple of floats; boxes may reach outside the image."""
        return [(x, y, width, height) for x, y, width, height in self.boxes_xywh.tolist()]

    @staticmethod
    def none() -> "Detections":
        landmarks = np.empty((0, len(LANDMARKS), 2), np.float32)
        return Detections(np.empty((0, 4), np.float32), np.empty(0, np.float32), landmarks)

    @staticmethod
    def joined(parts: list["Detections"]) -> "Detections":
        if not parts:
            return Detections.none()
        return Detections(
            np.concatenate([part.boxes_xywh for part in parts]),
            np.concatenate([part.scores for part in parts]),
            np.concatenate([part.landmarks_xy for part in parts]),
        )


def anchor_centres(spec: BlazeFaceSpec) -> Floats:
    """Centres (A, 2) of all anchors, x and y in input pixels, in the order of the model's outputs."""
    parts = []
    for grid in spec.grids:
        middles = (np.arange(spec.input_px // grid.stride_px) + 0.5) * grid.stride_px
        y, x = np.meshgrid(middles, middles, indexing="ij")
        cells = np.stack([x.ravel(), y.ravel()], axis=1)  # (cells, 2), row by row
        parts.append(np.repeat(cells, grid.anchors_per_cell, axis=0))
    return np.concatenate(parts).astype(np.float32)


def decode(logits: Floats, offsets: Floats, centres: Floats, min_score: float) -> Detections:
    """Boxes and landmarks in input pixels of the anchors whose score reaches ``min_score``, in (0, 1).

    ``logits`` are (A,), ``offsets`` (A, 16), ``centres`` (A, 2). Raises ValueError if the lengths differ.
    """
    anchors = len(centres)
    if logits.shape != (anchors,) or offsets.shape != (anchors, OFFSETS_PER_ANCHOR):
        raise ValueError(f"expected {anchors} anchors, got logits {logits.shape}, offsets {offsets.shape}")
    # A box without area is no face. Comparing logits saves 2304 exponentials a forward pass.
    chosen = (logits >= np.log(min_score / (1 - min_score))) & (offsets[:, 2:4] > 0).all(1)
    size_wh = offsets[chosen, 2:4]
    corner_xy = centres[chosen] + offsets[chosen, :2] - size_wh / 2
    scores = 1 / (1 + np.exp(-logits[chosen]))
    landmarks_xy = centres[chosen, None] + offsets[chosen, 4:].reshape(-1, len(LANDMARKS), 2)
    return Detections(np.hstack([corner_xy, size_wh]), scores.astype(np.float32), landmarks_xy)

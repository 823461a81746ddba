"""Which face is whose from frame to frame. No I/O; time is passed in.

A plain tracker by overlap, for clients that leave detection to the server; the dashboard tracks by itself,
with a frame rate that allows more.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..imaging.boxes import ious
from ..imaging.crop import RawBoxXywh

#: A face unseen for longer is forgotten, in seconds.
MAX_GAP_S = 1.0

#: A face of the frame before is looked for even where that was longer ago, in seconds: slow clients.
MAX_PAUSE_S = 5.0

#: Two boxes that overlap by less (intersection over union) are not one face, unless they are near.
MIN_IOU = 0.2

#: Largest distance of the centres, in multiples of the mean side, where boxes hardly overlap: fast movement.
MAX_DISTANCE = 0.8


@dataclass(frozen=True)
class _Track:
    face_id: int
    box_xywh: RawBoxXywh
    seen_at: float
    frame: int


class FaceTracker:
    """One session's faces. Numbers count from 1 and are never given twice."""

    def __init__(self) -> None:
        self._tracks: list[_Track] = []
        self._next_id = 1
        self._frame = 0

    def update(self, boxes_xywh: Sequence[RawBoxXywh], now: float) -> list[int]:
        """The ids of one frame's faces, in their order. ``now`` is in seconds of a monotonic clock."""
        self._tracks = [track for track in self._tracks if now - track.seen_at <= self._patience(track)]
        self._frame += 1
        ids: list[int | None] = [None] * len(boxes_xywh)
        for place, box in self._pairs(boxes_xywh):
            track = replace(self._tracks[place], box_xywh=boxes_xywh[box], seen_at=now, frame=self._frame)
            self._tracks[place] = track
            ids[box] = track.face_id
        return [
            self._new(boxes_xywh[box], now) if face_id is None else face_id for box, face_id in enumerate(ids)
        ]

    def _patience(self, track: _Track) -> float:
        return MAX_PAUSE_S if track.frame == self._frame else MAX_GAP_S

    def _new(self, box_xywh: RawBoxXywh, now: float) -> int:
        face_id = self._next_id
        self._next_id += 1
        self._tracks.append(_Track(face_id, box_xywh, now, self._frame))
        return face_id

    def _pairs(self, boxes_xywh: Sequence[RawBoxXywh]) -> list[tuple[int, int]]:
        """(track, box) that belong together: best overlap first, then, of what is left, nearest first."""
        if not self._tracks or not boxes_xywh:
            return []
        tracks = np.array([track.box_xywh for track in self._tracks], np.float32)
        boxes = np.array(boxes_xywh, np.float32)
        overlap = ious(tracks, boxes)
        gap = np.hypot(
            *np.moveaxis(
                (tracks[:, None, :2] + tracks[:, None, 2:] / 2)
                - (boxes[None, :, :2] + boxes[None, :, 2:] / 2),
                2,
                0,
            )
        )
        mean_side = (tracks[:, None, 2:].sum(2) + boxes[None, :, 2:].sum(2)) / 4
        # Near boxes rank behind all overlapping ones: their fit is negative.
        fit = np.where(overlap >= MIN_IOU, overlap, -gap / np.maximum(mean_side, 1e-6))
        pairs: list[tuple[int, int]] = []
        for flat in np.argsort(-fit, axis=None, kind="stable"):
            track, box = (int(index) for index in np.unravel_index(flat, fit.shape))
            if fit[track, box] < -MAX_DISTANCE:
                break
            if all(track != other_track and box != other_box for other_track, other_box in pairs):
                pairs.append((track, box))
        return pairs

"""Finds every face in a video's frames, fast enough for two cores.

A forward pass of the detector's network takes about 3 ms, and finding faces of 24 px in a frame of 1280 × 720
takes 26 of them and more: 0.1 s for each 33 ms of video. From one frame to the next, however, faces hardly
move and seldom appear. Therefore the detector works in three ways:

========  ==============================================  =======================  ==========================
what      when                                            passes at 720p           finds
========  ==============================================  =======================  ==========================
scan      every second; when a face was lost              26, and second looks     all from ``min_face_px`` up
glance    five times a second                             2, and second looks      new faces from about 110 px
follow    every frame                                     1 for four known faces,  known faces where expected
                                                          2 for each covered one
========  ==============================================  =======================  ==========================

With two faces that is 2.4 passes a frame at 30 frames a second. A new small face is found within a second, a
large one within 0.2 s.
"""

from collections.abc import Sequence

import numpy as np

from ..imaging.crop import RawBoxXywh
from .anchors import Detections
from .blazeface import Pixels
from .detector import FaceDetector, largest_first
from .mosaic import look_again

#: Seconds of the video from one scan to the next.
SCAN_INTERVAL_S = 1.0

#: The same after a face was lost. It is not 0, or a face near the threshold would cost a scan each frame.
LOST_SCAN_INTERVAL_S = 0.4

#: Seconds of the video from one glance to the next.
GLANCE_INTERVAL_S = 0.2

#: Default of the smallest face in a video, as a fraction of the frame's shorter side: 24 px at 720p. It keeps
#: a scan at 26 passes at any resolution.
_MIN_FACE_PART = 1 / 30


class VideoDetector:
    """Finds one video's faces, frame by frame. Use it from one thread at a time.

    ``min_face_px`` is the smallest face to look for. The default is the detector's own or 1/30 of the frame's
    shorter side, whichever is larger.
    """

    def __init__(self, detector: FaceDetector, min_face_px: int | None = None) -> None:
        self._detector = detector
        self._min_face_px = min_face_px
        self._has_lost = False
        self._scanned_at = -np.inf
        self._glanced_at = -np.inf

    def detect(
        self, picture: Pixels, time_s: float, max_faces: int, known_xywh: Sequence[RawBoxXywh]
    ) -> Detections:
        """At most ``max_faces`` faces of the next frame, uint8 (H, W, 3) RGB, largest first.

        ``time_s`` is the frame's time in the video; if it goes back, the frame is scanned. ``known_xywh`` are
        the boxes where known faces are expected. They include faces lost within ``LOST_SCAN_INTERVAL_S``,
        since a face has often only turned away.
        """
        since_scan = time_s - self._scanned_at
        patience = LOST_SCAN_INTERVAL_S if self._has_lost else SCAN_INTERVAL_S
        if since_scan < 0 or since_scan >= patience:
            return self._scan(picture, time_s, max_faces)
        found = look_again(self._detector.network, picture, known_xywh)
        found = [
            face if len(face) else self._detector.verified(picture, box)
            for face, box in zip(found, known_xywh, strict=True)
        ]
        if any(not len(face) for face in found):
            self._has_lost = True
            if since_scan >= LOST_SCAN_INTERVAL_S:
                return self._scan(picture, time_s, max_faces)
        if time_s - self._glanced_at >= GLANCE_INTERVAL_S:
            self._glanced_at = time_s
            at = [face.boxes()[0] if len(face) else box for face, box in zip(found, known_xywh, strict=True)]
            found += self._detector.glance(picture, at)
        return largest_first(Detections.joined(found)).first(max_faces)

    def _scan(self, picture: Pixels, time_s: float, max_faces: int) -> Detections:
        self._scanned_at = self._glanced_at = time_s
        self._has_lost = False
        shorter = min(picture.shape[:2])
        smallest = self._min_face_px or max(self._detector.min_face_px, round(shorter * _MIN_FACE_PART))
        return self._detector.detect(picture, max_faces, smallest)

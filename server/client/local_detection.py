"""Finding faces on this machine, so that only their crops leave it. OpenVINO and OpenCV are imported late."""

import logging
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ..exceptions import DetectorError, MissingExtraError
from ..extras import needed_for
from ..sources import Frame

if TYPE_CHECKING:
    from ..detection.anchors import Detections
    from ..detection.detector import FaceDetector

logger = logging.getLogger(__name__)

#: Where faces are found: on this machine, on the server, or not at all, since every image is a face's crop.
#: "auto" is on this machine if its detector can be loaded, and else on the server.
Detect = Literal["auto", "local", "server", "none"]


def load_detector(
    detect: Detect, faces_dir: Path | None = None, min_face_px: int = 24
) -> "FaceDetector | None":
    """The detector of this machine, or None where faces are not found here.

    ``faces_dir`` None: the package's own. Raises MissingExtraError and DetectorError, with "local" only.
    """
    if detect not in ("auto", "local"):
        return None
    try:
        with needed_for("finding faces on this machine"):
            if find_spec("openvino") is None:  # imported by way of emostream.process, without its telemetry
                raise ModuleNotFoundError(name="openvino")
            from ..detection.detector import FaceDetector
            from ..detection.model_files import MODELS_DIR
        return FaceDetector.load(faces_dir or MODELS_DIR, min_face_px)
    except (MissingExtraError, DetectorError) as error:
        if detect == "local":
            raise
        logger.info("faces are found on the server: %s", error)
        return None


class LocalDetection:
    """The faces of one source's frames, in their order. Used by one thread at a time."""

    def __init__(self, detector: "FaceDetector", max_faces: int) -> None:
        from ..detection.video import VideoDetector
        from ..tracking.tracker import FaceTracker

        self._detector = detector
        # From frame to frame of a video its faces hardly move, and need no whole search.
        self._video = VideoDetector(detector)
        self._tracker = FaceTracker()
        self._max_faces = max_faces

    def find(self, frame: Frame) -> "tuple[list[int], Detections]":
        """The faces' ids, and where they are, largest first."""
        if frame.name is not None:  # images are no video: the same place is not the same person
            found = self._detector.detect(frame.image_rgb, self._max_faces)
            return list(range(1, len(found) + 1)), found
        found = self._video.detect(frame.image_rgb, frame.time_s, self._max_faces)
        return self._tracker.update(found.boxes(), frame.time_s), found

"""Local face detection, so that only crops leave this machine. Imports OpenVINO and OpenCV late."""

import logging
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ..exceptions import DetectorError, MissingExtraError
from ..extras import needed_for
from ..sources import Frame

if TYPE_CHECKING:
    from ..analysis.video import FoundFrame
    from ..detection.detector import FaceDetector

logger = logging.getLogger(__name__)

#: Where faces are detected: on this machine, on the server, or nowhere (every image is a face's crop).
#: "auto" is this machine if its detector can be loaded, otherwise the server.
Detect = Literal["auto", "local", "server", "none"]

#: Side of a crop in pixels, as the dashboard sends them.
CROP_PX = 224


def load_detector(
    detect: Detect, faces_dir: Path | None = None, min_face_px: int = 24
) -> "FaceDetector | None":
    """Loads the local detector; None if faces are not detected on this machine.

    ``faces_dir`` None: the package's files. With "local", raises MissingExtraError or DetectorError.
    """
    if detect not in ("auto", "local"):
        return None
    try:
        with needed_for("detecting faces on this machine"):
            if find_spec("openvino") is None:  # through emostream.process, which turns its telemetry off
                raise ModuleNotFoundError(name="openvino")
            from ..detection.detector import FaceDetector
            from ..detection.model_files import MODELS_DIR
        return FaceDetector.load(faces_dir or MODELS_DIR, min_face_px)
    except (MissingExtraError, DetectorError) as error:
        if detect == "local":
            raise
        logger.info("the server detects the faces: %s", error)
        return None


class LocalSearch:
    """Detects and crops the faces of one source, frame by frame. Used by one thread at a time."""

    def __init__(self, detector: "FaceDetector", max_faces: int) -> None:
        from ..analysis.finder import FaceFinder
        from ..analysis.video import AnalysisOptions, FrameSearch

        finder, options = FaceFinder(detector, (CROP_PX,)), AnalysisOptions(max_faces)
        self._video = FrameSearch(finder, options)
        self._images = FrameSearch(finder, options, is_still=True)

    def find(self, frame: Frame) -> "FoundFrame":
        """The faces' ids, boxes, scores, and crops uint8 (CROP_PX, CROP_PX, 3) RGB, largest first."""
        # Images (which have names) are no video: the same position may be another person.
        return (self._video if frame.name is None else self._images).find(frame)

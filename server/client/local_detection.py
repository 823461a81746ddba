"""Finding faces on this machine, so that only their crops leave it. OpenVINO and OpenCV are imported late."""

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

#: Where faces are found: on this machine, on the server, or not at all, since every image is a face's crop.
#: "auto" is on this machine if its detector can be loaded, and else on the server.
Detect = Literal["auto", "local", "server", "none"]

#: Side of a crop in pixels, as the dashboard sends them.
CROP_PX = 224


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


class LocalSearch:
    """The crops of one source's faces, frame after frame. Used by one thread at a time."""

    def __init__(self, detector: "FaceDetector", max_faces: int) -> None:
        from ..analysis.finder import FaceFinder
        from ..analysis.video import AnalysisOptions, FrameSearch

        finder, options = FaceFinder(detector, (CROP_PX,)), AnalysisOptions(max_faces)
        self._video = FrameSearch(finder, options)
        self._images = FrameSearch(finder, options, is_still=True)

    def find(self, frame: Frame) -> "FoundFrame":
        """The faces' ids, boxes, scores, and crops uint8 (CROP_PX, CROP_PX, 3) RGB, largest first."""
        # Images, which have names, are no video: the same place is not the same person.
        return (self._video if frame.name is None else self._images).find(frame)

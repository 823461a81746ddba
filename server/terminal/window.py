"""The same in a window of its own, where this OpenCV can open one."""

import time

import cv2
import numpy as np

from ..detection.detector import FaceDetector
from ..exceptions import SourceError
from ..inference import Recognizer
from ..sources import Source
from .session import snapshot
from .watch import Watch, WatchOptions

_TITLE = "Emostream: q quits"


def check_windows() -> None:
    """Raises SourceError where OpenCV was built without windows, as the one that is installed usually is."""
    gui = next((line for line in cv2.getBuildInformation().splitlines() if "GUI:" in line), "")
    if "NONE" in gui or not hasattr(cv2, "imshow"):
        raise SourceError(
            "--window: this OpenCV cannot open windows; install opencv-python in place of "
            "opencv-python-headless, or leave --window out"
        )


def show_in_window(
    source: Source, detector: FaceDetector, recognizer: Recognizer, options: WatchOptions
) -> None:
    """Until ``q`` is pressed or the window is closed. Raises SourceError."""
    check_windows()
    try:
        cv2.namedWindow(_TITLE, cv2.WINDOW_NORMAL)
    except cv2.error as error:
        raise SourceError(f"--window: {error.err}; is there a display?") from error
    with Watch(source, detector, recognizer, options, lambda: None) as watch:
        shown = None
        while watch.error is None and cv2.getWindowProperty(_TITLE, cv2.WND_PROP_VISIBLE) >= 1:
            if watch.newest is not None and watch.newest is not shown:
                shown = watch.newest
                picture = np.asarray(snapshot(shown, recognizer.labels))
                cv2.imshow(_TITLE, cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
            # A window's events are handled in here: this loop is the window's, there is nothing to wait on.
            if cv2.waitKey(15) & 0xFF == ord("q"):
                break
            time.sleep(0)
    cv2.destroyAllWindows()
    if watch.error is not None:
        raise watch.error

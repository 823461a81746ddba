"""Cameras of this machine, through OpenCV."""

import time
from collections.abc import Iterator

import cv2
import numpy as np
from cv2.utils import logging as cv2_logging

from ..exceptions import SourceError
from .source import Frame, Source


class CameraSource(Source):
    """A camera by its index or its device's path. A video file's path works too."""

    is_live = True

    def __init__(self, device: int | str) -> None:
        """Raises SourceError if there is no such camera, or it gives no image."""
        self._device = device
        # OpenCV logs many lines about every back end that it tries.
        level = cv2_logging.getLogLevel()
        cv2_logging.setLogLevel(cv2_logging.LOG_LEVEL_SILENT)
        try:
            self._capture = cv2.VideoCapture(device)
        finally:
            cv2_logging.setLogLevel(level)
        if not self._capture.isOpened():
            path = f"/dev/video{device}" if isinstance(device, int) else device
            raise SourceError(
                f"camera {device} cannot be opened: is it plugged in, is it free, and may "
                f"you read {path} (on Linux: group video)? "
                "`v4l2-ctl --list-devices` lists the cameras"
            )
        # Old frames are useless. Not every back end supports this.
        self._capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        width, height, rate = (
            self._capture.get(name)
            for name in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT, cv2.CAP_PROP_FPS)
        )
        self.frame_rate = rate if rate > 0 else None
        self.description = f"camera {device} ({width:.0f} × {height:.0f})"
        self._opened = time.monotonic()

    def __iter__(self) -> Iterator[Frame]:
        index = 0
        while True:
            is_read, image_bgr = self._capture.read()
            if not is_read:
                break
            image_rgb = np.asarray(cv2.cvtColor(image_bgr, cv2.COLOR_BGR2RGB), np.uint8)
            yield Frame(index, time.monotonic() - self._opened, image_rgb, None)
            index += 1
        if isinstance(self._device, int) or self._device.startswith("/dev/"):
            raise SourceError(f"camera {self._device} gives no more images; was it unplugged?")

    def close(self) -> None:
        self._capture.release()

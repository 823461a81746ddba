"""The real detector's network, with a count of how often it is asked."""

from emostream.detection.anchors import BlazeFaceSpec, Detections
from emostream.detection.blazeface import Pixels
from emostream.detection.detector import FaceDetector


class CountingNetwork:
    def __init__(self, detector: FaceDetector) -> None:
        self._network = detector.network
        self.spec: BlazeFaceSpec = self._network.spec
        self.passes = 0

    def __call__(self, tile: Pixels, min_score: float) -> Detections:
        self.passes += 1
        return self._network(tile, min_score)

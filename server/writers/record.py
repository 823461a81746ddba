"""One face of one frame, as files have it."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class FaceRecord:
    """``box`` is [x, y, width, height] in pixels of the upright frame, ``score`` the detector's in [0, 1].

    ``predictions`` sum to 1, ``confidence`` is the largest of them. ``source`` is a picture's file name.
    """

    frame: int
    time_s: float
    source: str | None
    face_id: int
    box: tuple[int, int, int, int]
    score: float | None
    emotion: str
    confidence: float
    predictions: dict[str, float]

    def nested(self) -> dict[str, object]:
        """As JSON has it."""
        return {
            "frame": self.frame,
            "time_s": round(self.time_s, 6),
            "source": self.source,
            "face_id": self.face_id,
            "box": list(self.box),
            "score": self.score,
            "emotion": self.emotion,
            "confidence": self.confidence,
            "predictions": self.predictions,
        }

    def flat(self, labels: Sequence[str]) -> dict[str, object]:
        """As tables have it: a column for each side of the box, and ``p_<label>`` for each label."""
        x, y, width, height = self.box
        row: dict[str, object] = {
            "frame": self.frame,
            "time_s": round(self.time_s, 6),
            "source": self.source,
            "face_id": self.face_id,
            "box_x": x,
            "box_y": y,
            "box_width": width,
            "box_height": height,
            "score": self.score,
            "emotion": self.emotion,
            "confidence": self.confidence,
        }
        row.update((f"p_{label}", self.predictions[label]) for label in labels)
        return row


def columns(labels: Sequence[str]) -> tuple[str, ...]:
    """The names of a table's columns, in order."""
    empty = FaceRecord(0, 0.0, None, 0, (0, 0, 0, 0), None, "", 0.0, dict.fromkeys(labels, 0.0))
    return tuple(empty.flat(labels))

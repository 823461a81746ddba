"""Collects the figures of a report frame by frame. No I/O."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from ..analysis.pipeline import AnalyzedFrame
from ..faces import BoxXywh, Face, reason_words
from ..imaging.crop import crop_square
from ..sources.inputs import InputFile

Floats = npt.NDArray[np.float32]

#: Side of a face's thumbnail, in pixels: sharp at half that size on any screen.
THUMBNAIL_PX = 144

#: Longest gap within a continuous stretch of a face, in seconds.
MAX_PAUSE_S = 1.0


@dataclass
class FaceSummary:
    """One face of one file: its times and predictions. Times are in seconds."""

    face_id: int
    times_s: list[float] = field(default_factory=list)
    rows: list[Floats] = field(default_factory=list)
    thumbnail_rgb: npt.NDArray[np.uint8] | None = None
    #: Number of uncertain frames, and of each reason.
    uncertain: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    _largest_px: int = 0

    def add(self, face: Face, time_s: float, image_rgb: npt.NDArray[np.uint8]) -> None:
        self.times_s.append(time_s)
        self.rows.append(np.array(list(face.probabilities.values()), np.float32))
        self.uncertain += face.uncertain
        self.reasons.update(face.reasons)
        if face.box_xywh is not None and min(face.box_xywh[2:]) > 1.2 * self._largest_px:
            self._largest_px = min(face.box_xywh[2:])
            self.thumbnail_rgb = _thumbnail(image_rgb, face.box_xywh)

    @property
    def probabilities(self) -> Floats:
        """(T, C), one row for each of ``times_s``."""
        return np.stack(self.rows)

    @property
    def shares(self) -> Floats:
        """(C,): the share of its frames in which each label was the most likely; sums to 1."""
        likeliest = self.probabilities.argmax(axis=1)
        counts = np.bincount(likeliest, minlength=self.rows[0].size)
        return np.asarray(counts / counts.sum(), np.float32)

    @property
    def doubt(self) -> str:
        """A sentence if it was ever uncertain: "uncertain in 40 % of its frames, mostly too small"."""
        if not self.uncertain:
            return ""
        why = f" {reason_words(self.reasons.most_common(1)[0][0])}" if self.reasons else ""
        if len(self.times_s) == 1:
            return f"unsure:{why}" if why else "unsure"
        part = max(1, round(100 * self.uncertain / len(self.times_s)))
        return f"uncertain in {part} % of its frames" + (f", mostly{why}" if why else "")

    def seen_s(self, frame_s: float) -> float:
        """How long it was visible, without gaps; ``frame_s`` is the duration of its last frame."""
        steps = np.diff(self.times_s)
        return float(steps[steps <= MAX_PAUSE_S].sum()) + frame_s


@dataclass
class FileSummary:
    """One image or video. ``frames`` counts the analysed ones."""

    file: InputFile
    size_wh: tuple[int, int]
    frames: int = 0
    frames_with_faces: int = 0
    first_s: float = 0.0
    last_s: float = 0.0
    faces: dict[int, FaceSummary] = field(default_factory=dict)

    def add(self, analyzed: AnalyzedFrame) -> None:
        frame = analyzed.input.frame
        if not self.frames:
            self.first_s = frame.time_s
        self.last_s = max(self.last_s, frame.time_s)
        self.frames += 1
        self.frames_with_faces += bool(analyzed.faces)
        for face in analyzed.faces:
            face_id = face.face_id or 0
            summary = self.faces.setdefault(face_id, FaceSummary(face_id))
            summary.add(face, frame.time_s, frame.image_rgb)

    @property
    def frame_s(self) -> float:
        """The mean time from one analysed frame to the next; 0 for an image."""
        return (self.last_s - self.first_s) / (self.frames - 1) if self.frames > 1 else 0.0

    @property
    def duration_s(self) -> float:
        """The time from the first frame's start to the last one's end."""
        return self.last_s - self.first_s + self.frame_s

    @property
    def longest_first(self) -> list[FaceSummary]:
        """Its faces, those with most frames first."""
        return sorted(self.faces.values(), key=lambda face: (-len(face.times_s), face.face_id))

    def shares(self, classes: int) -> Floats:
        """(C,): like each face's, over the frames of all faces; zeros without a face."""
        total = np.zeros(classes, np.float32)
        for face in self.faces.values():
            total += face.shares * len(face.times_s)
        return total / max(1.0, float(total.sum()))


class Summary:
    """All files, in order."""

    def __init__(self, labels: Sequence[str]) -> None:
        self.labels = tuple(labels)
        self.files: list[FileSummary] = []
        self.failures: list[tuple[Path, str]] = []

    def add(self, analyzed: AnalyzedFrame) -> None:
        """Counts an analysed frame."""
        file = analyzed.input.file
        if not self.files or self.files[-1].file.index != file.index:
            self.files.append(FileSummary(file, analyzed.faces.size_wh))
        self.files[-1].add(analyzed)

    def add_failure(self, path: Path, reason: str) -> None:
        self.failures.append((path, reason))


def _thumbnail(image_rgb: npt.NDArray[np.uint8], box_xywh: BoxXywh) -> npt.NDArray[np.uint8]:
    size_wh = (image_rgb.shape[1], image_rgb.shape[0])
    x, y, side, _ = (int(value) for value in crop_square(box_xywh, size_wh))
    part = image_rgb[y : y + max(1, side), x : x + max(1, side)]
    shrinks = side > THUMBNAIL_PX
    size_wh = (THUMBNAIL_PX, THUMBNAIL_PX)
    return np.asarray(
        cv2.resize(part, size_wh, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC), np.uint8
    )

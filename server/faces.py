"""What one face is, for the stream, HTTP, files, drawings and notebooks alike."""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, Literal, get_args, overload

import numpy as np
import numpy.typing as npt

from .extras import needed_for

if TYPE_CHECKING:  # optional, or slow to import
    import pandas as pd
    import supervision as sv
    from PIL import Image

#: x, y, width, height in whole pixels, inside the image.
BoxXywh = tuple[int, int, int, int]

#: Decimal places of scores and probabilities, wherever a face is shown, sent or written.
DECIMALS = 4


#: Why an answer may be wrong: what is wrong with the picture of the face, or "ambiguous", where the
#: probabilities do not decide. docs/quality.md has the rule.
Reason = Literal["small", "blurred", "dark", "turned", "cut_off", "covered", "ambiguous"]
REASONS: tuple[Reason, ...] = get_args(Reason)

_REASON_WORDS = {
    "small": "too small",
    "dark": "too dark",
    "turned": "turned away",
    "cut_off": "cut off",
    "ambiguous": "not clear",
}


def reason_words(reason: str) -> str:
    """A reason for people, also one of a later version."""
    return _REASON_WORDS.get(reason, reason.replace("_", " "))


@dataclass(frozen=True)
class Quality:
    """How well a face can be seen. What is not known is None; docs/quality.md has each value's error.

    ``sharpness``, from 0, does not depend on size, light and contrast. ``brightness`` is the mean luma of the
    face, in [0, 1]. ``size_px`` is the longer side of the face's box in pixels of the image it was found in.
    ``roll_deg``, ``yaw_deg`` and ``pitch_deg`` are 0 for a face that looks straight into the camera:
    roll is positive where the head is turned clockwise as the image shows it, yaw where it looks to the
    image's right, pitch where it looks up. ``visible`` is the part of its box inside of the image, in [0, 1].
    """

    sharpness: float
    brightness: float
    size_px: float | None = None
    roll_deg: float | None = None
    yaw_deg: float | None = None
    pitch_deg: float | None = None
    visible: float | None = None

    def to_dict(self) -> dict[str, float | None]:
        """As JSON has it."""
        return {name: getattr(self, name) for name in QUALITY_COLUMNS}


QUALITY_COLUMNS = tuple(part.name for part in fields(Quality))


@dataclass(frozen=True)
class Face:
    """One face of one image or video frame.

    ``box_xywh`` is (x, y, width, height) in pixels of the upright image, inside of it; None where the image
    was a face crop already. ``probabilities`` has a value in [0, 1] for each label, in the model's order;
    they sum to 1 (within 1e-3). ``score`` in [0, 1] is the detector's, None where nothing was detected.
    ``face_id`` follows a face through a video or stream; in a still image faces are numbered from 1, largest
    first. ``quality`` is None where nothing was measured. ``uncertain`` says that the emotion should not be
    believed, ``reasons`` why: of ``REASONS``, or of those that a newer server knows."""

    box_xywh: BoxXywh | None
    probabilities: dict[str, float]
    score: float | None = None
    face_id: int | None = None
    quality: Quality | None = None
    uncertain: bool = False
    reasons: tuple[str, ...] = ()
    #: The most likely label; of equals the first in the model's order.
    emotion: str = field(init=False)
    #: Probability of ``emotion``, in [0, 1].
    confidence: float = field(init=False)

    def __post_init__(self) -> None:
        emotion = max(self.probabilities, key=self.probabilities.__getitem__)
        object.__setattr__(self, "emotion", emotion)
        object.__setattr__(self, "confidence", self.probabilities[emotion])

    @classmethod
    def from_row(
        cls,
        labels: Sequence[str],
        row: npt.NDArray[np.float32],
        box_xywh: BoxXywh | None = None,
        score: float | None = None,
        face_id: int | None = None,
        quality: Quality | None = None,
        reasons: tuple[Reason, ...] = (),
    ) -> "Face":
        """A face with the probabilities (C,) of ``labels``; scores and probabilities are rounded here."""
        probabilities = {
            label: round(float(value), DECIMALS) for label, value in zip(labels, row, strict=True)
        }
        rounded = None if score is None else round(score, DECIMALS)
        return cls(box_xywh, probabilities, rounded, face_id, quality, bool(reasons), reasons)

    @property
    def runner_up(self) -> str | None:
        """The next likely label after ``emotion``; None for a model of one label."""
        others = [label for label in self.probabilities if label != self.emotion]
        return max(others, key=self.probabilities.__getitem__, default=None)

    @property
    def why(self) -> str:
        """The reasons for people: "too small, blurred"; empty where the face is certain."""
        return ", ".join(map(reason_words, self.reasons))

    @property
    def guess(self) -> str:
        """The two likeliest labels, for people: "happiness or fear"."""
        return self.emotion if self.runner_up is None else f"{self.emotion} or {self.runner_up}"

    @property
    def text(self) -> str:
        """For people: "happiness 93 %", or "unsure (too dark): happiness or fear"."""
        if self.uncertain:
            return f"unsure ({self.why}): {self.guess}" if self.why else f"unsure: {self.guess}"
        return f"{self.emotion} {round(100 * self.confidence)} %"

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it: face_id, box, score, emotion, confidence, predictions, quality, uncertain,
        reasons."""
        return {
            "face_id": self.face_id,
            "box": None if self.box_xywh is None else list(self.box_xywh),
            "score": self.score,
            "emotion": self.emotion,
            "confidence": self.confidence,
            "predictions": dict(self.probabilities),
            "quality": None if self.quality is None else self.quality.to_dict(),
            "uncertain": self.uncertain,
            "reasons": list(self.reasons),
        }


@dataclass(frozen=True, repr=False)
class Faces(Sequence[Face]):
    """The faces of one image or frame, largest first: a sequence of ``Face``.

    ``size_wh`` is the upright image's size in pixels, ``labels`` are the model's, in its order. ``source`` is
    the file that the image came from, ``frame_index`` and ``time_s`` are the frame's place in its video, from
    0 and in seconds. ``image_rgb`` is the image itself, uint8 (H, W, 3) RGB; None where it was not kept."""

    faces: tuple[Face, ...]
    size_wh: tuple[int, int]
    labels: tuple[str, ...]
    source: str | None = None
    frame_index: int = 0
    time_s: float = 0.0
    image_rgb: npt.NDArray[np.uint8] | None = field(default=None, compare=False)

    @overload
    def __getitem__(self, index: int) -> Face: ...
    @overload
    def __getitem__(self, index: slice) -> "Faces": ...
    def __getitem__(self, index: int | slice) -> "Face | Faces":
        if isinstance(index, slice):
            return replace(self, faces=self.faces[index])
        return self.faces[index]

    def __len__(self) -> int:
        return len(self.faces)

    def __iter__(self) -> Iterator[Face]:
        return iter(self.faces)

    def __repr__(self) -> str:
        found = ", ".join(face.text for face in self.faces) or "no face"
        return f"<Faces: {found}{f' in {self.source}' if self.source else ''}>"

    def _repr_jpeg_(self) -> bytes | None:
        """A notebook shows the image with its boxes; without an image it shows the text above."""
        if self.image_rgb is None:
            return None
        buffer = io.BytesIO()
        self.draw().save(buffer, "JPEG", quality=90)
        return buffer.getvalue()

    def to_dicts(self) -> list[dict[str, Any]]:
        """One dictionary a face, as JSON lines have it: frame, time_s, source, then ``Face.to_dict``."""
        frame = {"frame": self.frame_index, "time_s": round(self.time_s, 6), "source": self.source}
        return [frame | face.to_dict() for face in self.faces]

    def to_rows(self) -> list[dict[str, Any]]:
        """One flat dictionary a face, as tables have it; ``columns`` has the keys."""
        rows = []
        for nested in self.to_dicts():
            box, predictions = nested.pop("box"), nested.pop("predictions")
            sides = dict(zip(_BOX_COLUMNS, box or (None,) * 4, strict=True))
            shares = {f"p_{label}": value for label, value in predictions.items()}
            quality = nested.pop("quality") or dict.fromkeys(QUALITY_COLUMNS)
            # Of words without a space in them.
            row = nested | sides | shares | quality | {"reasons": " ".join(nested["reasons"])}
            rows.append({name: row[name] for name in columns(self.labels)})
        return rows

    def to_pandas(self) -> "pd.DataFrame":
        """One row a face, in the columns of the CSV files. Raises MissingExtraError without pandas."""
        with needed_for("to_pandas"):
            import pandas as pd

        return pd.DataFrame(self.to_rows(), columns=list(columns(self.labels)))

    def to_supervision(self) -> "sv.Detections":
        """The same for roboflow's supervision. Faces without a box are left out.

        ``confidence`` is the emotion's, ``class_id`` its place among ``labels``, ``tracker_id`` the face's
        id; ``data`` has "class_name", "score", the detector's, and "uncertain". Raises MissingExtraError
        without supervision.
        """
        with needed_for("to_supervision"):
            import supervision as sv

        faces = [face for face in self.faces if face.box_xywh is not None]
        boxes = np.array([face.box_xywh for face in faces], np.float32).reshape(-1, 4)
        ids = [face.face_id for face in faces]
        return sv.Detections(
            xyxy=np.hstack([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]]),
            confidence=np.array([face.confidence for face in faces], np.float32),
            class_id=np.array([self.labels.index(face.emotion) for face in faces], int),
            tracker_id=None if None in ids else np.array(ids, int),
            data={
                "class_name": np.array([face.emotion for face in faces], dtype=str),
                "score": np.array([face.score for face in faces], float),
                "uncertain": np.array([face.uncertain for face in faces], bool),
            },
        )

    def draw(self, bars: bool = True) -> "Image.Image":
        """A copy of the image with every face's box and label, and bars of its probabilities where there is
        room. Raises ValueError where the image was not kept."""
        from PIL import Image

        from .annotation import Annotator

        if self.image_rgb is None:
            raise ValueError("the image was not kept with its faces; draw needs it")
        pixels = np.array(self.image_rgb)
        Annotator(self.size_wh, self.labels).draw(pixels, self.faces, bars)
        return Image.fromarray(pixels)


_BOX_COLUMNS = ("box_x", "box_y", "box_width", "box_height")


def columns(labels: Sequence[str]) -> tuple[str, ...]:
    """The columns of a table of faces: a row a face, ``p_<label>`` for each label."""
    first = ("frame", "time_s", "source", "face_id", *_BOX_COLUMNS, "score", "emotion", "confidence")
    return (*first, *(f"p_{label}" for label in labels), *QUALITY_COLUMNS, "uncertain", "reasons")

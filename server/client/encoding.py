"""Encodes frames as messages, and converts the server's boxes back to the frame's pixels."""

import io
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
from PIL import Image

from ..faces import DECIMALS, BoxXywh, Face, Faces, Quality
from ..imaging.crop import clipped
from ..protocol import wire
from ..sources import Frame
from .local_detection import LocalSearch
from .results import SessionInfo

_CROP_QUALITY = 90
_IMAGE_QUALITY = 92

#: Most bytes of a message's header.
_HEADER_ROOM = wire.MAX_HEADER_BYTES + 4


@dataclass(frozen=True)
class EncodedFrame(Frame):
    """A frame that is an encoded file already, so that it need not be encoded again."""

    file: bytes


@dataclass(frozen=True)
class Encoded:
    """A frame and its message, which is None if there is nothing to send (no face).

    ``scale`` is the factor by which the image was shrunk; ``scores`` are the detector's, by face id.
    """

    frame: Frame
    message: bytes | None
    labels: tuple[str, ...]
    scale: float = 1.0
    scores: dict[int, float] = field(default_factory=dict)

    def faces(self, found: Sequence[wire.FaceResult] = ()) -> Faces:
        """The server's faces, with boxes in pixels of the frame."""
        frame = self.frame
        height, width, _ = frame.image_rgb.shape
        faces = tuple(
            Face(
                box_xywh=self._box(face.box, (width, height)),
                probabilities=face.predictions,
                score=self.scores.get(face.face_id, face.score),
                face_id=face.face_id,
                quality=None if face.quality is None else self._quality(face.quality),
                uncertain=face.uncertain or False,
                reasons=tuple(face.reasons or ()),
            )
            for face in found
        )
        return Faces(
            faces, (width, height), self.labels, frame.name, frame.index, frame.time_s, frame.image_rgb
        )

    def _quality(self, quality: wire.FaceQuality) -> Quality:
        size_px = None if quality.size_px is None else round(quality.size_px / self.scale, 1)
        return Quality(**quality.model_dump() | {"size_px": size_px})

    def _box(self, box: Sequence[float] | None, size_wh: tuple[int, int]) -> BoxXywh | None:
        if box is None:
            return None
        x, y, width, height = (value / self.scale for value in box)
        return clipped((x, y, width, height), size_wh)


class Encoder:
    """Encodes the frames of one source, in their order. Used by one thread at a time."""

    def __init__(self, info: SessionInfo, search: LocalSearch | None, is_whole: bool = False) -> None:
        """Without ``search``, a frame is sent unchanged: as a crop or, with ``is_whole``, for detection."""
        self._info = info
        self._search = search
        self._is_whole = is_whole

    def encode(self, frame_id: int, frame: Frame) -> Encoded:
        """The message of a frame, within the server's limits."""
        if self._search is not None:
            return self._crops(frame_id, frame, self._search)
        data, scale = self._image(frame)
        # An image for detection has no face yet; a crop is face 1.
        crop = wire.FaceCrop(0 if self._is_whole else 1, data)
        message = wire.encode_envelope(
            wire.Frame(frame_id, (crop,), detect=self._is_whole, is_still=_is_still(frame))
        )
        return Encoded(frame, message, self._info.labels, scale)

    def _crops(self, frame_id: int, frame: Frame, search: LocalSearch) -> Encoded:
        here = search.find(frame)
        if not here.face_ids:
            return Encoded(frame, None, self._info.labels)
        found = here.found
        crops = tuple(
            wire.FaceCrop(
                face_id,
                encode_crop(crop),
                _rounded(box),
                [_rounded(point) for point in landmarks],
                round(turn, 1),
            )
            for face_id, box, landmarks, turn, (crop,) in zip(
                here.face_ids,
                found.raw_boxes_xywh,
                found.landmarks_xy.tolist(),
                found.turns_deg,
                found.crops,
                strict=True,
            )
        )
        scores = {
            face_id: round(score, DECIMALS)
            for face_id, score in zip(here.face_ids, found.scores, strict=True)
        }
        sent = wire.Frame(frame_id, crops, size_wh=found.size_wh, is_still=_is_still(frame))
        message = wire.encode_envelope(sent)
        # With many faces the header may be too long; then it has no landmarks.
        if not wire.is_envelope(message):
            bare = tuple(replace(crop, landmarks=None, turn_deg=0.0) for crop in crops)
            message = wire.encode_envelope(replace(sent, faces=bare))
        return Encoded(frame, message, self._info.labels, scores=scores)

    def _image(self, frame: Frame) -> tuple[bytes, float]:
        """The image encoded within the server's limits, and the factor by which it was shrunk."""
        limits = self._info.limits
        height, width, _ = frame.image_rgb.shape
        room = limits.max_message_bytes - _HEADER_ROOM
        is_small = width * height <= limits.max_pixels
        if isinstance(frame, EncodedFrame) and is_small and len(frame.file) <= room:
            return frame.file, 1.0
        image = Image.fromarray(frame.image_rgb)
        scale = 1.0 if is_small else (limits.max_pixels / (width * height)) ** 0.5
        while True:
            size = (max(1, int(width * scale)), max(1, int(height * scale)))
            data = _jpeg(image if scale == 1.0 else image.resize(size), _IMAGE_QUALITY)
            if len(data) <= room or max(size) == 1:
                return data, size[0] / width
            scale *= 0.8


def _rounded(pixels: Sequence[float]) -> list[float]:
    """Rounds to a tenth of a pixel, which is finer than the detector's accuracy."""
    return [round(value, 1) for value in pixels]


def _is_still(frame: Frame) -> bool:
    """Images (which have names) are no video: the same position in two of them may be two persons."""
    return frame.name is not None


def encode_crop(crop_rgb: npt.NDArray[np.uint8]) -> bytes:
    """A face's crop as JPEG, as the dashboard sends it."""
    return _jpeg(Image.fromarray(crop_rgb), _CROP_QUALITY)


def _jpeg(image: Image.Image, quality: int) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()

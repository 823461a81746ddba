"""From a frame to the message that carries it, and from the server's faces back to the frame's pixels."""

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from PIL import Image

from ..analysis.finder import inside
from ..detection.detector import Detection, FaceDetector
from ..detection.video import VideoDetector
from ..exceptions import ClientError
from ..imaging.crop import cut
from ..protocol import wire
from ..sources import Frame
from ..tracking.tracker import FaceTracker
from .results import BoxXywh, FaceResult

#: Where faces are found: here, on the server, or not at all, since every picture is a face's crop.
Detect = Literal["local", "server", "none"]

#: Side of a crop in pixels, as the dashboard sends them.
_CROP_PX = 224
_CROP_QUALITY = 90
_PICTURE_QUALITY = 92

#: What a header takes at most, of a message's bytes.
_HEADER_ROOM = wire.MAX_HEADER_BYTES + 4


@dataclass(frozen=True)
class EncodedFrame(Frame):
    """A frame that came as a file, which needs not be made again."""

    file: bytes


@dataclass(frozen=True)
class Encoded:
    """A frame's message, or None where there is nothing to send: no face.

    ``scale`` is what the picture was shrunk by, and ``scores`` the detector's, by face.
    """

    message: bytes | None
    scale: float = 1.0
    scores: dict[int, float] = field(default_factory=dict)

    def faces(self, found: Sequence[wire.FaceResult]) -> tuple[FaceResult, ...]:
        """The server's faces, with boxes in pixels of the frame."""
        return tuple(
            FaceResult(
                face_id=face.face_id,
                emotion=face.emotion,
                confidence=face.confidence,
                predictions=face.predictions,
                box_xywh=self._box(face.box),
                score=self.scores.get(face.face_id, face.score),
            )
            for face in found
        )

    def _box(self, box: Sequence[float] | None) -> BoxXywh | None:
        if box is None:
            return None
        x, y, width, height = (value / self.scale for value in box)
        return (x, y, width, height)


class Encoder:
    """Encodes the frames of one source, in their order. Used by one thread at a time."""

    def __init__(self, detect: Detect, detector: FaceDetector | None, max_faces: int, limits: wire.Limits):
        """``detector`` is for detection here, and needed then."""
        if detect == "local" and detector is None:
            raise ClientError("detection on this side needs a detector")
        self._detect = detect
        self._detector = detector
        # Of a film only: from frame to frame its faces hardly move, and need no whole search.
        self._video = VideoDetector(detector) if detector else None
        self._max_faces = max_faces
        self._limits = limits
        self._tracker = FaceTracker()

    def encode(self, frame_id: int, frame: Frame) -> Encoded:
        """The message of a frame, within the server's limits."""
        if self._detect == "local":
            return self._crops(frame_id, frame)
        data, scale = self._picture(frame)
        is_whole = self._detect == "server"
        # A picture that is looked through carries no face yet; one that is a crop is face 1.
        faces = (wire.Face(0 if is_whole else 1, data),)
        return Encoded(wire.encode_envelope(wire.Frame(frame_id, faces, detect=is_whole)), scale)

    def _crops(self, frame_id: int, frame: Frame) -> Encoded:
        assert self._detector is not None
        assert self._video is not None
        if frame.name is None:
            found = self._video.detect(frame.image_rgb, frame.time_s, self._max_faces)
        else:
            found = self._detector.detect(frame.image_rgb, self._max_faces)
        if not found:
            return Encoded(None)
        picture = Image.fromarray(frame.image_rgb)
        faces = tuple(
            wire.Face(face_id, crop, list(inside(face, picture.size)))
            for face_id, crop, face in zip(
                self._ids(found, frame), encoded_crops(picture, found), found, strict=True
            )
        )
        scores = {face.face_id: round(found.score, 4) for face, found in zip(faces, found, strict=True)}
        return Encoded(wire.encode_envelope(wire.Frame(frame_id, faces)), scores=scores)

    def _ids(self, found: Sequence[Detection], frame: Frame) -> list[int]:
        if frame.name is not None:  # pictures are not a film: the same place is not the same person
            return list(range(1, len(found) + 1))
        return self._tracker.update([face.box_xywh for face in found], frame.time_s)

    def _picture(self, frame: Frame) -> tuple[bytes, float]:
        """A file within the server's limits, and by how much the picture had to be shrunk."""
        height, width, _ = frame.image_rgb.shape
        room = self._limits.max_message_bytes - _HEADER_ROOM
        is_small = width * height <= self._limits.max_pixels
        if isinstance(frame, EncodedFrame) and is_small and len(frame.file) <= room:
            return frame.file, 1.0
        picture = Image.fromarray(frame.image_rgb)
        scale = 1.0 if is_small else (self._limits.max_pixels / (width * height)) ** 0.5
        while True:
            size = (max(1, int(width * scale)), max(1, int(height * scale)))
            data = _jpeg(picture if scale == 1.0 else picture.resize(size), _PICTURE_QUALITY)
            if len(data) <= room or max(size) == 1:
                return data, size[0] / width
            scale *= 0.8


def encoded_crops(picture: Image.Image, found: Sequence[Detection]) -> list[bytes]:
    """The faces' crops as JPEGs, as the dashboard sends them."""
    crops = (cut(picture, face.box_xywh, (_CROP_PX,)) for face in found)
    return [_jpeg(Image.fromarray(pixels), _CROP_QUALITY) for (pixels,) in crops]


def _jpeg(picture: Image.Image, quality: int) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()

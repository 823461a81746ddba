"""One session's policy: what is accepted, what is answered, and when it ends. No I/O; time is passed in."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from ..analysis.finder import FoundFace
from ..exceptions import ProtocolError
from ..protocol.wire import (
    CloseReason,
    Dropped,
    Error,
    Face,
    FaceResult,
    Frame,
    FrameCounts,
    Limits,
    ModelFacts,
    Result,
    SessionClose,
    SessionClosed,
    SessionConfig,
    SessionCreated,
    SessionUpdated,
    Timing,
    is_envelope,
    parse_envelope,
    parse_message,
)
from ..tracking.smoothing import Smoother
from ..tracking.tracker import FaceTracker

#: A session whose frames cannot be computed this often in a row ends: something is wrong with more than them.
MAX_INTERNAL_ERRORS = 5


class RateLimiter:
    """A token bucket that holds one second's frames: bursts are fine, a stream that is faster is not."""

    def __init__(self, per_second: float) -> None:
        self._per_second = per_second
        self._tokens = per_second
        self._last: float | None = None

    def allows(self, now: float) -> bool:
        """Whether one more frame may come at ``now``, in seconds of a monotonic clock; counts it if so."""
        if self._last is not None:
            self._tokens = min(self._per_second, self._tokens + (now - self._last) * self._per_second)
        self._last = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


class StreamSession:
    """Configuration, counts, smoothing and limits of one client's session."""

    def __init__(
        self, session_id: str, model: ModelFacts, limits: Limits, why_no_detection: str | None = None
    ) -> None:
        """``why_no_detection`` says why the server cannot find faces, where it can't."""
        self.session_id = session_id
        self.model = model
        self.limits = limits
        self.config = SessionConfig(max_faces=min(SessionConfig().max_faces, limits.max_faces))
        self._rate = RateLimiter(limits.max_frames_per_second)
        self._why_no_detection = why_no_detection
        self._smoother = Smoother()
        self._tracker = FaceTracker()
        self._found_smoother = Smoother()  # the tracker's numbers are not the client's
        self._bare_images = 0
        self._received = self._answered = self._dropped = 0
        self._internal_errors_in_row = 0

    def created(self) -> SessionCreated:
        """The first message to the client."""
        return SessionCreated(
            session_id=self.session_id, model=self.model, config=self.config, limits=self.limits
        )

    def closed(self, reason: CloseReason) -> SessionClosed:
        """The last message to the client."""
        counts = FrameCounts(received=self._received, answered=self._answered, dropped=self._dropped)
        return SessionClosed(reason=reason, frames=counts)

    @property
    def has_failed(self) -> bool:
        """Whether so many frames in a row could not be computed that the session should end."""
        return self._internal_errors_in_row >= MAX_INTERNAL_ERRORS

    def receive_text(self, text: str) -> SessionUpdated | SessionClose:
        """Handles a text message: the answer to an update, or the client's wish to close.

        Raises ProtocolError with code ``invalid_message``; the configuration is then as it was.
        """
        message = parse_message(text)
        if isinstance(message, SessionClose):
            return message
        change = message.config.model_dump(exclude_none=True)
        if change.get("max_faces", 0) > self.limits.max_faces:
            raise ProtocolError(
                "invalid_message", f"config.max_faces: Input should be at most {self.limits.max_faces}"
            )
        self.config = self.config.model_copy(update=change)
        return SessionUpdated(config=self.config)

    def receive_frame(self, data: bytes, now: float) -> Frame:
        """Reads a binary message that came at ``now``, in seconds of a monotonic clock.

        Raises ProtocolError with code ``invalid_frame``, ``too_many_faces`` or ``rate_limited``.
        """
        self._received += 1
        if is_envelope(data):
            frame = parse_envelope(data)
        else:
            frame = Frame(self._bare_images, (Face(0, data),))
            self._bare_images += 1
        if len(frame.faces) > self.limits.max_faces:
            raise ProtocolError(
                "too_many_faces",
                f"the frame has {len(frame.faces)} faces; at most {self.limits.max_faces} are accepted",
                frame.frame_id,
            )
        if frame.detect and self._why_no_detection is not None:
            raise ProtocolError("invalid_frame", self._why_no_detection, frame.frame_id)
        if not self._rate.allows(now):
            raise ProtocolError(
                "rate_limited",
                f"more than {self.limits.max_frames_per_second} frames a second",
                frame.frame_id,
            )
        return frame

    def with_faces(self, frame: Frame, found: Sequence[FoundFace], now: float) -> Frame:
        """A frame with ``detect`` with the faces that were found in it, each with its number.

        To be called in the order of the frames; ``now`` is when the frame came, as in ``receive_frame``.
        """
        ids = self._tracker.update([face.box_xywh for face in found], now)
        faces = tuple(
            Face(face_id, b"", list(face.box_xywh), round(face.score, 4))
            for face_id, face in zip(ids, found, strict=True)
        )
        return replace(frame, faces=faces)

    def answer(self, frame: Frame, probabilities: npt.NDArray[np.float32], timing: Timing) -> Result:
        """A frame's result, smoothed as configured. ``probabilities`` is (faces, labels).

        To be called in the order of the frames, since a face's average depends on its past.
        """
        self._answered += 1
        self._internal_errors_in_row = 0
        smoother = self._found_smoother if frame.detect else self._smoother
        faces = [
            self._face_result(face, smoother.smooth(face.face_id, row, self.config.smoothing))
            for face, row in zip(frame.faces, probabilities, strict=True)
        ]
        first = faces[0] if faces else None
        return Result(
            frame_id=frame.frame_id,
            captured_at=frame.captured_at,
            faces=faces,
            predictions=first.predictions if first else None,
            emotion=first.emotion if first else None,
            timing=timing,
        )

    def drop(self, frame: Frame) -> Dropped:
        """The answer to a frame that a newer one superseded."""
        self._dropped += 1
        return Dropped(frame_id=frame.frame_id)

    def refuse(self, error: ProtocolError) -> Error:
        """The answer to a message or frame that cannot be used."""
        if error.code not in ("invalid_message", "message_too_large"):  # these are no frames
            self._answered += 1
        self._internal_errors_in_row = (
            self._internal_errors_in_row + 1 if error.code == "internal_error" else 0
        )
        return Error(
            code=error.code,
            message=str(error),
            frame_id=error.frame_id,
            retryable=error.code in ("rate_limited", "internal_error"),
        )

    def _face_result(self, face: Face, row: npt.NDArray[np.float32]) -> FaceResult:
        best = int(np.argmax(row))
        return FaceResult(
            face_id=face.face_id,
            box=face.box,
            score=face.score,
            emotion=self.model.labels[best],
            confidence=round(float(row[best]), 4),
            predictions={
                label: round(float(value), 4) for label, value in zip(self.model.labels, row, strict=True)
            },
        )

"""One session: what it accepts, how it answers, and when it ends; free of sockets."""

import logging
import time
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from ..analysis.finder import EncodedSearch, FaceFinder, FoundFaces, MissingDetector, RemoteFinder
from ..exceptions import (
    BatcherClosedError,
    EngineHangsError,
    ImageError,
    OverloadedError,
    ProtocolError,
    ReplicaError,
    SupersededError,
)
from ..inference.frame_batcher import FrameLane, Predictions
from ..protocol.wire import (
    CloseReason,
    Dropped,
    Error,
    FaceCrop,
    FaceResult,
    Frame,
    FrameCounts,
    Limits,
    ModelFacts,
    Receipt,
    Result,
    ServerMessage,
    SessionClose,
    SessionClosed,
    SessionConfig,
    SessionCreated,
    SessionReceipt,
    SessionReceiptRequest,
    SessionUpdated,
    Timing,
    is_envelope,
    parse_envelope,
    parse_message,
)
from ..quality.assessment import Assessment, assess, face_of
from ..quality.measures import CropMeasures
from ..tracking.smoothing import Smoother
from ..tracking.tracker import FaceTracker

logger = logging.getLogger(__name__)

#: A session ends after this many failed frames in a row: the frames are not the cause then.
MAX_INTERNAL_ERRORS = 5


class RateLimiter:
    """A token bucket for one second's frames, or ``burst``: allows bursts, limits the rate."""

    def __init__(self, per_second: float, burst: float | None = None) -> None:
        self._per_second = per_second
        self._burst = per_second if burst is None else burst
        self._tokens = self._burst
        self._last: float | None = None

    def allows(self, now: float) -> bool:
        """Whether one more frame is allowed at ``now``, in seconds of a monotonic clock; counts it if so."""
        if self._last is not None:
            self._tokens = min(self._burst, self._tokens + (now - self._last) * self._per_second)
        self._last = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


class StreamSession:
    """One client's session: configuration, limits, counts, tracking, smoothing, and its lane to the
    engine."""

    def __init__(
        self,
        session_id: str,
        model: ModelFacts,
        limits: Limits,
        lane: FrameLane,
        finder: FaceFinder | RemoteFinder | MissingDetector,
        clock: Callable[[], float] = time.monotonic,
        takes_corrections: bool = False,
    ) -> None:
        self.session_id = session_id
        self._takes_corrections = takes_corrections
        self.model = model
        self.limits = limits
        self.config = SessionConfig(max_faces=min(SessionConfig().max_faces, limits.max_faces))
        self._lane = lane
        self._finder = finder
        self._clock = clock
        self._labels = tuple(model.labels)
        self._rate = RateLimiter(limits.max_frames_per_second)
        self._smoother = Smoother()
        self._tracker = FaceTracker()
        self._found_smoother = Smoother()  # the tracker's ids are not the client's
        self._bare_images = 0
        self._received = self._answered = self._dropped = 0
        self._started_at = time.time()
        self._bytes_received = self._images_kept = 0
        self._internal_errors_in_row = 0

    def close(self) -> None:
        """Drops the frames in flight."""
        self._lane.close()

    def created(self) -> SessionCreated:
        """The first message to the client."""
        return SessionCreated(
            session_id=self.session_id,
            model=self.model,
            config=self.config,
            limits=self.limits,
            corrections=True if self._takes_corrections else None,
        )

    def closed(self, reason: CloseReason) -> SessionClosed:
        """The last message to the client."""
        counts = FrameCounts(received=self._received, answered=self._answered, dropped=self._dropped)
        return SessionClosed(reason=reason, frames=counts, receipt=self._receipt())

    def count_bytes(self, size: int) -> None:
        """Counts a received message, whatever its outcome."""
        self._bytes_received += size

    def count_kept_image(self) -> None:
        """Counts an image of the session that was written to disk."""
        self._images_kept += 1

    def _receipt(self) -> Receipt:
        return Receipt(
            session_id=self.session_id,
            started_at=round(self._started_at * 1000),
            at=round(time.time() * 1000),
            bytes_received=self._bytes_received,
            frames_received=self._received,
            images_kept=self._images_kept,
        )

    @property
    def has_failed(self) -> bool:
        """Whether so many frames in a row have failed that the session should end."""
        return self._internal_errors_in_row >= MAX_INTERNAL_ERRORS

    def receive_text(self, text: str) -> SessionUpdated | SessionReceipt | SessionClose:
        """Handles a text message: the answer to an update, a receipt, or the client's wish to close.

        Raises ProtocolError with code ``invalid_message``; the configuration then does not change.
        """
        message = parse_message(text)
        if isinstance(message, SessionClose):
            return message
        if isinstance(message, SessionReceiptRequest):
            return SessionReceipt(**self._receipt().model_dump())
        change = message.config.model_dump(exclude_none=True)
        if change.get("max_faces", 0) > self.limits.max_faces:
            raise ProtocolError(
                "invalid_message", f"config.max_faces: Input should be at most {self.limits.max_faces}"
            )
        self.config = self.config.model_copy(update=change)
        return SessionUpdated(config=self.config)

    def receive_frame(self, data: bytes, now: float) -> Frame:
        """Reads a binary message that arrived at ``now``, in seconds of a monotonic clock.

        Raises ProtocolError with code ``invalid_frame``, ``too_many_faces`` or ``rate_limited``.
        """
        if not is_envelope(data):
            return self.receive_image(data, now)
        self._received += 1
        return self._admitted(parse_envelope(data), now)

    def receive_image(self, data: bytes, now: float) -> Frame:
        """Accepts an image file with one face. Raises ProtocolError with code ``rate_limited``."""
        self._received += 1
        frame = Frame(self._bare_images, (FaceCrop(0, data),))
        self._bare_images += 1
        return self._admitted(frame, now)

    def _admitted(self, frame: Frame, now: float) -> Frame:
        if len(frame.faces) > self.limits.max_faces:
            raise ProtocolError(
                "too_many_faces",
                f"the frame has {len(frame.faces)} faces; at most {self.limits.max_faces} are accepted",
                frame.frame_id,
            )
        if frame.detect and isinstance(self._finder, MissingDetector):
            raise ProtocolError("invalid_frame", self._finder.reason, frame.frame_id)
        if not self._rate.allows(now):
            raise ProtocolError(
                "rate_limited",
                f"more than {self.limits.max_frames_per_second} frames a second",
                frame.frame_id,
            )
        return frame

    async def answer(self, frame: Frame, arrived: float) -> ServerMessage:
        """The one message that answers a frame: its result, or why there is none. Raises nothing.

        ``arrived`` is as in ``receive_frame``. Frames of one session are answered in their order.
        """
        try:
            if frame.detect:
                faces, predictions = await self._find_and_recognize(frame, arrived)
            else:
                predictions = await self._lane.recognize([crop.image for crop in frame.faces])
                faces = self._crops_results(frame, predictions)
        except SupersededError:
            return self.drop(frame)
        except ImageError as error:
            # Names the face if there are several.
            message = f"face {frame.faces[error.index].face_id}: {error}" if frame.faces[1:] else str(error)
            return self.refuse(ProtocolError(error.code, message, frame.frame_id))
        except (EngineHangsError, BatcherClosedError, OverloadedError, ReplicaError) as error:
            return self.refuse(ProtocolError("internal_error", str(error), frame.frame_id))
        except Exception:
            # The only place where a failure becomes an answer, for this frame only.
            logger.exception("frame %d of session %s failed", frame.frame_id, self.session_id)
            message = "this frame could not be computed"
            return self.refuse(ProtocolError("internal_error", message, frame.frame_id))
        self._answered += 1
        self._internal_errors_in_row = 0
        first = faces[0] if faces else None
        return Result(
            frame_id=frame.frame_id,
            captured_at=frame.captured_at,
            faces=faces,
            predictions=first.predictions if first else None,
            emotion=first.emotion if first else None,
            timing=Timing(
                queue_ms=round(predictions.queue_ms, 2),
                inference_ms=round(predictions.inference_ms, 2),
                total_ms=round((self._clock() - arrived) * 1000, 2),
                batch_size=predictions.batch_size,
            ),
        )

    def _crops_results(self, frame: Frame, predictions: Predictions) -> list[FaceResult]:
        """Of crops that the client cut; their boxes are echoed."""
        results = []
        measures = predictions.measures or (None,) * len(frame.faces)
        for crop, row, seen in zip(frame.faces, predictions.probabilities, measures, strict=True):
            smoothed = (
                row if frame.is_still else self._smoother.smooth(crop.face_id, row, self.config.smoothing)
            )
            face = face_of(self._labels, smoothed, assess_crop(frame, crop, seen), face_id=crop.face_id)
            results.append(FaceResult(**face.to_dict() | {"box": crop.box}))
        return results

    async def _find_and_recognize(self, frame: Frame, arrived: float) -> tuple[list[FaceResult], Predictions]:
        """Of the faces that the server finds in the whole image of a frame with ``detect``."""
        assert not isinstance(self._finder, MissingDetector)  # such frames were refused as they came
        search = EncodedSearch(
            self._finder,
            frame.faces[0].image,
            self.limits.max_pixels,
            self.config.max_faces,
            are_followed=not frame.is_still,
        )
        found, predictions = await self._lane.recognize_prepared(search)
        if frame.is_still:
            ids = range(1, len(found.boxes_xywh) + 1)
            faces = found.recognized(self._labels, predictions.probabilities, ids)
            return [FaceResult(**face.to_dict()) for face in faces], predictions
        return self._found_results(found, predictions.probabilities, arrived), predictions

    def _found_results(
        self, found: FoundFaces, probabilities: npt.NDArray[np.float32], arrived: float
    ) -> list[FaceResult]:
        ids = self._tracker.update(found.raw_boxes_xywh, found.appearances, arrived)
        rows = [
            self._found_smoother.smooth(face_id, row, self.config.smoothing)
            for face_id, row in zip(ids, probabilities, strict=True)
        ]
        faces = found.recognized(self._labels, np.array(rows, np.float32), ids)
        return [FaceResult(**face.to_dict()) for face in faces]

    def drop(self, frame: Frame) -> Dropped:
        """The answer to a frame that a newer one superseded."""
        self._dropped += 1
        return Dropped(frame_id=frame.frame_id)

    def refuse(self, error: ProtocolError) -> Error:
        """The answer to an invalid message or frame."""
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


def assess_crop(frame: Frame, crop: FaceCrop, measures: CropMeasures | None) -> Assessment | None:
    """How well a face can be seen of which a client has sent the crop, its box and its landmarks."""
    if measures is None:
        return None
    try:
        box = None if crop.box is None else [float(value) for value in crop.box]
    except OverflowError:  # JSON's integers know no end
        box = None
    return assess(measures, box, frame.size_wh, crop.landmarks, crop.turn_deg)

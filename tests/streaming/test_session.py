import json
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from emostream.analysis.finder import FaceFinder, FoundFaces, MissingDetector
from emostream.detection.detector import FaceDetector
from emostream.exceptions import ErrorCode, InvalidImageError, ProtocolError, SupersededError
from emostream.inference.frame_batcher import Predictions
from emostream.protocol.wire import (
    Dropped,
    Error,
    Frame,
    Limits,
    ModelFacts,
    Result,
    SessionClose,
    SessionConfig,
    SessionReceipt,
    SessionUpdated,
    encode_message,
)
from emostream.quality.assessment import assess
from emostream.quality.measures import CropMeasures
from emostream.streaming.session import MAX_INTERNAL_ERRORS, RateLimiter, StreamSession

from tests.support import LABELS, envelope, frame, jpeg

#: Never asked: the fake lane says what was found.
FINDER = FaceFinder(FaceDetector.__new__(FaceDetector), (48,))


class FakeLane:
    """Gives back what the test has put in: probabilities, found faces, or an error to raise."""

    def __init__(self) -> None:
        self.probabilities = np.empty((0, len(LABELS)), np.float32)
        self.found: FoundFaces | None = None
        self.error: Exception | None = None
        self.images: list[bytes] = []
        self.is_closed = False

    async def recognize(self, images: Sequence[bytes]) -> Predictions:
        self.images = list(images)
        if self.error is not None:
            raise self.error
        return Predictions(self.probabilities, queue_ms=1.234, inference_ms=2.345, batch_size=3)

    async def recognize_prepared(self, prepare: Any) -> Any:
        if self.error is not None:
            raise self.error
        return self.found, await self.recognize([])

    def close(self) -> None:
        self.is_closed = True


class Opened(StreamSession):
    """A session with its fake lane at hand."""

    def __init__(self, *args: Any) -> None:
        self.lane = FakeLane()
        *values, finder = args
        super().__init__(*values, self.lane, finder, clock=lambda: 0.25)


def open_session(finder: FaceFinder | MissingDetector = FINDER, **limits: int) -> Opened:
    values = {
        "max_message_bytes": 10_000,
        "max_pixels": 10_000,
        "max_faces": 4,
        "max_frames_per_second": 1000,
    } | limits
    return Opened("id", ModelFacts(name="m", labels=list(LABELS)), Limits(**values), finder)


async def answered(session: Opened, frame: Frame, probabilities: np.ndarray, arrived: float = 0.0) -> Result:
    session.lane.probabilities = probabilities
    result = await session.answer(frame, arrived)
    assert isinstance(result, Result)
    return result


def certain_of(*labels: str) -> np.ndarray:
    """One row a face, each certain of a label."""
    return np.array([[float(label == other) for other in LABELS] for label in labels], np.float32)


def refusal(session: StreamSession, data: bytes, now: float = 0.0) -> ProtocolError:
    with pytest.raises(ProtocolError) as caught:
        session.receive_frame(data, now)
    return caught.value


def read(session: StreamSession, *args: object) -> Frame:
    return session.receive_frame(frame(1, *[b"x"] * (args[0] if args else 1)), 0.0)  # type: ignore[operator]


# The first message


def test_the_first_message_says_what_answers_and_what_is_accepted() -> None:
    content = json.loads(encode_message(open_session(max_faces=32).created()))

    assert content == {
        "type": "session.created",
        "protocol": 1,
        "session_id": "id",
        "model": {"name": "m", "labels": list(LABELS)},
        "config": {"smoothing": 0.0, "max_faces": 8},
        "limits": {
            "max_message_bytes": 10_000,
            "max_pixels": 10_000,
            "max_faces": 32,
            "max_frames_per_second": 1000,
        },
    }


def test_the_default_configuration_is_within_the_limits() -> None:
    assert open_session(max_faces=4).config.max_faces == 4


# Configuration


def test_an_update_replaces_the_named_part_only_and_is_answered_with_all() -> None:
    session = open_session()
    session.receive_text('{"type": "session.update", "config": {"max_faces": 3}}')

    answer = session.receive_text('{"type": "session.update", "config": {"smoothing": 0.6}}')

    assert answer == SessionUpdated(config=SessionConfig(smoothing=0.6, max_faces=3))
    assert session.config == SessionConfig(smoothing=0.6, max_faces=3)


def test_an_update_that_names_nothing_changes_nothing() -> None:
    session = open_session()
    before = session.config

    assert session.receive_text('{"type": "session.update", "config": {}}') == SessionUpdated(config=before)


@pytest.mark.parametrize(
    "config", ['{"smoothing": 0.6, "max_faces": 0}', '{"smoothing": 0.6, "max_faces": 5}', '{"smoothing": 1}']
)
def test_an_update_with_any_error_changes_nothing(config: str) -> None:
    session = open_session()
    before = session.config

    with pytest.raises(ProtocolError, match=r"^config\.") as caught:
        session.receive_text('{"type": "session.update", "config": ' + config + "}")

    assert caught.value.code == "invalid_message"
    assert session.config == before


def test_a_wish_to_close_is_handed_on() -> None:
    assert isinstance(open_session().receive_text('{"type": "session.close"}'), SessionClose)


# What is accepted


def test_bare_images_are_one_face_each_and_count_from_0() -> None:
    session = open_session()
    picture = jpeg()

    first, second = (session.receive_frame(picture, 0.0) for _ in range(2))

    assert (first.frame_id, second.frame_id) == (0, 1)
    assert [(face.face_id, face.image) for face in first.faces] == [(0, picture)]


def test_envelopes_do_not_disturb_the_count_of_bare_images() -> None:
    session = open_session()

    session.receive_frame(frame(40, b"x"), 0.0)

    assert session.receive_frame(jpeg(), 0.0).frame_id == 0


def test_a_frame_may_have_as_many_faces_as_the_limit_and_no_more() -> None:
    session = open_session(max_faces=2)

    assert len(session.receive_frame(frame(1, b"x", b"x"), 0.0).faces) == 2
    error = refusal(session, frame(2, b"x", b"x", b"x"))

    assert (error.code, error.frame_id) == ("too_many_faces", 2)


def test_detection_is_refused_with_its_reason_where_the_server_cannot_do_it() -> None:
    session = open_session(MissingDetector("no model files"))

    error = refusal(session, frame(5, b"x", detect=True))

    assert (error.code, error.frame_id, str(error)) == ("invalid_frame", 5, "no model files")
    assert session.receive_frame(frame(6, b"x"), 0.0).frame_id == 6


# Faces that the server has found


def found(*boxes_xywh: tuple[int, int, int, int]) -> FoundFaces:
    raw = tuple((float(x), float(y), float(width), float(height)) for x, y, width, height in boxes_xywh)
    landmarks_xy = np.zeros((len(raw), 6, 2), np.float32)
    assessments = (assess(CropMeasures(sharpness=0.5, brightness=0.5)),) * len(raw)
    return FoundFaces(
        (640, 480),
        boxes_xywh,
        raw,
        (0.75,) * len(raw),
        (),
        (0.0,) * len(raw),
        landmarks_xy,
        assessments,
        ((),) * len(raw),
    )


async def found_and_answered(
    session: Opened, step: int, faces: FoundFaces, probabilities: np.ndarray
) -> Result:
    session.lane.found = faces
    whole = session.receive_frame(frame(step, b"x", detect=True), float(step))
    return await answered(session, whole, probabilities, float(step))


async def test_found_faces_have_a_box_a_score_and_an_id_that_follows_them() -> None:
    session = open_session()
    ids = []
    for step in range(3):
        faces = found((10 * step, 0, 50, 50), (200, 0, 40, 40))
        result = await found_and_answered(session, step, faces, certain_of("fear", "anger"))
        ids.append([face.face_id for face in result.faces])

    assert ids == [[1, 2]] * 3
    assert result.faces[0].box == [20, 0, 50, 50]
    assert result.faces[0].score == 0.75
    assert result.emotion == "fear"


async def test_a_found_face_is_not_averaged_with_a_clients_face_of_the_same_id() -> None:
    session = open_session()
    session.receive_text('{"type": "session.update", "config": {"smoothing": 0.5}}')
    header = {"frame_id": 1, "faces": [{"face_id": 1, "length": 1}]}
    await answered(session, session.receive_frame(envelope(header, b"x"), 0.0), certain_of("anger"))

    result = await found_and_answered(session, 2, found((0, 0, 9, 9)), certain_of("fear"))

    assert result.faces[0].face_id == 1
    assert result.faces[0].confidence == 1.0


async def test_still_images_count_their_faces_from_1_and_have_no_past() -> None:
    """As in files that are analysed without a server."""
    session = open_session()
    session.receive_text('{"type": "session.update", "config": {"smoothing": 0.9}}')
    answers = []
    for step, (label, is_still) in enumerate([("anger", False), ("fear", True), ("sadness", True)]):
        box = (200 * step, 0, 50, 50)
        session.lane.found = found(box)
        whole = session.receive_frame(frame(step, b"x", detect=True, still=is_still), float(step))
        answers.append(await answered(session, whole, certain_of(label), float(step)))
    for step, label in enumerate(("anger", "fear")):
        crop = session.receive_frame(frame(10 + step, b"x", still=True), 5.0)
        answers.append(await answered(session, crop, certain_of(label), 5.0))

    assert [answer.faces[0].face_id for answer in answers] == [1, 1, 1, 0, 0]
    assert [answer.faces[0].confidence for answer in answers] == [1.0] * 5


async def test_a_frame_in_which_no_face_was_found_is_answered_with_nulls() -> None:
    result = await found_and_answered(open_session(), 1, found(), np.empty((0, 7), np.float32))

    assert (result.faces, result.predictions, result.emotion) == ([], None, None)


# Rate


def test_a_burst_of_one_seconds_frames_is_accepted_and_one_more_is_not() -> None:
    limiter = RateLimiter(5)

    assert [limiter.allows(100.0) for _ in range(6)] == [True] * 5 + [False]


def test_a_steady_stream_at_the_limit_is_never_refused() -> None:
    limiter = RateLimiter(8)

    assert all(limiter.allows(step / 8) for step in range(200))


def test_a_stream_twice_as_fast_gets_half_of_its_frames_through() -> None:
    limiter = RateLimiter(8)

    accepted = sum(limiter.allows(step / 16) for step in range(1600))

    assert accepted == pytest.approx(800 + 8, abs=2)


def test_a_pause_saves_up_no_more_than_one_second() -> None:
    limiter = RateLimiter(5)
    limiter.allows(0.0)

    assert sum(limiter.allows(1000.0) for _ in range(20)) == 5


def test_frames_beyond_the_rate_are_refused_with_their_id() -> None:
    session = open_session(max_frames_per_second=2)
    for _ in range(2):
        session.receive_frame(frame(1, b"x"), 0.0)

    error = refusal(session, frame(9, b"x"))

    assert (error.code, error.frame_id) == ("rate_limited", 9)
    assert session.receive_frame(frame(10, b"x"), 0.5).frame_id == 10


def test_only_errors_that_may_pass_are_retryable() -> None:
    codes: list[ErrorCode] = [
        "invalid_frame",
        "invalid_image",
        "image_too_large",
        "too_many_faces",
        "rate_limited",
        "invalid_message",
        "internal_error",
        "message_too_large",
    ]
    session = open_session()

    retryable = {code for code in codes if session.refuse(ProtocolError(code, "…")).retryable}

    assert retryable == {"rate_limited", "internal_error"}


# Answers


async def test_a_result_names_every_label_and_repeats_the_first_face() -> None:
    session = open_session()
    received = session.receive_frame(
        envelope(
            {
                "frame_id": 12,
                "captured_at": 1790000000123.5,
                "faces": [{"face_id": 3, "length": 1, "box": [1, 2, 3, 4]}, {"face_id": 5, "length": 1}],
            },
            b"xy",
        ),
        0.0,
    )

    result = await answered(session, received, certain_of("happiness", "fear"))

    assert (result.frame_id, result.captured_at) == (12, 1790000000123.5)
    assert [(face.face_id, face.box, face.emotion, face.confidence) for face in result.faces] == [
        (3, [1, 2, 3, 4], "happiness", 1.0),
        (5, None, "fear", 1.0),
    ]
    assert list(result.faces[0].predictions) == list(LABELS)
    assert result.predictions == result.faces[0].predictions
    assert result.emotion == "happiness"


async def test_a_result_without_faces_has_no_emotion() -> None:
    session = open_session()

    result = await answered(session, read(session, 0), certain_of())

    assert (result.faces, result.predictions, result.emotion) == ([], None, None)


async def test_rounded_predictions_still_sum_to_1() -> None:
    session = open_session()
    rng = np.random.default_rng(0)
    for _ in range(200):
        probabilities = rng.dirichlet([0.3] * len(LABELS), 1).astype(np.float32)

        face = (await answered(session, read(session), probabilities)).faces[0]

        assert sum(face.predictions.values()) == pytest.approx(1, abs=1e-3)
        assert face.confidence == max(face.predictions.values()) == face.predictions[face.emotion]


async def test_answers_are_smoothed_per_face_as_configured() -> None:
    session = open_session()
    session.receive_text('{"type": "session.update", "config": {"smoothing": 0.6}}')

    await answered(session, read(session, 2), certain_of("anger", "fear"))
    result = await answered(session, read(session, 2), certain_of("sadness", "fear"))

    assert result.faces[0].predictions["anger"] == pytest.approx(0.6)
    assert result.faces[0].predictions["sadness"] == pytest.approx(0.4)
    assert result.faces[0].emotion == result.emotion == "anger"
    assert result.faces[1].predictions["fear"] == pytest.approx(1.0)


async def test_answers_are_not_smoothed_unless_asked_for() -> None:
    session = open_session()

    await answered(session, read(session), certain_of("anger"))

    assert (await answered(session, read(session), certain_of("fear"))).faces[0].predictions["fear"] == 1.0


# Counts


async def test_every_frame_is_counted_once_as_answered_or_dropped() -> None:
    session = open_session(max_faces=1)
    await answered(session, read(session), certain_of("fear"))
    session.drop(read(session))
    session.refuse(refusal(session, frame(1, b"x", b"x")))
    session.refuse(refusal(session, envelope(b"no json")))

    closed = session.closed("client_request")

    encoded = json.loads(encode_message(closed))
    assert encoded.pop("receipt")["frames_received"] == 4
    assert encoded == {
        "type": "session.closed",
        "reason": "client_request",
        "frames": {"received": 4, "answered": 3, "dropped": 1},
    }


def test_a_receipt_says_what_was_sent_and_kept_and_when(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: 1790000000.1234)
    session = open_session()
    monkeypatch.setattr(time, "time", lambda: 1790000012.5)
    session.count_bytes(60)
    read(session)
    session.count_bytes(40)
    session.count_kept_image()

    receipt = session.receive_text('{"type": "session.receipt"}')

    assert isinstance(receipt, SessionReceipt)
    assert receipt.model_dump() == {
        "type": "session.receipt",
        "session_id": "id",
        "started_at": 1790000000123,
        "at": 1790000012500,
        "bytes_received": 100,
        "frames_received": 1,
        "images_kept": 1,
    }
    closed = session.closed("client_request")
    assert closed.receipt is not None
    assert closed.receipt.model_dump() == {k: v for k, v in receipt.model_dump().items() if k != "type"}


def test_refused_text_messages_are_no_frames() -> None:
    session = open_session()

    session.refuse(ProtocolError("invalid_message", "what?"))

    assert session.closed("error").frames.answered == 0


# Frames that cannot be computed


def fail(session: StreamSession, times: int) -> None:
    for _ in range(times):
        session.refuse(ProtocolError("internal_error", "…", read(session).frame_id))


def test_a_session_fails_after_five_frames_in_a_row_that_could_not_be_computed() -> None:
    session = open_session()

    fail(session, MAX_INTERNAL_ERRORS - 1)
    assert not session.has_failed
    fail(session, 1)

    assert MAX_INTERNAL_ERRORS == 5
    assert session.has_failed


async def test_a_frame_that_is_computed_starts_the_row_anew() -> None:
    session = open_session()

    fail(session, MAX_INTERNAL_ERRORS - 1)
    await answered(session, read(session), certain_of("fear"))
    fail(session, MAX_INTERNAL_ERRORS - 1)

    assert not session.has_failed


# What the lane says


async def test_times_come_from_the_lane_and_the_clock_in_hundredths_of_a_ms() -> None:
    session = open_session()

    timing = (await answered(session, read(session), certain_of("fear"), arrived=0.125)).timing

    assert (timing.queue_ms, timing.inference_ms, timing.batch_size) == (1.23, 2.35, 3)
    assert timing.total_ms == 125


async def test_a_frame_that_a_newer_one_superseded_is_dropped_and_counted() -> None:
    session = open_session()
    session.lane.error = SupersededError("newer")

    message = await session.answer(read(session), 0.0)

    assert isinstance(message, Dropped)
    assert session.closed("error").frames.dropped == 1


async def test_an_image_that_cannot_be_used_is_told_with_the_face_that_it_was_of() -> None:
    session = open_session()
    session.lane.error = InvalidImageError("it is broken")
    session.lane.error.index = 1

    message = await session.answer(read(session, 2), 0.0)

    assert isinstance(message, Error)
    assert (message.code, message.message, message.frame_id) == ("invalid_image", "face 1: it is broken", 1)


async def test_any_other_failure_is_this_frames_and_says_nothing_of_itself() -> None:
    session = open_session()
    session.lane.error = ArithmeticError("a secret of the server's")

    message = await session.answer(read(session), 0.0)

    assert isinstance(message, Error)
    assert (message.code, message.retryable) == ("internal_error", True)
    assert "secret" not in message.message


def test_closing_a_session_closes_its_lane() -> None:
    session = open_session()

    session.close()

    assert session.lane.is_closed

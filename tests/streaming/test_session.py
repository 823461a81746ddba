import json

import numpy as np
import pytest
from emostream.analysis.finder import FoundFace
from emostream.exceptions import ErrorCode, ProtocolError
from emostream.protocol.wire import (
    Frame,
    Limits,
    ModelFacts,
    SessionClose,
    SessionConfig,
    SessionUpdated,
    Timing,
    encode_message,
)
from emostream.streaming.session import MAX_INTERNAL_ERRORS, RateLimiter, StreamSession

from tests.support import LABELS, envelope, frame, jpeg

TIMING = Timing(queue_ms=0, inference_ms=0, total_ms=0, batch_size=1)


def open_session(**limits: int) -> StreamSession:
    values = {
        "max_message_bytes": 10_000,
        "max_pixels": 10_000,
        "max_faces": 4,
        "max_frames_per_second": 1000,
    } | limits
    return StreamSession("id", ModelFacts(name="m", labels=list(LABELS)), Limits(**values))


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
    limits = open_session().limits
    session = StreamSession("id", ModelFacts(name="m", labels=list(LABELS)), limits, "no model files")

    error = refusal(session, frame(5, b"x", detect=True))

    assert (error.code, error.frame_id, str(error)) == ("invalid_frame", 5, "no model files")
    assert session.receive_frame(frame(6, b"x"), 0.0).frame_id == 6


# Faces that the server has found


def found(*boxes_xywh: tuple[int, int, int, int]) -> list[FoundFace]:
    return [FoundFace(box, 0.75) for box in boxes_xywh]


def test_found_faces_are_answered_with_box_score_and_a_number_that_follows_them() -> None:
    session = open_session()
    numbers = []
    for step in range(3):
        whole = session.receive_frame(frame(step, b"x", detect=True), float(step))
        with_faces = session.with_faces(whole, found((10 * step, 0, 50, 50), (200, 0, 40, 40)), float(step))
        result = session.answer(with_faces, certain_of("fear", "anger"), TIMING)
        numbers.append([face.face_id for face in result.faces])

    assert numbers == [[1, 2]] * 3
    assert result.faces[0].box == [20, 0, 50, 50]
    assert result.faces[0].score == 0.75
    assert result.emotion == "fear"


def test_a_found_face_is_not_averaged_with_a_clients_face_of_the_same_number() -> None:
    session = open_session()
    session.receive_text('{"type": "session.update", "config": {"smoothing": 0.5}}')
    header = {"frame_id": 1, "faces": [{"face_id": 1, "length": 1}]}
    session.answer(session.receive_frame(envelope(header, b"x"), 0.0), certain_of("anger"), TIMING)

    whole = session.receive_frame(frame(2, b"x", detect=True), 0.0)
    result = session.answer(session.with_faces(whole, found((0, 0, 9, 9)), 0.0), certain_of("fear"), TIMING)

    assert result.faces[0].face_id == 1
    assert result.faces[0].confidence == 1.0


def test_a_frame_in_which_no_face_was_found_is_answered_with_nulls() -> None:
    session = open_session()
    whole = session.receive_frame(frame(1, b"x", detect=True), 0.0)

    result = session.answer(session.with_faces(whole, [], 0.0), np.empty((0, 7), np.float32), TIMING)

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


def test_a_result_names_every_label_and_repeats_the_first_face() -> None:
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

    result = session.answer(received, certain_of("happiness", "fear"), TIMING)

    assert (result.frame_id, result.captured_at) == (12, 1790000000123.5)
    assert [(face.face_id, face.box, face.emotion, face.confidence) for face in result.faces] == [
        (3, [1, 2, 3, 4], "happiness", 1.0),
        (5, None, "fear", 1.0),
    ]
    assert list(result.faces[0].predictions) == list(LABELS)
    assert result.predictions == result.faces[0].predictions
    assert result.emotion == "happiness"


def test_a_result_without_faces_has_no_emotion() -> None:
    session = open_session()

    result = session.answer(read(session, 0), certain_of(), TIMING)

    assert (result.faces, result.predictions, result.emotion) == ([], None, None)


def test_rounded_predictions_still_sum_to_1() -> None:
    session = open_session()
    rng = np.random.default_rng(0)
    for _ in range(200):
        probabilities = rng.dirichlet([0.3] * len(LABELS), 1).astype(np.float32)

        face = session.answer(read(session), probabilities, TIMING).faces[0]

        assert sum(face.predictions.values()) == pytest.approx(1, abs=1e-3)
        assert face.confidence == max(face.predictions.values()) == face.predictions[face.emotion]


def test_answers_are_smoothed_per_face_as_configured() -> None:
    session = open_session()
    session.receive_text('{"type": "session.update", "config": {"smoothing": 0.6}}')

    session.answer(read(session, 2), certain_of("anger", "fear"), TIMING)
    result = session.answer(read(session, 2), certain_of("sadness", "fear"), TIMING)

    assert result.faces[0].predictions["anger"] == pytest.approx(0.6)
    assert result.faces[0].predictions["sadness"] == pytest.approx(0.4)
    assert result.faces[0].emotion == result.emotion == "anger"
    assert result.faces[1].predictions["fear"] == pytest.approx(1.0)


def test_answers_are_not_smoothed_unless_asked_for() -> None:
    session = open_session()

    session.answer(read(session), certain_of("anger"), TIMING)

    assert session.answer(read(session), certain_of("fear"), TIMING).faces[0].predictions["fear"] == 1.0


# Counts


def test_every_frame_is_counted_once_as_answered_or_dropped() -> None:
    session = open_session(max_faces=1)
    session.answer(read(session), certain_of("fear"), TIMING)
    session.drop(read(session))
    session.refuse(refusal(session, frame(1, b"x", b"x")))
    session.refuse(refusal(session, envelope(b"no json")))

    closed = session.closed("client_request")

    assert json.loads(encode_message(closed)) == {
        "type": "session.closed",
        "reason": "client_request",
        "frames": {"received": 4, "answered": 3, "dropped": 1},
    }


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


def test_a_frame_that_is_computed_starts_the_row_anew() -> None:
    session = open_session()

    fail(session, MAX_INTERNAL_ERRORS - 1)
    session.answer(read(session), certain_of("fear"), TIMING)
    fail(session, MAX_INTERNAL_ERRORS - 1)

    assert not session.has_failed

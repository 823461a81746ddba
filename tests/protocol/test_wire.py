import json
import random
import struct

import pytest
from emostream.exceptions import ProtocolError
from emostream.protocol.wire import (
    MAX_HEADER_BYTES,
    Dropped,
    Error,
    FaceCrop,
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
    SessionUpdate,
    SessionUpdated,
    Timing,
    encode_envelope,
    encode_message,
    is_envelope,
    parse_envelope,
    parse_message,
)
from PIL import Image

from tests.support import encoded, envelope

TIMING = Timing(queue_ms=0.7, inference_ms=4.2, total_ms=5.6, batch_size=6)
BIGGEST = 2**53 - 1


def refusal(data: bytes) -> ProtocolError:
    with pytest.raises(ProtocolError) as caught:
        parse_envelope(data)
    assert caught.value.code == "invalid_frame"
    return caught.value


# Which of the two forms a binary message has


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP"])
def test_an_image_file_is_no_envelope(file_format: str) -> None:
    assert not is_envelope(encoded(Image.new("RGB", (9, 9)), file_format))


def test_an_envelope_is_told_by_its_first_four_bytes() -> None:
    assert is_envelope(struct.pack("<I", 0))
    assert is_envelope(struct.pack("<I", MAX_HEADER_BYTES))
    assert not is_envelope(struct.pack("<I", MAX_HEADER_BYTES + 1))


@pytest.mark.parametrize("data", [b"", b"\x00", b"\x00\x00\x00"])
def test_less_than_four_bytes_are_no_envelope(data: bytes) -> None:
    assert not is_envelope(data)


# Sound envelopes


def test_an_envelope_is_read_in_the_headers_order() -> None:
    header = {
        "frame_id": 1207,
        "captured_at": 1790000000123.4,
        "faces": [
            {"face_id": 3, "length": 5, "box": [412, 96, 180, 180]},
            {"face_id": 5, "length": 3, "box": [90.5, 120, 150, 150]},
        ],
    }

    read = parse_envelope(envelope(header, b"first", b"2nd"))

    assert read == Frame(
        frame_id=1207,
        captured_at=1790000000123.4,
        faces=(FaceCrop(3, b"first", [412, 96, 180, 180]), FaceCrop(5, b"2nd", [90.5, 120, 150, 150])),
    )


def test_a_header_of_two_fields_is_enough() -> None:
    assert parse_envelope(envelope({"frame_id": 0, "faces": []})) == Frame(0, ())


def test_faces_without_an_id_are_numbered() -> None:
    faces = [{"length": 1}, {"length": 1, "face_id": 9}, {"length": 1}]

    read = parse_envelope(envelope({"frame_id": 1, "faces": faces}, b"a", b"b", b"c"))

    assert [face.face_id for face in read.faces] == [0, 9, 2]


def test_fields_of_later_versions_are_ignored() -> None:
    header = {"frame_id": 1, "mood": "good", "faces": [{"length": 2, "pose": [1, 2, 3]}]}

    assert parse_envelope(envelope(header, b"hi")) == Frame(1, (FaceCrop(0, b"hi"),))


@pytest.mark.parametrize(
    ("face", "frame"),
    [
        ({"landmarks": [[1, 2]] * 5}, {}),
        ({"landmarks": [[1, 2]] * 5 + [[1]]}, {}),
        ({"landmarks": [[1, 2]] * 5 + [[1, "2"]]}, {}),
        ({"landmarks": [[1, 2]] * 5 + [[1, 10**9]]}, {}),
        ({"turn_deg": "35"}, {}),
        ({"turn_deg": 361}, {}),
        ({}, {"frame_size": [640]}),
        ({}, {"frame_size": [640, 0]}),
        ({}, {"frame_size": [640.5, 480]}),
        ({}, {"frame_size": [640, 10**400]}),
    ],
)
def test_landmarks_turns_and_sizes_that_cannot_be_are_refused(
    face: dict[str, object], frame: dict[str, object]
) -> None:
    with pytest.raises(ProtocolError) as caught:
        parse_envelope(envelope({"frame_id": 4, "faces": [{"length": 1} | face]} | frame, b"x"))

    assert (caught.value.code, caught.value.frame_id) == ("invalid_frame", 4)
    assert [*face, *frame][0] in str(caught.value)


def test_the_largest_frame_id_and_the_largest_header_are_read() -> None:
    header = json.dumps({"frame_id": BIGGEST, "faces": []}).encode()

    assert parse_envelope(envelope(header.ljust(MAX_HEADER_BYTES))).frame_id == BIGGEST


def test_a_picture_to_detect_faces_in_is_marked() -> None:
    read = parse_envelope(envelope({"frame_id": 1, "detect": True, "faces": [{"length": 3}]}, b"pic"))

    assert read.detect
    assert [face.image for face in read.faces] == [b"pic"]


@pytest.mark.parametrize(
    "frame",
    [
        Frame(0, ()),
        Frame(BIGGEST, (FaceCrop(0, b""),)),
        Frame(
            7, (FaceCrop(1, b"one", [0, 0, 1.5, 2]), FaceCrop(BIGGEST, b"two")), captured_at=1790000000123.4
        ),
        Frame(8, (FaceCrop(0, b"whole"),), detect=True),
        Frame(9, (FaceCrop(2, b"x", [-8.5, 3, 40, 40], [[1.5, -2.0]] * 6),), size_wh=(1280, 720)),
        Frame(10, (FaceCrop(2, b"x", [0, 3, 40, 40], [[1.5, -2.0]] * 6, -34.5), FaceCrop(3, b"y"))),
    ],
    ids=["no face", "an empty crop", "two faces", "detect", "landmarks", "turned"],
)
def test_what_is_encoded_is_read_again(frame: Frame) -> None:
    assert parse_envelope(encode_envelope(frame)) == frame


# Broken envelopes


def test_a_message_that_ends_within_its_header_says_so() -> None:
    assert "should have 100 bytes" in str(refusal(struct.pack("<I", 100) + b'{"frame_id": 1'))


NO_HEADERS = {
    "nothing": b"",
    "words": b"no json",
    "an array": b"[1, 2, 3]",
    "null": b"null",
    "a text": b'"text"',
    "a number": b"12",
    "an object cut short": b"{",
    "two objects": b'{"frame_id": 1, "faces": []} {}',
    "a comma too many": b'{"frame_id": 1, "faces": [], }',
    "a text that is no UTF-8": b'{"frame_id": 1, "faces": [{"length": 0, "x": "\xff"}]}',
    "UTF-16": '{"frame_id": 1, "faces": []}'.encode("utf-16"),
    "an array without end": b"[" * 16000,
    "an object without end": b'{"frame_id":' * 1000,
    "deep nesting": b'{"frame_id": 1, "faces": ' + b"[" * 5000 + b"]" * 5000 + b"}",
}


@pytest.mark.parametrize("header", NO_HEADERS.values(), ids=NO_HEADERS.keys())
def test_a_header_that_is_no_json_object_is_refused(header: bytes) -> None:
    refusal(envelope(header))


WRONG_FIELDS = {
    "captured_at as text": {"captured_at": "now"},
    "captured_at without end": {"captured_at": float("inf")},
    "captured_at that is no number": {"captured_at": float("nan")},
    "captured_at as a boolean": {"captured_at": True},
    "detect as text": {"detect": "true"},
    "detect as a number": {"detect": 1},
    "faces as an object": {"faces": {"length": 0}},
    "faces as null": {"faces": None},
    "a face that is no object": {"faces": [3]},
    "a face without length": {"faces": [{"face_id": 3}]},
    "a negative length": {"faces": [{"length": -1}, {"length": 1}]},
    "a length as text": {"faces": [{"length": "0"}]},
    "a length with a fraction": {"faces": [{"length": 0.5}]},
    "a length as a boolean": {"faces": [{"length": False}]},
    "a negative face_id": {"faces": [{"length": 0, "face_id": -1}]},
    "a face_id as text": {"faces": [{"length": 0, "face_id": "a"}]},
    "a face_id too large": {"faces": [{"length": 0, "face_id": 2**53}]},
    "a box of three numbers": {"faces": [{"length": 0, "box": [1, 2, 3]}]},
    "a box of five numbers": {"faces": [{"length": 0, "box": [1, 2, 3, 4, 5]}]},
    "a box of texts": {"faces": [{"length": 0, "box": ["1", "2", "3", "4"]}]},
    "a box as an object": {"faces": [{"length": 0, "box": {"x": 1}}]},
    "a box without end": {"faces": [{"length": 0, "box": [0, 0, 1, float("inf")]}]},
}


@pytest.mark.parametrize("fields", WRONG_FIELDS.values(), ids=WRONG_FIELDS.keys())
def test_a_field_of_the_wrong_type_is_refused_with_the_frames_id(fields: dict[str, object]) -> None:
    assert refusal(envelope({"frame_id": 7, "faces": []} | fields)).frame_id == 7


def test_the_wrong_field_is_named() -> None:
    error = refusal(envelope({"frame_id": 7, "faces": [{"length": 0}, {"length": "5"}]}))

    assert str(error) == "faces.1.length: Input should be a valid integer"


@pytest.mark.parametrize("frame_id", [-1, 2**53, 10**400, 1.5, "7", True, None, [7], {}])
def test_a_wrong_frame_id_is_refused_and_not_echoed(frame_id: object) -> None:
    error = refusal(envelope({"frame_id": frame_id, "faces": []}))

    assert error.frame_id is None
    assert "frame_id" in str(error)


def test_a_missing_frame_id_is_refused() -> None:
    assert refusal(envelope({"faces": []})).frame_id is None


@pytest.mark.parametrize("images", [b"", b"1234", b"123456"], ids=["none", "too few", "too many"])
def test_lengths_that_do_not_add_up_are_refused_with_the_frames_id(images: bytes) -> None:
    error = refusal(envelope({"frame_id": 7, "faces": [{"length": 2}, {"length": 3}]}, images))

    assert error.frame_id == 7
    assert str(error) == f"the header announces 5 bytes of images, but {len(images)} follow it"


def test_a_length_beyond_all_memory_is_refused() -> None:
    assert refusal(envelope({"frame_id": 7, "faces": [{"length": 10**30}]}, b"x")).frame_id == 7


@pytest.mark.parametrize("count", [0, 2])
def test_detection_takes_exactly_one_image(count: int) -> None:
    header = {"frame_id": 7, "detect": True, "faces": [{"length": 1}] * count}

    assert refusal(envelope(header, b"x" * count)).frame_id == 7


def frame_or_refusal(data: bytes) -> Frame | ProtocolError:
    try:
        return parse_envelope(data)
    except ProtocolError as error:
        return error


def test_whatever_bytes_come_the_answer_is_a_frame_or_invalid_frame() -> None:
    """A sound envelope with random damage, three thousand times over, always the same ones."""
    rng = random.Random(2)
    sound = encode_envelope(
        Frame(7, (FaceCrop(1, b"one" * 9, [0, 0, 1.5, 2]), FaceCrop(2, b"two")), captured_at=1790000000123.4)
    )
    refused = read = 0
    for _ in range(3000):
        data = bytearray(sound)
        for _ in range(rng.randint(1, 4)):
            place = rng.randrange(len(data))
            match rng.randrange(4):
                case 0:
                    data[place] = rng.randrange(256)
                case 1:
                    del data[place : place + rng.randint(1, 8)]
                case 2:
                    data[place:place] = rng.choice([b"{", b"[", b'"', b"-", b"1e999", b"\x00", b",", b"null"])
                case 3:
                    data[place] = rng.choice(b'0123456789.-+eE"[]{}:, \\')
            data = data or bytearray(1)
        if not is_envelope(bytes(data)):
            continue
        outcome = frame_or_refusal(bytes(data))
        if isinstance(outcome, Frame):
            assert bytes(data).endswith(b"".join(face.image for face in outcome.faces))
            read += 1
        else:
            assert outcome.code == "invalid_frame"
            refused += 1
    assert refused > 1000
    assert read > 100


# Text messages from the client


def test_a_header_of_many_broken_faces_names_the_first() -> None:
    with pytest.raises(ProtocolError, match=r"faces\.1\.length: Field required") as refused:
        parse_envelope(envelope(b'{"frame_id":7,"faces":[{"length":0}' + b",{}" * 5000 + b"]}"))
    assert refused.value.frame_id == 7


def test_a_text_of_megabytes_is_refused_before_it_is_read() -> None:
    update = '{"type":"session.update","config":{"smoothing":0.5}%s}'
    assert isinstance(parse_message(update % (" " * 16_000)), SessionUpdate)

    with pytest.raises(ProtocolError, match="16384 characters at most") as refused:
        parse_message(update % (" " * 17_000))
    assert refused.value.code == "invalid_message"


def test_an_update_names_some_parts_of_the_configuration() -> None:
    message = parse_message('{"type": "session.update", "config": {"smoothing": 0.6}, "later": 1}')

    assert isinstance(message, SessionUpdate)
    assert message.config.model_dump(exclude_none=True) == {"smoothing": 0.6}


def test_a_wish_to_close_is_read() -> None:
    assert isinstance(parse_message('{"type": "session.close"}'), SessionClose)


NO_MESSAGES = {
    "nothing": "",
    "words": "hello",
    "an array": "[]",
    "null": "null",
    "a number": "12",
    "an empty object": "{}",
    "an object cut short": "{",
    "an unknown type": '{"type": "session.start"}',
    "a type that is null": '{"type": null}',
    "a type in an array": '{"type": ["session.close"]}',
    "a type of the server's": '{"type": "session.created"}',
    "no config": '{"type": "session.update"}',
    "config as null": '{"type": "session.update", "config": null}',
    "config as an array": '{"type": "session.update", "config": []}',
    "smoothing of 1": '{"type": "session.update", "config": {"smoothing": 1}}',
    "smoothing below 0": '{"type": "session.update", "config": {"smoothing": -0.1}}',
    "smoothing as text": '{"type": "session.update", "config": {"smoothing": "0.5"}}',
    "smoothing that is no number": '{"type": "session.update", "config": {"smoothing": NaN}}',
    "smoothing as a boolean": '{"type": "session.update", "config": {"smoothing": true}}',
    "no faces at most": '{"type": "session.update", "config": {"max_faces": 0}}',
    "max_faces with a fraction": '{"type": "session.update", "config": {"max_faces": 1.5}}',
    "deep nesting": '{"type": "session.update", "config": ' + "[" * 10000 + "]" * 10000 + "}",
}


@pytest.mark.parametrize("text", NO_MESSAGES.values(), ids=NO_MESSAGES.keys())
def test_any_other_text_is_an_invalid_message(text: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        parse_message(text)

    assert caught.value.code == "invalid_message"
    assert "\n" not in str(caught.value)


# Messages to the client


def face_result(**fields: object) -> FaceResult:
    return FaceResult.model_validate(
        {"face_id": 3, "emotion": "fear", "confidence": 0.75, "predictions": {"fear": 0.75, "anger": 0.25}}
        | fields
    )


def test_a_result_is_encoded_as_the_protocol_shows_it() -> None:
    message = Result(
        frame_id=1207,
        captured_at=1790000000123.4,
        faces=[face_result(box=[412, 96, 180, 180])],
        predictions={"fear": 0.75, "anger": 0.25},
        emotion="fear",
        timing=TIMING,
    )

    assert json.loads(encode_message(message)) == {
        "type": "result",
        "frame_id": 1207,
        "captured_at": 1790000000123.4,
        "faces": [
            {
                "face_id": 3,
                "box": [412, 96, 180, 180],
                "emotion": "fear",
                "confidence": 0.75,
                "predictions": {"fear": 0.75, "anger": 0.25},
            }
        ],
        "predictions": {"fear": 0.75, "anger": 0.25},
        "emotion": "fear",
        "timing": {"queue_ms": 0.7, "inference_ms": 4.2, "total_ms": 5.6, "batch_size": 6},
    }


def test_a_result_without_faces_keeps_its_two_keys_as_null() -> None:
    message = Result(frame_id=1, faces=[], predictions=None, emotion=None, timing=TIMING)

    content = json.loads(encode_message(message))

    assert content["predictions"] is None
    assert content["emotion"] is None
    assert "captured_at" not in content


def test_no_other_message_has_a_field_that_is_null() -> None:
    messages = [
        SessionCreated(
            session_id="a",
            model=ModelFacts(name="m", labels=["fear"]),
            config=SessionConfig(),
            limits=Limits(max_message_bytes=1, max_pixels=2, max_faces=3, max_frames_per_second=4),
        ),
        SessionUpdated(config=SessionConfig(smoothing=0.5)),
        Result(frame_id=1, faces=[face_result()], predictions={}, emotion="fear", timing=TIMING),
        Dropped(frame_id=1),
        Error(code="invalid_message", message="what?"),
        SessionClosed(reason="idle_timeout", frames=FrameCounts()),
    ]
    for message in messages:
        assert "null" not in encode_message(message)


def test_an_error_without_a_frame_has_no_frame_id() -> None:
    assert json.loads(encode_message(Error(code="invalid_message", message="what?"))) == {
        "type": "error",
        "code": "invalid_message",
        "message": "what?",
        "retryable": False,
    }


def test_a_dropped_frame_says_why() -> None:
    assert json.loads(encode_message(Dropped(frame_id=1206))) == {
        "type": "dropped",
        "frame_id": 1206,
        "reason": "superseded",
    }

import json

import pytest
from emostream.client.messages import ErrorMessage, parse_server_message
from emostream.exceptions import ClientError
from emostream.protocol.wire import Dropped, Result, SessionCreated

from tests.client.scripted import created, result


def test_messages_are_read_whatever_new_fields_they_have() -> None:
    assert isinstance(parse_server_message(created(extra=1)), SessionCreated)
    answer = parse_server_message(result(7))
    assert isinstance(answer, Result)
    assert (answer.frame_id, answer.faces[0].emotion) == (7, "happiness")
    dropped = parse_server_message('{"type": "dropped", "frame_id": 3, "reason": "superseded"}')
    assert dropped == Dropped(frame_id=3)


def test_an_error_may_have_a_code_of_a_later_version() -> None:
    text = json.dumps({"type": "error", "code": "out_of_ink", "message": "no ink", "frame_id": 3})

    assert parse_server_message(text) == ErrorMessage("out_of_ink", "no ink", 3)


def test_a_type_of_a_later_version_is_passed_over() -> None:
    assert parse_server_message('{"type": "session.sang"}') is None


@pytest.mark.parametrize("text", ["hello", "[]", "{}", '{"type": ["result"]}', '{"type": "result"}'])
def test_another_protocol_is_noticed(text: str) -> None:
    with pytest.raises(ClientError, match="does not speak Emostream's protocol"):
        parse_server_message(text)

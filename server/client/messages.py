"""Parses the server's messages. Unknown types, fields and codes belong to a later version."""

import json
from dataclasses import dataclass

from pydantic import TypeAdapter, ValidationError

from ..exceptions import ClientError
from ..protocol.wire import Dropped, Result, SessionClosed, SessionCreated, SessionReceipt, SessionUpdated


@dataclass(frozen=True)
class ErrorMessage:
    """Like ``emostream.protocol.wire.Error``, but accepts unknown codes."""

    code: str
    message: str
    frame_id: int | None = None
    retryable: bool = False


ServerMessage = (
    SessionCreated | SessionUpdated | SessionReceipt | Result | Dropped | ErrorMessage | SessionClosed
)

_TYPES: dict[object, TypeAdapter[ServerMessage]] = {
    "session.created": TypeAdapter(SessionCreated),
    "session.updated": TypeAdapter(SessionUpdated),
    "session.receipt": TypeAdapter(SessionReceipt),
    "result": TypeAdapter(Result),
    "dropped": TypeAdapter(Dropped),
    "error": TypeAdapter(ErrorMessage),
    "session.closed": TypeAdapter(SessionClosed),
}


def parse_server_message(text: str | bytes) -> ServerMessage | None:
    """A message, or None for a type that this version does not know.

    Raises ClientError for anything that is not a message of the protocol.
    """
    try:
        content = json.loads(text)
        adapter = _TYPES.get(content["type"])
        return adapter.validate_python(content) if adapter else None
    except (ValueError, TypeError, KeyError, ValidationError) as error:
        raise ClientError("the server does not speak Emostream's protocol; is the address right?") from error

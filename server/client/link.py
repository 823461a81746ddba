"""The connection of a stream: reconnects until the server refuses or stays away too long."""

import asyncio
import logging
import time
from collections import deque
from contextlib import suppress
from enum import Enum
from typing import TypeVar

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from ..addresses import without_secrets
from ..exceptions import ClientError, LostError, RefusedError, UnreachableError
from ..protocol.reconnect import IDLE_CLOSE_CODES, RETRY_CLOSE_CODES, RETRY_HTTP_STATUSES, delay_s
from ..protocol.wire import (
    PROTOCOL_VERSION,
    CloseCode,
    Dropped,
    Receipt,
    Result,
    SessionConfigChange,
    SessionCreated,
    SessionReceipt,
    SessionReceiptRequest,
    SessionUpdate,
    SessionUpdated,
)
from .messages import ErrorMessage, ServerMessage, parse_server_message
from .outbox import Outbox
from .results import SessionInfo

logger = logging.getLogger(__name__)

_OPEN_TIMEOUT_S = 20.0
#: Pongs queue behind frames, which a busy server reads late.
_PING_TIMEOUT_S = 60.0
_CLOSE_TIMEOUT_S = 2.0


_Kind = TypeVar("_Kind", bound=ServerMessage)


class LinkState(Enum):
    """States of a link: it alternates between the first two, then ends."""

    CONNECTING = "connecting"
    OPEN = "open"
    CLOSED = "closed"


class Link:
    """Sends the frames of an outbox and receives their answers, over successive connections."""

    def __init__(
        self,
        address: str,
        token: str | None,
        change: SessionConfigChange,
        outbox: Outbox,
        is_paced: bool,
        give_up_s: float,
    ) -> None:
        """``is_paced`` limits frames to the server's rate. After ``give_up_s`` seconds without a server, the
        link gives up."""
        self.state = LinkState.CONNECTING
        self.reconnects = 0
        self.info: asyncio.Future[SessionInfo] = asyncio.get_running_loop().create_future()
        self._address = address
        self._name = without_secrets(address)
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._change = change
        self._outbox = outbox
        self._is_paced = is_paced
        self._give_up_s = give_up_s
        self._failures = 0  # in a row
        self._away_since: float | None = None
        self._connection: ClientConnection | None = None  # while it is open
        self._receipts: deque[asyncio.Future[Receipt]] = deque()  # asked for, in their order

    async def receipt(self, timeout_s: float) -> Receipt:
        """The server's receipt for the session that is open.

        Raises LostError if none is open, and ClientError if no receipt comes in time.
        """
        if self._connection is None:
            raise LostError(f"there is no connection to {self._name} at the moment")
        asked: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()
        self._receipts.append(asked)
        try:
            async with asyncio.timeout(timeout_s):
                with suppress(ConnectionClosed):  # the receiving task reports it
                    request = SessionReceiptRequest(type="session.receipt")
                    await self._connection.send(request.model_dump_json())
                return await asked
        except TimeoutError as error:
            message = f"{self._name} has sent no receipt within {timeout_s:g} s; older servers have none"
            raise ClientError(message) from error

    async def run(self) -> None:
        """Runs until it is cancelled or fails for good; then the outbox and ``info`` get the error."""
        retrying = AsyncRetrying(
            retry=retry_if_exception_type(LostError),
            wait=lambda _: delay_s(self._failures),
            stop=self._has_given_up,
            before_sleep=self._before_sleep,
            reraise=True,
        )
        try:
            await retrying(self._session)
        except Exception as error:
            await self._outbox.fail(error)
            if not self.info.done():
                self.info.set_exception(error)
        finally:
            self.state = LinkState.CLOSED

    def _has_given_up(self, _: RetryCallState) -> bool:
        self._away_since = self._away_since or time.monotonic()
        return time.monotonic() - self._away_since >= self._give_up_s

    async def _before_sleep(self, attempt: RetryCallState) -> None:
        self.state = LinkState.CONNECTING
        self._failures += 1
        if self._failures == 1:  # later warnings would say the same
            assert attempt.outcome is not None
            logger.warning("%s; trying again", attempt.outcome.exception())

    async def _session(self) -> None:
        """Runs one connection until it breaks. Raises LostError or another ClientError."""
        connection = await self._connected()
        last_words: list[ErrorMessage] = []
        try:
            await self._greet(connection, last_words)
            sender = asyncio.create_task(self._send(connection))
            self._connection = connection
            try:
                await self._receive(connection, last_words)
            finally:
                self._connection = None
                while self._receipts:
                    if not (asked := self._receipts.popleft()).done():
                        asked.set_exception(LostError(f"the connection to {self._name} was lost"))
                sender.cancel()
                await asyncio.wait([sender])
                await self._outbox.connection_lost()
        except ConnectionClosed as error:
            raise self._why_closed(connection, last_words) from error
        except TimeoutError as error:
            raise LostError(f"{self._name} accepts connections but does not answer") from error
        finally:
            # As a context manager, a cancelled connection would close with an error code.
            await connection.close()

    async def _connected(self) -> ClientConnection:
        # A wrong address is reported at once. Later, the server is unreachable.
        kind = LostError if self.info.done() else UnreachableError
        try:
            return await connect(
                self._address,
                additional_headers=self._headers,
                compression=None,  # JPEGs do not shrink
                open_timeout=_OPEN_TIMEOUT_S,
                ping_timeout=_PING_TIMEOUT_S,
                close_timeout=_CLOSE_TIMEOUT_S,
            )
        except InvalidStatus as error:
            status = error.response.status_code
            if status in RETRY_HTTP_STATUSES:
                raise kind(f"{self._name} is unavailable: HTTP {status}") from error
            raise RefusedError(f"{self._name} refused the connection: HTTP {status}", status) from error
        except (OSError, TimeoutError, InvalidHandshake) as error:
            reason = getattr(error, "strerror", None) or str(error) or "no answer in time"
            raise kind(f"{self._name} cannot be reached ({reason}); is the server running there?") from error

    async def _greet(self, connection: ClientConnection, last_words: list[ErrorMessage]) -> None:
        created = await self._first(connection, SessionCreated, last_words)
        if created.protocol != PROTOCOL_VERSION:
            raise RefusedError(
                f"{self._name} uses version {created.protocol} of the protocol, not {PROTOCOL_VERSION}", 0
            )
        labels = tuple(created.model.labels)
        if self.info.done() and self.info.result().labels != labels:
            raise ClientError(f"{self._name} restarted with another model, {created.model.name}")
        config = created.config
        change = self._change.model_dump(exclude_none=True)
        if change:
            change["max_faces"] = min(change.get("max_faces", config.max_faces), created.limits.max_faces)
            update = SessionUpdate(type="session.update", config=SessionConfigChange(**change))
            await connection.send(update.model_dump_json(exclude_none=True))
            config = (await self._first(connection, SessionUpdated, last_words)).config
        info = SessionInfo(created.session_id, created.model.name, labels, config, created.limits)
        if self.info.done():
            self.reconnects += 1
            logger.warning("%s is back", self._name)
        else:
            self.info.set_result(info)
        self.state, self._failures, self._away_since = LinkState.OPEN, 0, None

    async def _first(
        self, connection: ClientConnection, kind: type[_Kind], last_words: list[ErrorMessage]
    ) -> _Kind:
        while True:
            message = parse_server_message(await asyncio.wait_for(connection.recv(), _OPEN_TIMEOUT_S))
            if isinstance(message, kind):
                return message
            if isinstance(message, ErrorMessage):
                if message.code == "invalid_message":  # the session would continue with another configuration
                    raise RefusedError(f"{self._name} refused the configuration: {message.message}", 0)
                last_words.append(message)

    async def _receive(self, connection: ClientConnection, last_words: list[ErrorMessage]) -> None:
        while True:
            message = parse_server_message(await connection.recv())
            if isinstance(message, ErrorMessage) and message.frame_id is None:
                last_words[:] = [message]
            elif isinstance(message, SessionReceipt) and self._receipts:
                if not (asked := self._receipts.popleft()).done():  # otherwise its caller was cancelled
                    asked.set_result(Receipt.model_validate(message.model_dump()))
            elif isinstance(message, Result | Dropped | ErrorMessage) and message.frame_id is not None:
                await self._outbox.answered(message.frame_id, message)

    async def _send(self, connection: ClientConnection) -> None:
        gap_s = 1 / self.info.result().limits.max_frames_per_second if self._is_paced else 0.0
        try:
            while True:
                await connection.send(await self._outbox.next_to_send())
                await asyncio.sleep(gap_s)
        except ConnectionClosed:
            pass  # waiting receivers get it, too

    def _why_closed(self, connection: ClientConnection, last_words: list[ErrorMessage]) -> ClientError:
        code = connection.close_code or CloseCode.ABNORMAL
        said = f": {last_words[-1].message}" if last_words else ""
        if code in RETRY_CLOSE_CODES | IDLE_CLOSE_CODES:
            return LostError(f"the connection to {self._name} was lost (code {code}){said}")
        if code == CloseCode.UNAUTHORIZED:
            return RefusedError(
                f"{self._name} needs a valid token (token=, --token or EMOSTREAM_TOKEN)", code
            )
        return RefusedError(f"{self._name} ended the session (code {code}){said}", code)

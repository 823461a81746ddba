"""What one connection may cost before anybody knows who is at its other end.

uvicorn's protocols, with bounds that they do not have: on connections in all and of one address, on the time
that request headers take, and on what a WebSocket's peer makes the server read at a time or hold for it.
"""

import asyncio
import ssl
import sys
import time
from http import HTTPStatus
from typing import Any

import h11
from uvicorn._types import ASGIReceiveEvent, ASGISendEvent
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.utils import ClientDisconnected, get_remote_addr
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame

from .addresses import network_of
from .api.services import Services
from .settings import Settings
from .streaming.session import RateLimiter

#: Each chunk of a body costs 50 µs, and all that have come are taken apart in one go. So many may be tiny.
_FREE_CHUNKS = 256
_LEAST_CHUNK_BYTES = 256
#: WebSocket frames are taken apart this many bytes at a time: some 650 of the smallest, in a few ms.
_SLICE_BYTES = 4096
#: Larger frames cost little for their bytes, so that slices go on at once until so many frames were in them.
_FRAMES_PER_TURN = 64
#: A session may send so many times its limit of video frames as WebSocket frames, fragments, pings and pongs
#: among them, and save up so many seconds' worth. A client that is merely too fast stays far below.
_FRAMES_PER_ALLOWED_FRAME = 20
_BURST_S = 4.0
_FLOOD_CLOSE_TIMEOUT_S = 2.0


class BoundedHttp(H11Protocol):
    """HTTP/1.1 by h11: it bounds a request's headers as they come in, which httptools does not."""

    def __init__(self, *arguments: Any, tls: ssl.SSLContext | None = None, **keywords: Any) -> None:
        """With ``tls`` a connection begins with its handshake, which counts and has the headers' deadline.
        (Left to the event loop, connections would be counted after it, and it might take a minute.)"""
        super().__init__(*arguments, **keywords)
        self._tls = tls
        self._shaking_hands: asyncio.Task[None] | None = None
        self._unencrypted: asyncio.Transport | None = None
        self._is_made = False
        self._early = b""  # what came with the handshake's last message
        self._headers_timer: asyncio.TimerHandle | None = None
        self._chunks = self._chunk_bytes = 0
        self._parsed_event = self.conn.next_event
        self.conn.next_event = self._next_event  # type: ignore[method-assign]

    @property
    def _services(self) -> Services:
        services: Services = self.config.app.state.services  # type: ignore[union-attr]
        return services

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        if self._tls is not None and transport.get_extra_info("sslcontext") is None:
            self._expect_handshake(transport, self._tls)
            return
        super().connection_made(transport)
        self._is_made = True
        if self._shaking_hands is None and self._is_one_too_many():
            self._services.metrics.refusals.labels("too_many_connections").inc()
            # Not even read: an answer costs nothing, whatever it asks.
            transport.write(
                b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\n"
                b"Connection: close\r\nContent-Length: 0\r\n\r\n"
            )
            transport.close()
            return
        self._expect_headers()
        if self._early:
            early, self._early = self._early, b""
            self.data_received(early)

    def shutdown(self) -> None:
        if self._is_made:
            super().shutdown()
        elif self._unencrypted is not None:
            self._give_up(self._unencrypted)

    def _expect_handshake(self, transport: asyncio.Transport, tls: ssl.SSLContext) -> None:
        self._unencrypted = transport
        self.client = get_remote_addr(transport)
        self.connections.add(self)
        if self._is_one_too_many():
            self._services.metrics.refusals.labels("too_many_connections").inc()
            self._give_up(transport)
            return
        transport.pause_reading()  # start_tls goes on
        self._shaking_hands = self.loop.create_task(self._shake_hands(transport, tls))

    async def _shake_hands(self, transport: asyncio.Transport, tls: ssl.SSLContext) -> None:
        try:
            encrypted = await self.loop.start_tls(
                transport,
                self,
                tls,
                server_side=True,
                ssl_handshake_timeout=self._services.settings.headers_timeout_s,
            )
        except OSError:  # of which errors of TLS and time-outs are kinds
            self._services.metrics.refusals.labels("tls_handshake").inc()
            self._give_up(transport)
            return
        if encrypted is None:  # it is closed already
            self._give_up(transport)
        else:
            self.connection_made(encrypted)

    def _give_up(self, transport: asyncio.Transport) -> None:
        self.connections.discard(self)
        transport.abort()

    def _is_one_too_many(self) -> bool:
        settings = self._services.settings
        if len(self.connections) > settings.max_connections:
            return True
        if self.client is None:
            return False
        own = network_of(self.client[0])
        peers = [getattr(connection, "client", None) for connection in self.connections]
        return sum(peer is not None and network_of(peer[0]) == own for peer in peers) > (
            settings.max_connections_per_address
        )

    def data_received(self, data: bytes) -> None:
        if not self._is_made:
            self._early += data
            return
        super().data_received(data)
        if self.conn.their_state is h11.IDLE and not self.transport.is_closing():
            self._expect_headers()
        else:
            self._stop_expecting()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_expecting()
        if not self._is_made:
            self.connections.discard(self)
            return
        super().connection_lost(exc)

    def _expect_headers(self) -> None:
        # From their first byte on, however slowly the others come.
        if self._headers_timer is None:
            timeout_s = self._services.settings.headers_timeout_s
            self._headers_timer = self.loop.call_later(timeout_s, self._headers_are_late)

    def _stop_expecting(self) -> None:
        if self._headers_timer is not None:
            self._headers_timer.cancel()
            self._headers_timer = None

    def _headers_are_late(self) -> None:
        self._headers_timer = None
        if not self.transport.is_closing() and self.conn.their_state is h11.IDLE:
            self._services.metrics.refusals.labels("late_headers").inc()
            self._refuse(408, "The request took too long.")

    def _next_event(self) -> Any:
        """As h11's. Raises RemoteProtocolError for a body in far more chunks than any client makes of it."""
        event = self._parsed_event()
        if isinstance(event, h11.Request):
            self._chunks = self._chunk_bytes = 0
        elif isinstance(event, h11.Data):
            self._chunks += event.chunk_end
            self._chunk_bytes += len(event.data)
            if self._chunks > _FREE_CHUNKS + self._chunk_bytes // _LEAST_CHUNK_BYTES:
                raise h11.RemoteProtocolError("the chunks are too small", error_status_hint=400)
        return event

    def send_400_response(self, msg: str) -> None:
        # uvicorn calls it where h11 has raised; h11 knows a better status for headers that are too long.
        error = sys.exception()
        self._refuse(error.error_status_hint if isinstance(error, h11.RemoteProtocolError) else 400, msg)

    def _refuse(self, status: int, message: str) -> None:
        headers = [("Content-Type", "text/plain; charset=utf-8"), ("Connection", "close")]
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            response = h11.Response(status_code=status, headers=headers, reason=HTTPStatus(status).phrase)
            for event in (response, h11.Data(data=message.encode()), h11.EndOfMessage()):
                self.transport.write(self.conn.send(event) or b"")
        self.transport.close()


class BoundedWebSocket(WebSocketsSansIOProtocol):
    """A WebSocket whose peer neither holds the event loop nor fills the memory.

    After many times more frames than ``max_frames_per_second`` it is read no more, and the app's next message
    is one with ``"is_flood": True`` and no content.
    """

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        settings: Settings = self.config.app.state.services.settings  # type: ignore[union-attr]
        rate = float(_FRAMES_PER_ALLOWED_FRAME * settings.max_frames_per_second)
        self._rate = RateLimiter(rate, rate * _BURST_S)
        self._unparsed = bytearray()
        self._frames_in_turn = 0
        self._is_flood = False
        self._is_turn_planned = False

    def data_received(self, data: bytes) -> None:
        if self._is_flood:
            return
        self._unparsed += data
        if not self._is_turn_planned:
            self._parse()

    def _parse(self) -> None:
        """Parses what has come in, and gives the loop back after some frames."""
        self._is_turn_planned = False
        self._frames_in_turn = 0
        while self._unparsed and self._may_parse and self._frames_in_turn < _FRAMES_PER_TURN:
            part = bytes(self._unparsed[:_SLICE_BYTES])
            del self._unparsed[:_SLICE_BYTES]
            super().data_received(part)
        if self._is_flood or self.transport.is_closing():
            self._unparsed.clear()
        elif self._unparsed:
            self.transport.pause_reading()  # before this is parsed no more is wanted
        self._go_on()

    @property
    def _may_parse(self) -> bool:
        """Whether the app has taken the last message, and the peer reads its answers and pongs."""
        return not (self._is_flood or self.read_paused) and self.writable.is_set()

    def _go_on(self) -> None:
        if not self._may_parse or self._is_turn_planned:
            return
        if self._unparsed:
            self._is_turn_planned = True
            self.loop.call_soon(self._parse)
        else:
            self.transport.resume_reading()

    def pause_writing(self) -> None:
        super().pause_writing()
        self.transport.pause_reading()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._go_on()

    async def receive(self) -> ASGIReceiveEvent:
        message = await self.queue.get()
        if self.read_paused and self.queue.empty():
            self.read_paused = False
            self._go_on()
        return message

    async def send(self, message: ASGISendEvent) -> None:
        if self.handshake_complete and self.close_sent and self.transport.is_closing():
            # The protocol ended the connection, after bytes that are no WebSocket frame, say. uvicorn takes
            # what the app still sends for a mistake of the app.
            raise ClientDisconnected
        await super().send(message)
        if message["type"] == "websocket.close":
            self._go_on()  # to the peer's own close, which ends the connection
        elif message["type"] == "websocket.http.response.body" and not message.get("more_body"):
            self.handshake_complete = True  # else uvicorn logs an error for every stranger that is refused

    def handle_events(self) -> None:
        if self.conn.handshake_exc is not None and not self.handshake_complete:
            # Headers longer than websockets takes, say: it has an answer, which uvicorn leaves there.
            self.handshake_complete = self.close_sent = True
            self.transport.write(b"".join(self.conn.data_to_send()))
            self.transport.close()
            return
        frames = sum(isinstance(event, Frame) for event in self.conn.events)
        self._frames_in_turn += frames
        now = time.monotonic()
        if all(self._rate.allows(now) for _ in range(frames)):
            super().handle_events()
            return
        self._is_flood = True
        self.close_timeout = _FLOOD_CLOSE_TIMEOUT_S  # the peer's own close is not looked for
        self.conn.events_received()  # dropped
        self.transport.pause_reading()
        self.read_paused = True
        self.queue.put_nowait({"type": "websocket.receive", "is_flood": True})  # type: ignore[arg-type]

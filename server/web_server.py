"""The web server around the app: its listening socket, its limits, and an orderly end."""

import errno
import socket
import time

import uvicorn

from .api.hosts import MAX_HEADER_BYTES
from .api.services import Services
from .app import create_app
from .connections import BoundedHttp, BoundedWebSocket
from .exceptions import EmostreamError
from .inference import Recognizer
from .settings import Settings

_BACKLOG = 2048


class _DrainingServer(uvicorn.Server):
    """Has the app's services end their streaming sessions in order before uvicorn cuts the connections."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        services: Services = self.config.app.state.services  # type: ignore[union-attr]
        limit_s, started = services.settings.shutdown_timeout_s, time.monotonic()
        await services.drain()
        # What is left of the time is for everything else; sessions that did not end by now never will.
        self.config.timeout_graceful_shutdown = max(1, round(limit_s - (time.monotonic() - started)))
        await super().shutdown(sockets)


def create_server(settings: Settings, recognizer: Recognizer) -> uvicorn.Server:
    """The web server as ``serve`` runs it, on a socket that is already bound."""
    config = uvicorn.Config(
        create_app(settings, recognizer),
        log_level=settings.log_level,
        log_config=None,
        access_log=False,
        proxy_headers=False,  # the app's own affair: it checks hosts by them, too
        http=BoundedHttp,
        h11_max_incomplete_event_size=MAX_HEADER_BYTES,
        ws=BoundedWebSocket,
        ws_per_message_deflate=False,  # JPEGs do not shrink
        # Above the protocol's limit, so that the session itself can say what was wrong; below any harm.
        ws_max_size=2 * settings.max_message_bytes,
        # A recording's pongs come behind its frames, which are not read while its queue is full: 20 s, the
        # default, are not enough on a slow machine. It is as dead as an idle one, if it is.
        ws_ping_timeout=settings.idle_timeout_s,
    )
    return _DrainingServer(config)


def bind(host: str, port: int) -> socket.socket:
    """The listening socket, bound before anything slow so that a taken port is told at once."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        # At once: until it listens another process can bind the same port. Clients wait for the model.
        listening.listen(_BACKLOG)
    except OSError as error:
        listening.close()
        if error.errno == errno.EADDRINUSE:
            raise EmostreamError(f"port {port} is taken; choose another with PORT=… or --port") from error
        raise EmostreamError(f"cannot listen on {host}:{port}: {error.strerror}") from error
    return listening

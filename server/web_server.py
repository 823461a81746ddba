"""The web server around the app: its listening socket, its limits, and an orderly end."""

import errno
import socket
import ssl
from collections.abc import Callable
from functools import partial

import uvicorn

from .api.hosts import MAX_HEADER_BYTES
from .api.services import Services
from .app import create_app
from .cluster.messages import Replicas
from .connections import BoundedHttp, BoundedWebSocket
from .exceptions import EmostreamError
from .inference import Recognizer
from .settings import Settings

_BACKLOG = 2048

#: For answers that are ready to leave, before connections are cut.
_MOMENT_S = 0.25


class DrainingServer(uvicorn.Server):
    """Has the app's services end their streaming sessions in order before uvicorn cuts the connections."""

    @property
    def services(self) -> Services:
        services: Services = self.config.app.state.services  # type: ignore[union-attr]
        return services

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started and self.services.watchdog is not None:
            self.services.watchdog.end_process = self._end

    def _end(self) -> None:
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await self.services.drain()
        # Requests that were not ready in time have failed by then, and need a moment for their answers.
        # Sessions that did not end by now never will.
        left_s = max(_MOMENT_S, self.services.shutdown_left_s - _MOMENT_S)
        self.config.timeout_graceful_shutdown = left_s  # type: ignore[assignment]  # a fraction is as good
        await super().shutdown(sockets)


def create_server(
    settings: Settings,
    recognizer: Recognizer | None,
    restart: Callable[[], Recognizer] | None = None,
    tls: ssl.SSLContext | None = None,
    replicas: Replicas | None = None,
) -> DrainingServer:
    """The web server as ``serve`` runs it, on a socket that is already bound; with ``tls`` it speaks TLS
    alone. Without a recogniser it is a gateway to ``replicas``."""
    config = uvicorn.Config(
        create_app(settings, recognizer, restart, replicas),
        log_level=settings.log_level,
        log_config=None,
        access_log=settings.access_log,
        proxy_headers=False,  # the app's own affair: it checks hosts by them, too
        http=partial(BoundedHttp, tls=tls),  # type: ignore[arg-type]  # a class is called, too
        h11_max_incomplete_event_size=MAX_HEADER_BYTES,
        # uvloop reads the first bytes of a handshake, whatever connection_made says, before it can be begun.
        loop="auto" if tls is None else "asyncio",
        ws=BoundedWebSocket,
        ws_per_message_deflate=False,  # JPEGs do not shrink
        # Above the protocol's limit, so that the session itself can say what was wrong; below any harm.
        ws_max_size=2 * settings.max_message_bytes,
        # A recording's pongs come behind its frames, which are not read while its queue is full: 20 s, the
        # default, are not enough on a slow machine. It is as dead as an idle one, if it is.
        ws_ping_timeout=settings.idle_timeout_s,
    )
    return DrainingServer(config)


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

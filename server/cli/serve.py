"""``emostream serve``: the server with its dashboard."""

import errno
import logging
import re
import shlex
import socket
import sys
import time
from pathlib import Path
from typing import Annotated

import typer
import uvicorn
from watchfiles import DefaultFilter, run_process

from ..api.services import Services
from ..app import create_app
from ..exceptions import EmostreamError
from ..inference import Recognizer
from ..loading import load_recognizer
from ..settings import Settings, read_settings
from .model_option import ModelOption
from .settings_options import with_settings_options

logger = logging.getLogger(__name__)

_BACKLOG = 2048
_TOKEN_IN_QUERY = re.compile(r"([?&]token=)[^&\s]+")


class _TokensLeftOut(logging.Filter):
    """Browsers must put the token into the address, which uvicorn logs."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(
                _TOKEN_IN_QUERY.sub(r"\1…", part) if isinstance(part, str) else part for part in record.args
            )
        return True


class _DrainingServer(uvicorn.Server):
    """Ends the streaming sessions in order before uvicorn cuts the connections."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        services: Services = self.config.app.state.services  # type: ignore[union-attr]
        limit_s, started = services.settings.shutdown_timeout_s, time.monotonic()
        await services.sessions.drain(limit_s)
        # What is left of the time is for everything else; sessions that did not end by now never will.
        self.config.timeout_graceful_shutdown = max(1, round(limit_s - (time.monotonic() - started)))
        await super().shutdown(sockets)


@with_settings_options
def serve(
    model: ModelOption = None,
    reload: Annotated[
        bool, typer.Option("--reload", help="Start anew whenever the code or the catalogue changes.")
    ] = False,
    **given: str | None,
) -> None:
    """Serve the API and the dashboard.

    Options left out come from the environment (EMOSTREAM_PORT for --port, and so on) or a file .env.
    """
    settings = read_settings(model=model, **given)
    logging.basicConfig(
        level=settings.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    if reload:
        _serve_again_and_again()
        return
    for handler in logging.getLogger().handlers:
        handler.addFilter(_TokensLeftOut())
    # Whoever sends broken forms would fill the log.
    logging.getLogger("python_multipart").setLevel(logging.ERROR)
    with _bind(settings.host, settings.port) as listening:
        recognizer = load_recognizer(settings)
        logger.info(
            "%s (%s) on %s, %s",
            recognizer.name,
            ", ".join(recognizer.members),
            recognizer.engine.device,
            recognizer.engine.precision,
        )
        shown_host = "localhost" if settings.host in ("127.0.0.1", "0.0.0.0", "::") else settings.host
        logger.info("dashboard and API on http://%s:%d", shown_host, listening.getsockname()[1])
        create_server(settings, recognizer).run(sockets=[listening])


def _serve_again_and_again() -> None:
    """Runs this very command in a process that is replaced at every change. Ends with Ctrl-C."""
    arguments = [argument for argument in sys.argv[1:] if argument != "--reload"]
    command = shlex.join([sys.executable, "-m", "emostream", *arguments])
    watched = DefaultFilter()
    run_process(
        Path(__file__).resolve().parents[1],
        target=command,
        target_type="command",
        watch_filter=lambda change, path: path.endswith((".py", ".toml")) and watched(change, path),
        callback=lambda changes: logger.warning("changed: %s", ", ".join(sorted(p for _, p in changes))),
    )


def create_server(settings: Settings, recognizer: Recognizer) -> uvicorn.Server:
    """The web server as ``serve`` runs it, on a socket that is already bound."""
    config = uvicorn.Config(
        create_app(settings, recognizer),
        log_level=settings.log_level,
        log_config=None,
        access_log=False,
        ws="websockets-sansio",
        ws_per_message_deflate=False,  # JPEGs do not shrink
        # Above the protocol's limit, so that the session itself can say what was wrong; below any harm.
        ws_max_size=2 * settings.max_message_bytes,
        # A recording's pongs come behind its frames, which are not read while its queue is full: 20 s, the
        # default, are not enough on a slow machine. It is as dead as an idle one, if it is.
        ws_ping_timeout=settings.idle_timeout_s,
    )
    return _DrainingServer(config)


def _bind(host: str, port: int) -> socket.socket:
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

"""``emostream serve``: the server with its dashboard."""

import logging
import os
import shlex
import sys
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from watchfiles import DefaultFilter, run_process

from ..addresses import is_loopback
from ..cluster.connecting import open_replicas
from ..exceptions import EmostreamError
from ..loading import load_recognizer
from ..logs import formatter
from ..process import configure_process
from ..settings import LOCAL_ENGINE, read_settings
from ..tls import given_tls, made_now
from ..web_server import bind, create_server
from .model_option import ModelOption
from .settings_options import with_settings_options

logger = logging.getLogger(__name__)


@with_settings_options
def serve(
    model: ModelOption = None,
    reload: Annotated[
        bool, typer.Option("--reload", help="Restart whenever the code or the catalogue changes.")
    ] = False,
    dev_tls: Annotated[
        bool,
        typer.Option(
            "--dev-tls",
            help="Use TLS with a certificate made for this run, so that phones can open their cameras.",
        ),
    ] = False,
    workers: Annotated[
        int,
        typer.Option(
            "--workers", min=1, metavar="1", help="Always 1; docs/scaling.md says how to serve more."
        ),
    ] = 1,
    **given: str | None,
) -> None:
    """Serve the API and the dashboard.

    Every option can also be set in the environment (EMOSTREAM_PORT for --port, and so on) or in a file .env.
    """
    if workers > 1:
        raise EmostreamError(
            f"--workers {workers}: every worker would load its own copy of the model, and they"
            " would compete for the same cores; one process uses all of them already."
            " docs/scaling.md says how to serve more than one machine can"
        )
    settings = read_settings(model=model, **given)
    logging.basicConfig(level=settings.log_level.upper())
    for handler in logging.getLogger().handlers:
        handler.setFormatter(formatter(settings.log_format))
    if reload:
        _serve_with_reload()
        return
    # Otherwise a client with broken forms could fill the log.
    logging.getLogger("python_multipart").setLevel(logging.ERROR)
    configure_process()
    tls = made_now() if dev_tls else given_tls(settings)
    with bind(settings.host, settings.port) as listening:
        recognizer, replicas = None, None
        if settings.engine == LOCAL_ENGINE:
            recognizer = load_recognizer(settings)
            logger.info(
                "%s (%s) on %s, %s",
                recognizer.name,
                ", ".join(recognizer.members),
                recognizer.engine.device,
                recognizer.engine.precision,
            )
        else:
            replicas = open_replicas(settings.engine)
            logger.info("a gateway to the replicas of %s", settings.engine)
        if not (settings.accepted_tokens or is_loopback(settings.host)):
            logger.warning(
                "anyone who can reach %s may use this server: set EMOSTREAM_TOKEN, or listen on 127.0.0.1",
                settings.host,
            )
        shown_host = "localhost" if settings.host in ("127.0.0.1", "0.0.0.0", "::") else settings.host
        scheme, port = "http" if tls is None else "https", listening.getsockname()[1]
        logger.info("dashboard and API on %s://%s:%d", scheme, shown_host, port)
        server = create_server(settings, recognizer, partial(load_recognizer, settings), tls, replicas)
        server.run(sockets=[listening])
        watchdog = server.services.watchdog
        if watchdog is not None and (code := watchdog.exit_code):
            # Exits at once: a normal exit would wait for the threads that hang.
            logging.shutdown()
            os._exit(code)


def _serve_with_reload() -> None:
    """Runs this command in a process that is restarted at every change. Ends with Ctrl-C."""
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

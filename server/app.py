"""The FastAPI app: ``emostream.app:create_app`` is a factory for any ASGI server."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from importlib.metadata import version

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from .analysis.finder import load_finder
from .api import about, compat, corrections, images, legacy, operations, stream
from .api.dashboard import mount_dashboard
from .api.documentation import mount_documentation
from .api.hosts import CheckedHosts
from .api.problems import answer_problems
from .api.request_ids import RequestIds
from .api.request_limit import AnswersInTime
from .api.security_headers import SecurityHeaders
from .api.services import Services
from .cluster.connecting import connect, open_replicas
from .cluster.messages import Replicas
from .inference import Recognizer
from .loading import load_recognizer
from .process import configure_process, configure_server, freeze_heap
from .settings import LOCAL_ENGINE, Settings, read_settings


def create_app(
    settings: Settings | None = None,
    recognizer: Recognizer | None = None,
    restart: Callable[[], Recognizer] | None = None,
    replicas: Replicas | None = None,
) -> FastAPI:
    """The FastAPI app with all routes.

    Settings come from the environment unless given; the recogniser is loaded when the app starts unless
    given, and ``restart`` loads it again should it hang. Where the settings have the engine in a cluster the
    app is a gateway to its ``replicas``, which are looked for unless given.
    Raises nothing itself; starting raises ModelError if the model cannot be used, NoReplicaError if no
    replica answers.
    """
    settings = settings or read_settings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        configure_process()
        configure_server()
        if replicas is not None or (settings.engine != LOCAL_ENGINE and recognizer is None):
            way = replicas
            if way is None:
                way = await asyncio.to_thread(open_replicas, settings.engine)
            services = Services.gateway(settings, await connect(settings, way))
        else:
            loaded, again = recognizer, restart
            if loaded is None:
                again = restart or partial(load_recognizer, settings)
                loaded = await asyncio.to_thread(load_recognizer, settings)
            finder = await asyncio.to_thread(
                load_finder, settings.faces_dir, settings.min_face_px, loaded.input_sizes
            )
            services = Services.around(settings, loaded, finder, again)
        freeze_heap()
        app.state.services = services
        yield
        await services.aclose()

    app = FastAPI(
        title="Emostream",
        description="Facial emotion recognition. `docs/asyncapi.yaml` describes the stream, `WS /ws`.",
        version=version("emostream"),
        lifespan=lifespan,
        openapi_url=None,  # see mount_documentation
    )
    answer_problems(app)
    app.add_middleware(AnswersInTime)
    if settings.allowed_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.allowed_origins,
            allow_methods=["GET", "POST", "DELETE"],
            allow_headers=["Authorization", "Content-Type"],
        )
    # The last one added is asked first, and answers last.
    app.add_middleware(CheckedHosts, settings=settings)
    app.add_middleware(
        SecurityHeaders,
        frame_ancestors=settings.frame_ancestors,
        servers=about.stream_sources(settings.servers),
        has_certificate=settings.ssl_certfile is not None,
    )
    app.add_middleware(RequestIds)
    for routes in (stream, legacy, operations, about, images, corrections, compat):
        app.include_router(routes.router)
    mount_documentation(app, settings)
    mount_dashboard(app, settings.dashboard_dir)
    return app

"""The FastAPI app: ``emostream.app:create_app`` is a factory for any ASGI server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline
from starlette.middleware.cors import CORSMiddleware

from .analysis.finder import load_finder
from .api import compat, images, legacy, operations, stream
from .api.dashboard import mount_dashboard
from .api.hosts import CheckedHosts
from .api.problems import answer_problems
from .api.services import Services
from .inference import Recognizer
from .loading import load_recognizer
from .process import configure_process, freeze_heap
from .settings import Settings, read_settings


def create_app(settings: Settings | None = None, recognizer: Recognizer | None = None) -> FastAPI:
    """The FastAPI app with all routes.

    Settings come from the environment unless given; the recogniser is loaded when the app starts unless
    given. Raises nothing itself; starting raises ModelError if the model cannot be used.
    """
    settings = settings or read_settings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        configure_process()
        loaded = recognizer
        if loaded is None:
            loaded = await asyncio.to_thread(load_recognizer, settings)
        finder = await asyncio.to_thread(
            load_finder, settings.faces_dir, settings.min_face_px, loaded.input_sizes
        )
        freeze_heap()
        services = app.state.services = Services(settings, loaded, finder)
        yield
        await services.aclose()

    # The documentation page's scripts come from this server, not from somebody else's.
    app = FastAPIOffline(
        title="Emostream",
        description="Facial emotion recognition. `docs/asyncapi.yaml` describes the stream, `WS /ws`.",
        version=version("emostream"),
        lifespan=lifespan,
        redoc_url=None,
        favicon_url="/favicon.svg",
    )
    answer_problems(app)
    if settings.allowed_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.allowed_origins,
            allow_methods=["GET", "POST"],
            allow_headers=["Authorization", "Content-Type"],
        )
    app.add_middleware(CheckedHosts, settings=settings)  # the last one added is asked first
    for routes in (stream, legacy, operations, images, compat):
        app.include_router(routes.router)
    mount_dashboard(app, settings.dashboard_dir)
    return app

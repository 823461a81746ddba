"""The app: opens the rooms and connects them."""

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline
from starlette.middleware.cors import CORSMiddleware

from .api import compat, images, legacy, operations, stream
from .api.crop_archive import CropArchive
from .api.dashboard import mount_dashboard
from .api.metrics import Metrics
from .api.problems import answer_problems
from .api.services import Services
from .api.sessions import SessionRegistry
from .inference import Recognizer
from .inference.batcher import Batcher
from .loading import load_recognizer, open_pictures
from .settings import Settings, read_settings


def create_app(settings: Settings | None = None, recognizer: Recognizer | None = None) -> FastAPI:
    """The FastAPI app with all routes.

    Settings come from the environment unless given; the recogniser is loaded when the app starts unless
    given. Raises nothing itself; starting raises ModelError if the model cannot be used.
    """
    settings = settings or read_settings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        loaded = recognizer
        if loaded is None:
            loaded = await asyncio.to_thread(load_recognizer, settings)
        # What is loaded stays. Left to the garbage collector, each full collection walks through all of
        # PyTorch's objects and stops the event loop for 130 ms (measured: bench/event_loop.py).
        gc.collect()
        gc.freeze()
        metrics = Metrics()
        batcher = Batcher(
            loaded,
            settings.max_pixels,
            settings.decode_threads,
            metrics.observe_batch,
            settings.picture_threads,
        )
        pictures = await asyncio.to_thread(open_pictures, settings, loaded.input_sizes, batcher, metrics)
        sessions = SessionRegistry(settings.max_sessions, metrics)
        archive = CropArchive(settings.images_dir)
        app.state.services = Services(settings, loaded, batcher, pictures, archive, sessions, metrics)
        yield
        await sessions.drain(settings.shutdown_timeout_s)
        await batcher.aclose()

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
    for door in (stream, legacy, operations, images, compat):
        app.include_router(door.router)
    mount_dashboard(app, settings.dashboard_dir)
    return app

"""The services that the routes use; the app opens them and passes them with each request."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Self

from starlette.requests import HTTPConnection

from ..analysis.finder import FaceFinder, MissingDetector, RemoteFinder
from ..cluster.remote_batcher import RemoteBatcher
from ..exceptions import ModelError
from ..inference import Recognizer
from ..inference.batcher import CLOSE_TIMEOUT_S
from ..inference.frame_batcher import FrameBatcher, FrameLane
from ..inference.served_model import ServedModel
from ..loading import create_batcher
from ..settings import Settings
from .admission import Admission
from .correction_folder import CorrectionFolder
from .crop_archive import CropArchive
from .failed_tokens import FailedTokens
from .image_service import ImageService
from .metrics import Metrics
from .request_limit import RequestLimit
from .sessions import SessionRegistry
from .watchdog import Watchdog

#: Part of the shutdown time that is reserved for error answers to frames that are not ready.
_RESERVED_PART = 0.25
_MOST_RESERVED_S = 2.0


class Services:
    """Everything that an app keeps open. Owns the order of closing."""

    def __init__(
        self,
        settings: Settings,
        batcher: FrameBatcher,
        finder: FaceFinder | RemoteFinder | MissingDetector,
        model: Callable[[], ServedModel],
        metrics: Metrics,
        watchdog: Watchdog | None = None,
    ) -> None:
        """``model`` says what answers at the moment. ``watchdog`` is for an engine in this process."""
        self.settings = settings
        self.batcher = batcher
        self.finder = finder
        self.metrics = metrics
        self.watchdog = watchdog
        self._model = model
        metrics.watch(batcher)
        self._shutdown_ends: float | None = None  # on the monotonic clock
        self.images = ImageService(
            batcher,
            finder,
            self.model.labels,
            metrics,
            max_pixels=settings.max_image_pixels,
        )
        self.admission = Admission(
            max_requests=settings.max_requests,
            max_upload_bytes=settings.max_upload_bytes,
            max_image_pixels=settings.max_image_pixels,
            max_request_pixels=settings.max_request_pixels,
            max_client_pixels=settings.max_client_pixels,
        )
        self.request_limit = RequestLimit()
        self.failed_tokens = FailedTokens(metrics)
        self.archive = CropArchive(settings.images_dir, settings.max_kept_bytes)
        #: None unless the operator has enabled corrections.
        self.corrections = (
            None
            if settings.corrections_dir is None
            else CorrectionFolder(settings.corrections_dir, settings.max_kept_bytes)
        )
        self.sessions = SessionRegistry(settings.max_sessions, metrics)

    @classmethod
    def around(
        cls,
        settings: Settings,
        recognizer: Recognizer,
        finder: FaceFinder | MissingDetector,
        restart: Callable[[], Recognizer] | None = None,
    ) -> Self:
        """With the recogniser in this process. To be called on the event loop. ``restart`` loads it again,
        should it hang."""
        metrics = Metrics()
        batcher = create_batcher(recognizer, settings, metrics.observe_batch)

        def check(other: Recognizer) -> None:
            if (other.labels, other.input_sizes) != (recognizer.labels, recognizer.input_sizes):
                raise ModelError("the model's files have changed meanwhile")

        watchdog = Watchdog(batcher, metrics, restart, check, settings.engine_timeout_s)
        model = ServedModel.of(recognizer)
        return cls(settings, batcher, finder, lambda: model, metrics, watchdog)

    @classmethod
    def gateway(cls, settings: Settings, batcher: RemoteBatcher) -> Self:
        """With the recogniser in replicas elsewhere."""
        metrics = Metrics()
        batcher.on_batch = metrics.observe_batch
        metrics.watch_replicas(batcher)
        return cls(settings, batcher, batcher.finder, lambda: batcher.model, metrics)

    @property
    def model(self) -> ServedModel:
        """What answers at the moment. Its labels never change."""
        return self._model()

    @asynccontextmanager
    async def working_on(self, client: str, images: Sequence[bytes]) -> AsyncIterator[FrameLane]:
        """A lane for a request's images while they are processed. Raises like ``Admission.working``."""
        async with self.admission.working(client, images):
            with self.images.opened(len(images)) as lane:
                yield lane

    @property
    def shutdown_left_s(self) -> float:
        """The rest of the shutdown time."""
        ends = self._shutdown_ends
        return self.settings.shutdown_timeout_s if ends is None else max(0.0, ends - time.monotonic())

    async def drain(self) -> None:
        """Ends the streaming sessions in order; requests and frames in flight are still computed.

        Those that are not ready in time, since an engine or a decoder hangs or a body does not come, fail
        shortly before the time is up, so that each is answered even so. A web server calls it before it cuts
        connections. Once is enough, more often does no harm.
        """
        limit_s = self.settings.shutdown_timeout_s
        if self._shutdown_ends is None:
            self._shutdown_ends = time.monotonic() + limit_s
            reserved_s = min(_MOST_RESERVED_S, _RESERVED_PART * limit_s)
            loop = asyncio.get_running_loop()
            ends = loop.time() + limit_s - reserved_s
            loop.call_at(ends, self.batcher.abandon)
            self.request_limit.end_at(ends)
        await self.sessions.drain(limit_s)

    async def aclose(self) -> None:
        """Drains, then ends the threads."""
        await self.drain()
        if self.watchdog is not None:
            await self.watchdog.aclose()
        await self.batcher.aclose(min(CLOSE_TIMEOUT_S, self.shutdown_left_s))


def services_of(connection: HTTPConnection) -> Services:
    """The services of the app that a request or WebSocket belongs to."""
    services: Services = connection.app.state.services
    return services

"""The services that the routes use; the app opens them and passes them with each request."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from starlette.requests import HTTPConnection

from ..analysis.finder import FaceFinder, MissingDetector
from ..exceptions import ModelError
from ..inference import Recognizer
from ..inference.batcher import CLOSE_TIMEOUT_S, Batcher, BatcherLane
from ..settings import Settings
from .admission import Admission
from .correction_folder import CorrectionFolder
from .crop_archive import CropArchive
from .failed_tokens import FailedTokens
from .image_service import ImageService
from .metrics import Metrics
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
        recognizer: Recognizer,
        finder: FaceFinder | MissingDetector,
        restart: Callable[[], Recognizer] | None = None,
    ) -> None:
        """Must be created on the event loop. ``restart`` loads the recogniser again if it hangs."""
        self.settings = settings
        self.recognizer = recognizer
        self.finder = finder
        self.metrics = Metrics()
        self.batcher = Batcher(
            recognizer,
            settings.max_pixels,
            settings.decode_threads,
            self.metrics.observe_batch,
            settings.picture_threads,
            settings.detect_threads,
            settings.decode_timeout_s,
            settings.picture_timeout_s,
            settings.engine_timeout_s,
        )
        self.metrics.watch(self.batcher)
        self.watchdog = Watchdog(self.batcher, self.metrics, restart, self._use, settings.engine_timeout_s)
        self._shutdown_ends: float | None = None  # on the monotonic clock
        self.images = ImageService(
            self.batcher,
            finder,
            recognizer.labels,
            self.metrics,
            max_pixels=settings.max_picture_pixels,
        )
        self.admission = Admission(
            max_requests=settings.max_requests,
            max_upload_bytes=settings.max_upload_bytes,
            max_picture_pixels=settings.max_picture_pixels,
            max_request_pixels=settings.max_request_pixels,
            max_client_pixels=settings.max_client_pixels,
        )
        self.failed_tokens = FailedTokens(self.metrics)
        self.archive = CropArchive(settings.images_dir, settings.max_kept_bytes)
        #: None unless the operator has enabled corrections.
        self.corrections = (
            None
            if settings.corrections_dir is None
            else CorrectionFolder(settings.corrections_dir, settings.max_kept_bytes)
        )
        self.sessions = SessionRegistry(settings.max_sessions, self.metrics)

    @asynccontextmanager
    async def working_on(self, client: str, images: Sequence[bytes]) -> AsyncIterator[BatcherLane]:
        """A lane for a request's images while they are processed. Raises like ``Admission.working``."""
        async with self.admission.working(client, images):
            with self.images.opened(len(images)) as lane:
                yield lane

    def _use(self, recognizer: Recognizer) -> None:
        if (recognizer.labels, recognizer.input_sizes) != (
            self.recognizer.labels,
            self.recognizer.input_sizes,
        ):
            raise ModelError("the model's files have changed since the start")
        self.recognizer = recognizer

    @property
    def shutdown_left_s(self) -> float:
        """The rest of the shutdown time."""
        ends = self._shutdown_ends
        return self.settings.shutdown_timeout_s if ends is None else max(0.0, ends - time.monotonic())

    async def drain(self) -> None:
        """Ends the streaming sessions in order; requests and frames in flight are still computed.

        Those that are not ready in time, since an engine or a decoder hangs, fail shortly before the time is
        up, so that each is answered even so. A web server calls it before it cuts connections. Once is
        enough, more often does no harm.
        """
        limit_s = self.settings.shutdown_timeout_s
        if self._shutdown_ends is None:
            self._shutdown_ends = time.monotonic() + limit_s
            reserved_s = min(_MOST_RESERVED_S, _RESERVED_PART * limit_s)
            asyncio.get_running_loop().call_later(limit_s - reserved_s, self.batcher.abandon)
        await self.sessions.drain(limit_s)

    async def aclose(self) -> None:
        """Drains, then ends the threads."""
        await self.drain()
        await self.watchdog.aclose()
        await self.batcher.aclose(min(CLOSE_TIMEOUT_S, self.shutdown_left_s))


def services_of(connection: HTTPConnection) -> Services:
    """The services of the app that a request or WebSocket belongs to."""
    services: Services = connection.app.state.services
    return services

"""What the routes work with, opened by the app and handed to them with each request."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from starlette.requests import HTTPConnection

from ..analysis.finder import FaceFinder, MissingDetector
from ..inference import Recognizer
from ..inference.batcher import Batcher, BatcherLane
from ..settings import Settings
from .admission import Admission
from .crop_archive import CropArchive
from .failed_tokens import FailedTokens
from .image_service import ImageService
from .metrics import Metrics
from .sessions import SessionRegistry


class Services:
    """Everything that one app holds open. Owns the order in which it is closed."""

    def __init__(
        self, settings: Settings, recognizer: Recognizer, finder: FaceFinder | MissingDetector
    ) -> None:
        """To be made on the event loop."""
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
        )
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
        self.sessions = SessionRegistry(settings.max_sessions, self.metrics)

    @asynccontextmanager
    async def working_on(self, client: str, images: Sequence[bytes]) -> AsyncIterator[BatcherLane]:
        """A lane for a request's images, while they are worked on. Raises as ``Admission.working``."""
        async with self.admission.working(client, images):
            with self.images.opened(len(images)) as lane:
                yield lane

    async def drain(self) -> None:
        """Ends the streaming sessions in order; requests and frames in flight are still computed.

        A web server calls it before it cuts connections. Once is enough, more often does no harm.
        """
        await self.sessions.drain(self.settings.shutdown_timeout_s)

    async def aclose(self) -> None:
        """Drains, then ends the threads."""
        await self.drain()
        await self.batcher.aclose()


def services_of(connection: HTTPConnection) -> Services:
    """The services of the app that a request or WebSocket belongs to."""
    services: Services = connection.app.state.services
    return services

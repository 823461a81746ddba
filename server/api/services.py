"""What the routes work with, opened by the app and handed to them with each request."""

from dataclasses import dataclass

from starlette.requests import HTTPConnection

from ..analysis.service import PictureService
from ..inference import Recognizer
from ..inference.batcher import Batcher
from ..settings import Settings
from .crop_archive import CropArchive
from .metrics import Metrics
from .sessions import SessionRegistry


@dataclass(frozen=True)
class Services:
    """The opened rooms of one app."""

    settings: Settings
    recognizer: Recognizer
    batcher: Batcher
    pictures: PictureService
    archive: CropArchive
    sessions: SessionRegistry
    metrics: Metrics


def services_of(connection: HTTPConnection) -> Services:
    """The services of the app that a request or WebSocket belongs to."""
    services = connection.app.state.services
    assert isinstance(services, Services)
    return services

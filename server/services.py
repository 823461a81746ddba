"""What the routes work with, opened by the app and handed to them with each request."""

from dataclasses import dataclass

from starlette.requests import HTTPConnection

from server.inference import Recognizer
from server.inference.batcher import Batcher
from server.metrics import Metrics
from server.pictures.crop_archive import CropArchive
from server.pictures.service import PictureService
from server.sessions import SessionRegistry
from server.settings import Settings


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

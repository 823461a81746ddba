"""``GET /v1/about``: what the page tells people before it asks for their camera."""

from importlib.metadata import version
from urllib.parse import urlsplit

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from .crop_archive import INTERVAL_S
from .services import services_of

router = APIRouter()


class KeptImages(BaseModel):
    """Images of faces that the server keeps, as its operator has set it."""

    every_s: float = Field(description="seconds from one kept image to the next, of all clients together")
    max_bytes: int = Field(description="limit of all kept images together")


class KeptCorrections(BaseModel):
    """Crops that people may have kept with their right label; each person is asked first."""

    max_bytes: int = Field(description="of all kept crops together; then no more are kept")


class About(BaseModel):
    """Who runs this server, and what it does with images."""

    operator: str | None = Field(description="who runs it, in the operator's words")
    notice: dict[str, str] = Field(
        description="the operator's notice by language (BCP 47); `und` where the operator named none"
    )
    kept_images: KeptImages | None = Field(
        description="null: images are held in memory while they are computed, and never written"
    )
    kept_corrections: KeptCorrections | None = Field(description="null: `POST /v1/corrections` keeps nothing")
    model: str
    labels: list[str]
    version: str = Field(description="of Emostream")
    servers: list[str] = Field(description="other servers that this one's page may stream to, as origins")
    frame_ancestors: list[str] = Field(description="origins whose pages may show the page in a frame")


@router.get("/v1/about", tags=["model"])
async def about(request: Request) -> About:
    """What the page tells people before the camera starts. Needs no token, like the page itself."""
    services = services_of(request)
    settings = services.settings
    kept = KeptImages(every_s=INTERVAL_S, max_bytes=settings.max_kept_bytes)
    return About(
        operator=settings.operator,
        notice=dict(settings.notice),
        kept_images=None if settings.images_dir is None else kept,
        kept_corrections=(
            None if services.corrections is None else KeptCorrections(max_bytes=settings.max_kept_bytes)
        ),
        model=services.model.name,
        labels=list(services.model.labels),
        version=version("emostream"),
        servers=list(settings.servers),
        frame_ancestors=list(settings.frame_ancestors),
    )


def stream_sources(servers: tuple[str, ...]) -> tuple[str, ...]:
    """The sources that a page's policy must allow for these servers (origins): HTTP and WebSocket."""
    sockets = {"http": "ws", "https": "wss"}
    parts = [urlsplit(server) for server in servers]
    return (*servers, *(part._replace(scheme=sockets[part.scheme]).geturl() for part in parts))

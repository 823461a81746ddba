"""``GET /healthz``, ``/readyz``, ``/metrics`` and ``/v1/model``: for operators and their tools."""

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel, Field

from server.services import services_of

router = APIRouter()


class Health(BaseModel):
    status: str


class ModelDescription(BaseModel):
    """The model that answers."""

    name: str
    labels: list[str] = Field(description="in the order of the network's outputs")
    members: list[str] = Field(description="networks whose probabilities are averaged")
    input_size: int = Field(description="side in pixels of the largest square crop that a member takes")
    device: str
    precision: str


@router.get("/healthz", tags=["operations"])
async def healthz() -> Health:
    """The process is alive and its event loop turns."""
    return Health(status="alive")


@router.get("/readyz", tags=["operations"], responses={503: {"model": Health}})
async def readyz(request: Request, response: Response) -> Health:
    """The model is loaded and warmed up, and new sessions are accepted."""
    if services_of(request).sessions.is_draining:
        response.status_code = 503
        return Health(status="shutting down")
    return Health(status="ready")


@router.get("/metrics", tags=["operations"], response_class=Response)
async def metrics(request: Request) -> Response:
    """For Prometheus."""
    return Response(services_of(request).metrics.text(), media_type=CONTENT_TYPE_LATEST)


@router.get("/v1/model", tags=["model"])
async def model(request: Request) -> ModelDescription:
    """What answers here: its name, labels, members and where it runs."""
    recognizer = services_of(request).recognizer
    return ModelDescription(
        name=recognizer.name,
        labels=list(recognizer.labels),
        members=list(recognizer.members),
        input_size=max(recognizer.input_sizes),
        device=recognizer.engine.device,
        precision=recognizer.engine.precision,
    )

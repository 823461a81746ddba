"""``GET /healthz``, ``/readyz``, ``/metrics`` and ``/v1/model``: for operators and their tools."""

import asyncio

from fastapi import APIRouter, Depends, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel, Field

from ..imaging.decoding import grey_file
from .access import require_access
from .problems import problem_responses
from .services import Services, services_of

router = APIRouter()

_PROBE_TIMEOUT_S = 2.0


class Health(BaseModel):
    status: str


class ModelDescription(BaseModel):
    """The model that predicts."""

    name: str
    labels: list[str] = Field(description="in the order of the network's outputs")
    members: list[str] = Field(description="networks whose probabilities are averaged")
    input_size: int = Field(description="side in pixels of the largest square crop that a member takes")
    device: str
    precision: str


@router.get("/healthz", tags=["operations"])
async def healthz() -> Health:
    """The process is alive and its event loop responds."""
    return Health(status="alive")


@router.get("/readyz", tags=["operations"], responses={503: {"model": Health}})
async def readyz(request: Request, response: Response) -> Health:
    """The model is loaded and warmed up, its passes succeed, nothing hangs, and new sessions are accepted."""
    services = services_of(request)
    if services.sessions.is_draining:
        response.status_code = 503
        return Health(status="shutting down")
    if (trouble := services.batcher.trouble) is not None:
        response.status_code = 503
        return Health(status=trouble)
    # Tested here: without traffic no batch could succeed again, and the server would never be ready.
    if services.batcher.is_failing and not await _computes(services):
        response.status_code = 503
        return Health(status="the engine fails")
    return Health(status="ready")


async def _computes(services: Services) -> bool:
    """Whether the engine can recognise a grey image."""
    lane = services.batcher.open_lane()
    try:
        await asyncio.wait_for(lane.recognize([grey_file()]), _PROBE_TIMEOUT_S)
    except Exception:  # the batcher has logged the error
        return False
    finally:
        lane.close()
    return True


async def require_access_to_metrics(request: Request) -> None:
    """If a token is set, metrics need it, too, unless settings open them."""
    if not services_of(request).settings.open_metrics:
        await require_access(request)


@router.get(
    "/metrics",
    tags=["operations"],
    response_class=Response,
    dependencies=[Depends(require_access_to_metrics)],
    responses=problem_responses(401, 403),
)
async def metrics(request: Request) -> Response:
    """For Prometheus."""
    return Response(services_of(request).metrics.text(), media_type=CONTENT_TYPE_LATEST)


@router.get("/v1/model", tags=["model"])
async def model(request: Request) -> ModelDescription:
    """The model that predicts: its name, labels, members, device and precision."""
    services = services_of(request)
    served = services.model
    return ModelDescription(
        name=served.name,
        labels=list(served.labels),
        members=list(served.members),
        input_size=max(served.input_sizes),
        device=served.device,
        precision=served.precision,
    )

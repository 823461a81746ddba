"""``POST /v1/corrections``: stores a face crop with its right label, if the operator has enabled it.

Off unless ``CORRECTIONS_DIR`` is set.
"""

import asyncio
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi import Path as PathParameter
from pydantic import BaseModel

from ..exceptions import FolderFullError, ProblemError, did_you_mean
from .access import require_access
from .correction_folder import CorrectionFolder, ReducedCrop, reduced
from .problems import problem_responses
from .services import Services, services_of
from .uploads import client_of, read_form

router = APIRouter(tags=["corrections"], dependencies=[Depends(require_access)])

_ID_PATTERN = r"^[0-9]{8}T[0-9]{6}-[0-9a-f]{32}$"


class CorrectionAnswer(BaseModel):
    """``id`` is secret: whoever has it may delete the crop."""

    id: str
    label: str


_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file", "label", "consent"],
                    "properties": {
                        "file": {"type": "string", "format": "binary", "description": "a face crop"},
                        "label": {"type": "string", "description": "the right label, one of the model's"},
                        "consent": {
                            "const": "true",
                            "description": "true if the person in the image has agreed that it is kept",
                        },
                    },
                }
            }
        },
    }
}


@router.post(
    "/v1/corrections",
    status_code=201,
    responses=problem_responses(400, 401, 403, 404, 408, 413, 415, 422, 500, 503, 507),
    openapi_extra=_BODY,
)
async def correct(request: Request) -> CorrectionAnswer:
    """Stores a face crop with its right label, for `emostream train finetune --from`.

    Only if the operator has set `EMOSTREAM_CORRECTIONS_DIR`, otherwise 404.
    """
    services = services_of(request)
    corrections = _corrections(services)
    upload, fields = await read_form(request, services.settings, "file")
    label = _label(fields, services.model.labels)
    async with services.working_on(client_of(request), [upload.data]) as lane:
        reduce = partial(reduced, upload.data, services.settings.max_pixels)
        crop, _ = await lane.recognize_prepared(reduce)
        correction_id = await asyncio.to_thread(_keep, corrections, crop, label)
    return CorrectionAnswer(id=correction_id, label=label)


@router.delete(
    "/v1/corrections/{correction_id}",
    status_code=204,
    response_class=Response,
    responses=problem_responses(401, 403, 404, 422, 500),
)
async def take_back(
    request: Request, correction_id: Annotated[str, PathParameter(pattern=_ID_PATTERN)]
) -> Response:
    """Deletes a stored crop by its id."""
    services = services_of(request)
    corrections = _corrections(services)
    if not await asyncio.to_thread(corrections.remove, correction_id, services.model.labels):
        raise ProblemError(404, "unknown_correction", "there is no correction with this id")
    return Response(status_code=204)


def _corrections(services: Services) -> CorrectionFolder:
    if services.corrections is None:
        raise ProblemError(404, "corrections_off", "this server does not accept corrections")
    return services.corrections


def _label(fields: dict[str, str], labels: tuple[str, ...]) -> str:
    if fields.get("consent") != "true":
        message = "the person in the image must agree that it is kept: consent=true"
        raise ProblemError(422, "consent_missing", message)
    label = fields.get("label", "")
    if label not in labels:
        hint = did_you_mean(label, labels)
        raise ProblemError(422, "unknown_label", f"the labels are {', '.join(labels)}{hint}")
    return label


def _keep(corrections: CorrectionFolder, crop: ReducedCrop, label: str) -> str:
    try:
        return corrections.keep(crop, label)
    except FolderFullError as error:
        message = "the folder of corrections is full"
        raise ProblemError(507, "corrections_full", message) from error

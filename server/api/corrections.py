"""``POST /v1/corrections``: a face crop with its right label, kept where the operator has asked for it.

Off unless ``CORRECTIONS_DIR`` is set.
"""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi import Path as PathParameter
from pydantic import BaseModel

from ..exceptions import FolderFullError, ProblemError, did_you_mean
from .access import require_access
from .correction_folder import CorrectionFolder
from .problems import problem_responses
from .services import Services, services_of
from .uploads import Upload, client_of, read_form

router = APIRouter(tags=["corrections"], dependencies=[Depends(require_access)])

_ID_PATTERN = r"^[0-9]{8}T[0-9]{6}-[0-9a-f]{32}$"


class CorrectionAnswer(BaseModel):
    """``id`` is known to nobody else: whoever has it may take the crop back."""

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
                        "label": {"type": "string", "description": "the right one, of the model's labels"},
                        "consent": {
                            "const": "true",
                            "description": "the person in the image has agreed that it is kept",
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
    """Keeps a face crop with its right label, for `emostream train finetune --from`.

    Only where the operator has set `EMOSTREAM_CORRECTIONS_DIR`; else 404.
    """
    services = services_of(request)
    corrections = _corrections(services)
    upload, fields = await read_form(request, services.settings, "file")
    label = _label(fields, services.model.labels)
    async with services.admission.working(client_of(request), [upload.data]):
        correction_id = await asyncio.to_thread(_keep, corrections, upload, label, services)
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
    """Deletes a crop that was kept, by the id that was given for it."""
    services = services_of(request)
    corrections = _corrections(services)
    if not await asyncio.to_thread(corrections.remove, correction_id, services.model.labels):
        raise ProblemError(404, "unknown_correction", "there is no correction of this id (any more)")
    return Response(status_code=204)


def _corrections(services: Services) -> CorrectionFolder:
    if services.corrections is None:
        raise ProblemError(404, "corrections_off", "this server keeps no corrections")
    return services.corrections


def _label(fields: dict[str, str], labels: tuple[str, ...]) -> str:
    if fields.get("consent") != "true":
        message = "the person in the image has to agree that it is kept: consent=true"
        raise ProblemError(422, "consent_missing", message)
    label = fields.get("label", "")
    if label not in labels:
        hint = did_you_mean(label, labels)
        raise ProblemError(422, "unknown_label", f"the labels are {', '.join(labels)}{hint}")
    return label


def _keep(corrections: CorrectionFolder, upload: Upload, label: str, services: Services) -> str:
    try:
        return corrections.keep(upload.data, label, services.settings.max_pixels)
    except FolderFullError as error:
        message = "the folder of corrections holds as much as it may"
        raise ProblemError(507, "corrections_full", message) from error

"""Errors over HTTP: RFC 9457 problem documents with a stable ``code``.

FastAPI's own errors have ``detail``, too, so that clients which read it keep working.
"""

import logging
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from ..exceptions import (
    BatcherClosedError,
    DetectorError,
    EmostreamError,
    EngineHangsError,
    ImageError,
    ImageTooLargeError,
    InvalidImageError,
    OverloadedError,
    ProblemError,
    ReplicaError,
)

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"

#: Seconds after which a refused client may try again (Retry-After).
_RETRY_AFTER_S = "1"

#: Codes of the framework's own errors, by status; others are "http_error".
_FRAMEWORK_CODES = {404: "not_found", 405: "method_not_allowed"}

_IMAGE_FAULTS = {
    "empty": (422, "empty_image"),
    "unknown": (422, "not_an_image"),
    "unsupported": (415, "unsupported_type"),
    "broken": (422, "truncated_image"),
}


class ProblemDocument(BaseModel):
    """An error. ``code`` is stable, for programs; ``detail`` is for people."""

    type: str = Field(default="about:blank", description="always about:blank; `code` distinguishes errors")
    title: str = Field(description="the name of the status")
    status: int
    code: str
    detail: str | list[dict[str, Any]] = Field(
        description="a list with one item per wrong parameter, otherwise a text"
    )


def document_of(problem: ProblemError) -> ProblemDocument:
    """The content of a problem document."""
    return ProblemDocument(
        title=HTTPStatus(problem.status).phrase,
        status=problem.status,
        code=problem.code,
        detail=problem.detail,
    )


def response_of(problem: ProblemError) -> JSONResponse:
    """The response for a problem."""
    content = document_of(problem).model_dump(mode="json")
    return JSONResponse(content, problem.status, problem.headers, media_type=MEDIA_TYPE)


def problem_of(error: Exception) -> ProblemError:
    """Converts any error to a problem. An error that is not the client's is logged, and its details are
    hidden."""
    match error:
        case ProblemError():
            return error
        case InvalidImageError():
            status, code = _IMAGE_FAULTS[error.fault]
            return ProblemError(status, code, str(error))
        case ImageTooLargeError():
            return ProblemError(413, "image_too_large", str(error))
        case ImageError():
            return ProblemError(422, error.code, str(error))
        case DetectorError():
            return ProblemError(503, "detector_unavailable", str(error))
        case OverloadedError():
            return ProblemError(503, "overloaded", str(error), {"Retry-After": _RETRY_AFTER_S})
        case EngineHangsError():
            return ProblemError(503, "engine_hangs", str(error), {"Retry-After": _RETRY_AFTER_S})
        case ReplicaError():
            return ProblemError(503, "engine_unavailable", str(error), {"Retry-After": _RETRY_AFTER_S})
        case BatcherClosedError():
            return ProblemError(503, "shutting_down", str(error), {"Retry-After": _RETRY_AFTER_S})
        case _:
            logger.error("a request failed", exc_info=error)
            return ProblemError(500, "internal_error", "the server failed on this request")


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For a route's ``responses``: the statuses of its problem documents."""
    schema = ProblemDocument.model_json_schema()
    return {
        status: {"description": HTTPStatus(status).phrase, "content": {MEDIA_TYPE: {"schema": schema}}}
        for status in statuses
    }


def answer_problems(app: FastAPI) -> None:
    """Makes every error of every route a problem document."""

    async def own(request: Request, error: Exception) -> JSONResponse:
        return response_of(problem_of(error))

    async def framework(request: Request, error: HTTPException) -> JSONResponse:
        code = _FRAMEWORK_CODES.get(error.status_code, "http_error")
        return response_of(ProblemError(error.status_code, code, error.detail, error.headers))

    async def parameters(request: Request, error: RequestValidationError) -> JSONResponse:
        # Without the input itself, which may be large or hostile.
        detail = [
            {"type": item["type"], "loc": [str(part) for part in item["loc"]], "msg": item["msg"]}
            for item in error.errors()
        ]
        return response_of(ProblemError(422, "invalid_parameter", detail))

    app.exception_handler(EmostreamError)(own)
    app.exception_handler(HTTPException)(framework)
    app.exception_handler(RequestValidationError)(parameters)
    app.exception_handler(Exception)(own)

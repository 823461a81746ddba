"""Errors over HTTP: RFC 9457 problem documents with a stable ``code``.

``detail`` is what FastAPI's own errors carry, so that clients which read it go on to work.
"""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from ..analysis.service import OverloadedError
from ..exceptions import DetectorError, EmostreamError, ImageError, ImageTooLargeError, InvalidImageError
from ..inference.batcher import BatcherClosedError

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"

#: Seconds after which a client that was turned away may try again.
_RETRY_AFTER_S = "1"

#: Codes of errors that the framework raises by itself, by status; others are "http_error".
_FRAMEWORK_CODES = {404: "not_found", 405: "method_not_allowed"}

_IMAGE_FAULTS = {
    "empty": (422, "empty_image"),
    "unknown": (422, "not_an_image"),
    "unsupported": (415, "unsupported_type"),
    "broken": (422, "truncated_image"),
}


class ProblemDocument(BaseModel):
    """An error. ``code`` is for programs and does not change; ``detail`` is for people."""

    type: str = Field(default="about:blank", description="always about:blank: `code` tells errors apart")
    title: str = Field(description="the status in words")
    status: int
    code: str
    detail: str | list[dict[str, Any]] = Field(description="a list where parameters are wrong, one item each")


class ProblemError(EmostreamError):
    """An error that is answered as a problem document."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str | list[dict[str, Any]],
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(str(detail))
        self.status = status
        self.code = code
        self.detail = detail
        self.headers = headers

    def document(self) -> ProblemDocument:
        return ProblemDocument(
            title=HTTPStatus(self.status).phrase, status=self.status, code=self.code, detail=self.detail
        )

    def response(self) -> JSONResponse:
        return JSONResponse(
            self.document().model_dump(mode="json"), self.status, self.headers, media_type=MEDIA_TYPE
        )


def problem_of(error: Exception) -> ProblemError:
    """Any error as a problem. What is not the client's fault is logged, and says nothing of itself."""
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
        case BatcherClosedError():
            return ProblemError(503, "shutting_down", str(error), {"Retry-After": _RETRY_AFTER_S})
        case _:
            logger.error("a request failed", exc_info=error)
            return ProblemError(500, "internal_error", "the server could not answer this request")


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For a route's ``responses``: the statuses of its problem documents."""
    schema = ProblemDocument.model_json_schema()
    return {
        status: {"description": HTTPStatus(status).phrase, "content": {MEDIA_TYPE: {"schema": schema}}}
        for status in statuses
    }


def answer_problems(app: FastAPI) -> None:
    """Has every error of every route answered as a problem document."""

    async def own(request: Request, error: Exception) -> JSONResponse:
        return problem_of(error).response()

    async def framework(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)
        code = _FRAMEWORK_CODES.get(error.status_code, "http_error")
        return ProblemError(error.status_code, code, error.detail, error.headers).response()

    async def parameters(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)
        # Without the input itself, which may be anything.
        detail = [
            {"type": item["type"], "loc": [str(part) for part in item["loc"]], "msg": item["msg"]}
            for item in error.errors()
        ]
        return ProblemError(422, "invalid_parameter", detail).response()

    app.add_exception_handler(EmostreamError, own)
    app.add_exception_handler(HTTPException, framework)
    app.add_exception_handler(RequestValidationError, parameters)
    app.add_exception_handler(Exception, own)

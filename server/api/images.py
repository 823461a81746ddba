"""``POST /v1/faces`` and ``/v1/annotate``: pictures over HTTP."""

import asyncio
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, Field

from ..analysis.service import PictureTiming, RecognizedPicture
from ..annotation.drawing import LabelledBox, PictureFormat, annotate, encode
from ..inference.batcher import Session
from .accept import preferred_format
from .access import require_access
from .problems import ProblemDocument, problem_of, problem_responses
from .services import Services, services_of
from .uploads import Upload, read_picture, read_pictures

router = APIRouter(tags=["pictures"], dependencies=[Depends(require_access)])

_PROBLEMS = problem_responses(400, 401, 403, 408, 413, 415, 422, 500, 503)


class FaceAnswer(BaseModel):
    """One face. ``predictions`` sum to 1; ``confidence`` is the largest."""

    box: list[int] = Field(min_length=4, max_length=4, description="[x, y, width, height] in pixels")
    score: float = Field(ge=0, le=1, description="how sure the detector is that this is a face")
    emotion: str
    confidence: float
    predictions: dict[str, float]


class TimingAnswer(BaseModel):
    """Where the time of one picture went, in ms; ``batch_size`` counts the faces it was computed with."""

    decode_ms: float
    detect_ms: float
    crop_ms: float
    queue_ms: float
    inference_ms: float
    total_ms: float
    batch_size: int


class PictureAnswer(BaseModel):
    """One picture: its size, upright, and its faces, largest first; or what is wrong with it."""

    name: str | None = Field(description="the file's name, if it was sent with one")
    width: int | None = None
    height: int | None = None
    faces: list[FaceAnswer] | None = None
    timing: TimingAnswer | None = None
    error: ProblemDocument | None = None


class FacesAnswer(BaseModel):
    """Every picture in the request's order. ``width``, ``height`` and ``faces`` repeat the first one's, for
    clients that send one only; they are null where that one failed."""

    width: int | None
    height: int | None
    faces: list[FaceAnswer] | None
    images: list[PictureAnswer]


_BINARY = {"schema": {"type": "string", "format": "binary"}}

#: What the body may be: FastAPI can't tell, since the routes read it themselves, up to a limit.
PICTURE_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {
                            "type": "array",
                            "items": {"type": "string", "format": "binary"},
                            "minItems": 1,
                        }
                    },
                }
            },
            "image/jpeg": _BINARY,
            "image/png": _BINARY,
            "image/webp": _BINARY,
            "application/json": {
                "schema": {
                    "oneOf": [
                        {
                            "type": "object",
                            "required": ["image"],
                            "properties": {
                                "image": {"type": "string", "description": "base64, or a data URL"}
                            },
                        },
                        {
                            "type": "object",
                            "required": ["images"],
                            "properties": {
                                "images": {"type": "array", "items": {"type": "string"}, "minItems": 1}
                            },
                        },
                    ]
                }
            },
        },
    }
}

MaxFaces = Annotated[
    int | None,
    Query(
        ge=1, le=256, description="most faces of a picture, largest first; the server's limit if not given"
    ),
]


@router.post("/v1/faces", responses=_PROBLEMS, openapi_extra=PICTURE_BODY)
async def faces(request: Request, max_faces: MaxFaces = None) -> FacesAnswer:
    """Finds every face of one or several pictures and recognises its emotion.

    A picture that cannot be used is answered by a problem document, in its place in `images` where there
    are others.
    """
    services = services_of(request)
    with services.pictures.entered():
        uploads = await read_pictures(request, services.settings)
        limit = _face_limit(services, max_faces)
        with services.pictures.opened(len(uploads)) as session:
            if len(uploads) == 1:
                answers = [await _answer(services, session, uploads[0], limit)]
            else:
                work = (_answer_or_error(services, session, upload, limit) for upload in uploads)
                answers = await asyncio.gather(*work)
    first = answers[0]
    return FacesAnswer(width=first.width, height=first.height, faces=first.faces, images=answers)


@router.post(
    "/v1/annotate",
    response_class=Response,
    responses={
        200: {
            "description": "The picture, upright, with boxes and labels",
            "content": {"image/jpeg": _BINARY, "image/png": _BINARY},
        },
        **problem_responses(400, 401, 403, 406, 408, 413, 415, 422, 500, 503),
    },
    openapi_extra=PICTURE_BODY,
)
async def annotated(request: Request, max_faces: MaxFaces = None) -> Response:
    """The picture back with every face's box and emotion drawn in: JPEG, or PNG if `Accept` asks for it."""
    services = services_of(request)
    picture_format = preferred_format(request.headers.get("accept", "*/*"))
    with services.pictures.entered():
        data = await read_picture(request, services.settings)
        with services.pictures.opened(1) as session:
            answer = await services.pictures.recognize(
                session, data, _face_limit(services, max_faces), keep_picture=True
            )
        content = await asyncio.to_thread(_drawn, answer, services.recognizer.labels, picture_format)
    return Response(content, media_type=f"image/{picture_format.lower()}")


async def _answer_or_error(
    services: Services, session: Session, upload: Upload, max_faces: int
) -> PictureAnswer:
    try:
        return await _answer(services, session, upload, max_faces)
    except Exception as error:
        # Any failure becomes an answer: this picture's, and nobody else's.
        return PictureAnswer(name=upload.name, error=problem_of(error).document())


async def _answer(services: Services, session: Session, upload: Upload, max_faces: int) -> PictureAnswer:
    if upload.fault is not None:
        raise upload.fault
    answer = await services.pictures.recognize(session, upload.data, max_faces)
    return PictureAnswer(
        name=upload.name,
        width=answer.size_wh[0],
        height=answer.size_wh[1],
        faces=_face_answers(answer, services.recognizer.labels),
        timing=_timing_answer(answer.timing),
    )


def _face_answers(answer: RecognizedPicture, labels: tuple[str, ...]) -> list[FaceAnswer]:
    faces = []
    for face, row in zip(answer.faces, answer.probabilities, strict=True):
        best = int(np.argmax(row))
        faces.append(
            FaceAnswer(
                box=list(face.box_xywh),
                score=round(face.score, 4),
                emotion=labels[best],
                confidence=round(float(row[best]), 4),
                predictions={label: round(float(p), 4) for label, p in zip(labels, row, strict=True)},
            )
        )
    return faces


def _timing_answer(timing: PictureTiming) -> TimingAnswer:
    return TimingAnswer(
        decode_ms=round(timing.decode_ms, 2),
        detect_ms=round(timing.detect_ms, 2),
        crop_ms=round(timing.crop_ms, 2),
        queue_ms=round(timing.queue_ms, 2),
        inference_ms=round(timing.inference_ms, 2),
        total_ms=round(timing.total_ms, 2),
        batch_size=timing.batch_size,
    )


def _drawn(answer: RecognizedPicture, labels: tuple[str, ...], picture_format: PictureFormat) -> bytes:
    assert answer.picture is not None  # it was asked for
    boxes = [
        LabelledBox(face.box_xywh, labels[int(np.argmax(row))], float(row.max()))
        for face, row in zip(answer.faces, answer.probabilities, strict=True)
    ]
    return encode(annotate(answer.picture, boxes), picture_format)


def _face_limit(services: Services, asked: int | None) -> int:
    limit = services.settings.max_faces
    return limit if asked is None else min(asked, limit)

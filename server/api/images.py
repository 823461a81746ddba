"""``POST /v1/faces`` and ``/v1/annotate``: images over HTTP."""

import asyncio
import io
from dataclasses import asdict
from typing import Annotated, Any, Literal

import mimeparse
from fastapi import APIRouter, Depends, Query, Request, Response
from PIL import Image
from pydantic import BaseModel, Field

from ..exceptions import ProblemError
from ..faces import Faces, Reason
from ..inference.frame_batcher import FrameLane
from .access import require_access
from .image_service import AnalyzedImage
from .problems import ProblemDocument, document_of, problem_of, problem_responses
from .services import Services, services_of
from .uploads import Upload, client_of, read_image, read_images

router = APIRouter(tags=["images"], dependencies=[Depends(require_access)])

_PROBLEMS = problem_responses(400, 401, 403, 408, 413, 415, 422, 500, 503)


#: Of an ``Accept`` header; to read 60,000 characters takes a tenth of a second.
_MAX_ACCEPT_LENGTH = 2000

ImageType = Literal["image/jpeg", "image/png"]


class QualityAnswer(BaseModel):
    """How well a face can be seen. Angles are 0 for a face that looks straight into the camera."""

    sharpness: float = Field(ge=0, description="independent of size, light and contrast")
    brightness: float = Field(ge=0, le=1, description="mean luma of the face")
    size_px: float | None = Field(description="the longer side of the face's box")
    roll_deg: float | None = Field(description="positive if the head is tilted clockwise")
    yaw_deg: float | None = Field(description="positive if it looks to the image's right")
    pitch_deg: float | None = Field(description="positive if it looks up")
    visible: float | None = Field(ge=0, le=1, description="the part of its box inside the image")


class FaceAnswer(BaseModel):
    """One face. ``predictions`` sum to 1; ``confidence`` is the largest."""

    box: list[int] = Field(min_length=4, max_length=4, description="[x, y, width, height] in pixels")
    score: float = Field(ge=0, le=1, description="how sure the detector is that this is a face")
    emotion: str
    confidence: float
    predictions: dict[str, float]
    quality: QualityAnswer | None
    uncertain: bool = Field(description="whether the prediction should not be trusted")
    reasons: list[Reason] = Field(description="why; empty if it is not uncertain")


class TimingAnswer(BaseModel):
    """The time of each step of one image, in ms; ``batch_size`` is the number of faces in its batch."""

    decode_ms: float
    detect_ms: float
    crop_ms: float
    queue_ms: float
    inference_ms: float
    total_ms: float
    batch_size: int


class ImageAnswer(BaseModel):
    """One image: its upright size and its faces, largest first; or its error."""

    name: str | None = Field(description="the file's name, if it was sent with one")
    width: int | None = None
    height: int | None = None
    faces: list[FaceAnswer] | None = None
    timing: TimingAnswer | None = None
    error: ProblemDocument | None = None


class FacesAnswer(BaseModel):
    """Every image in the request's order. ``width``, ``height`` and ``faces`` repeat the first one's, for
    clients that send one image; they are null if it failed."""

    width: int | None
    height: int | None
    faces: list[FaceAnswer] | None
    images: list[ImageAnswer]


_BINARY = {"schema": {"type": "string", "format": "binary"}}

#: The body's forms: FastAPI cannot know them, since the routes read the body themselves, up to a limit.
IMAGE_BODY: dict[str, Any] = {
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
            "image/bmp": _BINARY,
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
    Query(ge=1, le=256, description="most faces per image, largest first; default: the server's limit"),
]


@router.post("/v1/faces", responses=_PROBLEMS, openapi_extra=IMAGE_BODY)
async def faces(request: Request, max_faces: MaxFaces = None) -> FacesAnswer:
    """Detects every face in one or more images and predicts its emotion.

    A bad image is answered with a problem document; if there are others, it is the image's entry in
    `images`.
    """
    services = services_of(request)
    uploads = await read_images(request, services.settings)
    limit = _face_limit(services, max_faces)
    async with services.working_on(client_of(request), [upload.data for upload in uploads]) as lane:
        if len(uploads) == 1:
            answers = [await _answer(services, lane, uploads[0], limit)]
        else:
            work = (_answer_or_error(services, lane, upload, limit) for upload in uploads)
            answers = await asyncio.gather(*work)
    first = answers[0]
    return FacesAnswer(width=first.width, height=first.height, faces=first.faces, images=answers)


@router.post(
    "/v1/annotate",
    response_class=Response,
    responses={
        200: {
            "description": "The image, upright, with boxes and labels",
            "content": {"image/jpeg": _BINARY, "image/png": _BINARY},
        },
        **problem_responses(400, 401, 403, 406, 408, 413, 415, 422, 500, 503),
    },
    openapi_extra=IMAGE_BODY,
)
async def annotated(request: Request, max_faces: MaxFaces = None) -> Response:
    """Returns the image with every face's box and emotion drawn in: JPEG, or PNG if `Accept` asks for it."""
    services = services_of(request)
    media_type = preferred_type(request.headers.get("accept", ""))
    data = await read_image(request, services.settings)
    async with services.working_on(client_of(request), [data]) as lane:
        limit = _face_limit(services, max_faces)
        analyzed = await services.images.analyze(lane, data, limit, keep_image=True)
        content = await asyncio.to_thread(_drawn, analyzed.faces, media_type)
    return Response(content, media_type=media_type)


def preferred_type(accept: str) -> ImageType:
    """The client's preferred media type (RFC 9110, section 12.5.1); in a tie, JPEG.

    Raises ProblemError with status 406 if neither is accepted. A header far longer than browsers' is ignored.
    """
    if len(accept) > _MAX_ACCEPT_LENGTH:
        accept = ""
    try:
        chosen = mimeparse.best_match(["image/png", "image/jpeg"], accept.lower() or "*/*")
    except mimeparse.MimeTypeParseException:
        chosen = ""
    if chosen == "image/png":
        return "image/png"
    if chosen == "image/jpeg":
        return "image/jpeg"
    raise ProblemError(406, "not_acceptable", "the image is available as image/jpeg or image/png")


async def _answer_or_error(
    services: Services, lane: FrameLane, upload: Upload, max_faces: int
) -> ImageAnswer:
    try:
        return await _answer(services, lane, upload, max_faces)
    except Exception as error:
        # Any failure becomes this image's error; other images go on.
        return ImageAnswer(name=upload.name, error=document_of(problem_of(error)))


async def _answer(services: Services, lane: FrameLane, upload: Upload, max_faces: int) -> ImageAnswer:
    if upload.fault is not None:
        raise upload.fault
    analyzed = await services.images.analyze(lane, upload.data, max_faces)
    width, height = analyzed.faces.size_wh
    return ImageAnswer(
        name=upload.name,
        width=width,
        height=height,
        faces=[FaceAnswer.model_validate(face.to_dict()) for face in analyzed.faces],
        timing=_timing(analyzed),
    )


def _timing(analyzed: AnalyzedImage) -> TimingAnswer:
    stages = asdict(analyzed.timing) | {"total_ms": analyzed.total_ms}
    rounded = {name: round(duration, 2) for name, duration in stages.items()}
    return TimingAnswer(**rounded, batch_size=analyzed.batch_size)


def _drawn(faces: Faces, media_type: ImageType) -> bytes:
    buffer = io.BytesIO()
    image: Image.Image = faces.draw(bars=False)
    if media_type == "image/jpeg":
        image.save(buffer, "JPEG", quality=90)
    else:
        image.save(buffer, "PNG", compress_level=3)  # twice as fast as the default, a few percent larger
    return buffer.getvalue()


def _face_limit(services: Services, asked: int | None) -> int:
    limit = services.settings.max_faces
    return limit if asked is None else min(asked, limit)

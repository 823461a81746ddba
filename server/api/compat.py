"""The routes of older systems, whose clients only need a new address. docs/images.md lists them."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field

from ..exceptions import ProblemError
from ..faces import BoxXywh, Faces
from .access import require_access
from .compat_words import EMOTION, FACE, PREDICT, RECOGNIZE, in_words, likeliest
from .problems import problem_responses
from .services import Services, services_of
from .uploads import client_of, read_base64, read_base64_field, read_file

router = APIRouter(tags=["older clients"])
_GUARD = [Depends(require_access)]
_PROBLEMS = problem_responses(400, 401, 403, 408, 413, 415, 422, 500, 503)


class RecognizeAnswer(BaseModel):
    """Probabilities of the largest face, rounded to four places.

    Labels of a model that are no emotions, such as "bored", are additional fields.
    """

    model_config = ConfigDict(extra="allow")

    anger: float
    disgust: float
    fear: float
    happiness: float
    neutral: float
    sadness: float
    surprise: float


class PredictedFace(BaseModel):
    x: int
    y: int
    width: int
    height: int
    label: str = Field(
        description="neutral, happy, sad, surprise, fear, disgust, anger or contempt; or a label of the model"
    )


class EmotionFace(BaseModel):
    bounding_box: list[int] = Field(min_length=4, max_length=4, description="[x, y, width, height]")
    emotion: str = Field(description="happy, sad, angry, fear, surprise, neutral or disgust")
    confidence: float


class FaceAnswer(BaseModel):
    predictions: dict[str, float] = Field(description="in percent, highest first")


def _form(field: str, schema: Mapping[str, Any], *media_types: str) -> dict[str, Any]:
    """For ``openapi_extra``: a form with one field."""
    body = {"schema": {"type": "object", "required": [field], "properties": {field: schema}}}
    return {"requestBody": {"required": True, "content": dict.fromkeys(media_types, body)}}


_FILE = {"type": "string", "format": "binary"}
_FILE_FORM = _form("file", _FILE, "multipart/form-data")
_IMAGE_FORM = _form("image", _FILE, "multipart/form-data")
_BASE64_FORM = _form(
    "imgBase64", {"type": "string"}, "multipart/form-data", "application/x-www-form-urlencoded"
)
_TEXT_BODY = {"requestBody": {"required": True, "content": {"text/plain": {"schema": {"type": "string"}}}}}


@router.get("/ping")
async def ping() -> str:
    """Answers "ping" while the server is alive. Needs no token."""
    return "ping"


@router.post("/recognize/file", dependencies=_GUARD, responses=_PROBLEMS, openapi_extra=_FILE_FORM)
async def recognize_file(request: Request) -> RecognizeAnswer:
    """Probabilities of the largest face in the image `file`."""
    services = services_of(request)
    return await _largest_face(request, services, await read_file(request, services.settings, "file"))


@router.post("/recognize/base64", dependencies=_GUARD, responses=_PROBLEMS, openapi_extra=_TEXT_BODY)
async def recognize_base64(request: Request) -> RecognizeAnswer:
    """Probabilities of the largest face in an image that is sent as base64 text or as a data URL."""
    services = services_of(request)
    return await _largest_face(request, services, await read_base64(request, services.settings))


@router.post("/predict", dependencies=_GUARD, responses=_PROBLEMS, openapi_extra=_FILE_FORM)
async def predict(request: Request) -> list[PredictedFace]:
    """Every face in the image `file`: box and label."""
    services = services_of(request)
    faces = await _analyzed(request, services, await read_file(request, services.settings, "file"))
    found = []
    for (x, y, width, height), words in _in_words(faces, PREDICT):
        label, _ = likeliest(words)
        found.append(PredictedFace(x=x, y=y, width=width, height=height, label=label))
    return found


@router.post("/emotion", dependencies=_GUARD, responses=_PROBLEMS, openapi_extra=_IMAGE_FORM)
async def emotion(request: Request) -> list[EmotionFace]:
    """Every face in `image`: bounding box, emotion and confidence in [0, 1]."""
    services = services_of(request)
    faces = await _analyzed(request, services, await read_file(request, services.settings, "image"))
    found = []
    for box, words in _in_words(faces, EMOTION):
        word, confidence = likeliest(words)
        found.append(EmotionFace(bounding_box=list(box), emotion=word, confidence=confidence))
    return found


@router.post("/face", dependencies=_GUARD, responses=_PROBLEMS, openapi_extra=_BASE64_FORM)
async def face_(request: Request) -> FaceAnswer:
    """The emotions of a face crop, in percent, highest first."""
    services = services_of(request)
    image = await read_base64_field(request, services.settings, "imgBase64")
    async with services.working_on(client_of(request), [image]) as lane:
        face = await services.images.recognize_crop(lane, image)
    await services.archive.offer(image, face.emotion, face.confidence)
    words = in_words(FACE, face.probabilities)
    highest_first = sorted(words.items(), key=lambda item: -item[1])
    return FaceAnswer(predictions={word: round(100 * value, 2) for word, value in highest_first})


async def _analyzed(request: Request, services: Services, data: bytes, max_faces: int | None = None) -> Faces:
    async with services.working_on(client_of(request), [data]) as lane:
        limit = max_faces or services.settings.max_faces
        return (await services.images.analyze(lane, data, limit)).faces


async def _largest_face(request: Request, services: Services, data: bytes) -> RecognizeAnswer:
    faces = await _analyzed(request, services, data, max_faces=1)
    if not faces:
        raise ProblemError(422, "no_face", "No face detected")
    # The model never predicts an emotion that it lacks.
    return RecognizeAnswer(**dict.fromkeys(RECOGNIZE, 0.0) | in_words(RECOGNIZE, faces[0].probabilities))


def _in_words(faces: Faces, words: Mapping[str, str]) -> list[tuple[BoxXywh, dict[str, float]]]:
    """Each face's box, and its probabilities in an older system's words."""
    return [
        (face.box_xywh, in_words(words, face.probabilities)) for face in faces if face.box_xywh is not None
    ]

"""The images in a request's body, in whichever form they come: read up to a limit, kept in memory only."""

import asyncio
import base64
import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from pydantic import BaseModel, Field, ValidationError, model_validator
from starlette.formparsers import FormParser, MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request

from ..exceptions import ProblemError
from ..settings import Settings

#: What a raw body may be announced as. The bytes themselves decide what it is.
IMAGE_TYPES = ("image/jpeg", "image/png", "image/webp", "image/jpg", "application/octet-stream")

#: Fields of a form that are no images: none is read, but clients send them.
_MAX_OTHER_FIELDS = 16

_WHITESPACE = re.compile(r"\s+")


@dataclass(frozen=True)
class Upload:
    """One encoded image, and the name that the client has for it, if any.

    ``fault`` is there where the image itself could not even be read; its neighbours are not affected.
    """

    name: str | None
    data: bytes
    fault: ProblemError | None = None


class _InMemoryParser(MultiPartParser):
    """Images never touch the disk; the body's limit bounds the memory."""

    spool_max_size = 2**62


class _JsonBody(BaseModel):
    """``{"image": …}`` or ``{"images": [ … ]}``, each base64, bare or as a data URL."""

    image: str | None = None
    images: list[str] = Field(default_factory=list)

    @model_validator(mode="after")
    def _has_one(self) -> "_JsonBody":
        if (self.image is None) == (not self.images):
            raise ValueError('expected {"image": "<base64>"} or {"images": ["<base64>", …]}')
        return self


async def read_images(request: Request, settings: Settings) -> list[Upload]:
    """The images of a multipart, raw or JSON body; at least one, at most ``max_pictures``.

    Raises ProblemError.
    """
    kind = media_type(request)
    if kind == "multipart/form-data":
        return _files(await read_form(request, settings))
    if kind == "application/json":
        return await asyncio.to_thread(_images_in_json, await read_body(request, settings), settings)
    if kind in IMAGE_TYPES:
        return [Upload(None, await read_body(request, settings))]
    raise ProblemError(
        415,
        "unsupported_type",
        f"the body is {kind or 'of no type'}; send image/jpeg, image/png, image/webp, multipart/form-data or "
        "application/json",
    )


async def read_image(request: Request, settings: Settings) -> bytes:
    """The one image of a body in any form. Raises ProblemError."""
    uploads = await read_images(request, settings)
    if len(uploads) > 1:
        raise ProblemError(422, "too_many_pictures", f"expected one picture, got {len(uploads)}")
    if uploads[0].fault is not None:
        raise uploads[0].fault
    return uploads[0].data


async def read_file(request: Request, settings: Settings, field: str) -> bytes:
    """The file in one field of a multipart form. Raises ProblemError."""
    if media_type(request) != "multipart/form-data":
        raise ProblemError(415, "unsupported_type", f"expected multipart/form-data with a file in {field!r}")
    return _files(await read_form(request, settings), field)[0].data


async def read_form_text(request: Request, settings: Settings, field: str) -> str:
    """One field of a form, multipart or URL-encoded. Raises ProblemError."""
    if media_type(request) not in ("multipart/form-data", "application/x-www-form-urlencoded"):
        raise ProblemError(415, "unsupported_type", f"expected a form with the field {field!r}")
    for name, value in await read_form(request, settings):
        if name == field:
            # A field with a file name is meant as well.
            return value if isinstance(value, str) else value.data.decode("ascii", errors="replace")
    raise _missing(field)


async def read_body(request: Request, settings: Settings) -> bytes:
    """The whole body. Raises ProblemError, for one above the limit before it has all come."""
    async with _timely(settings):
        return b"".join([chunk async for chunk in _limited(request, settings.max_upload_bytes)])


async def read_form(request: Request, settings: Settings) -> list[tuple[str, Upload | str]]:
    """A form's fields and files by their names, in their order. Raises ProblemError."""
    stream = _limited(request, settings.max_upload_bytes)
    limit = settings.max_upload_bytes
    if media_type(request) == "multipart/form-data":
        parser: MultiPartParser | FormParser = _InMemoryParser(
            request.headers,
            stream,
            max_files=settings.max_pictures,
            max_fields=_MAX_OTHER_FIELDS,
            max_part_size=limit,
        )
    else:
        parser = FormParser(request.headers, stream, max_fields=_MAX_OTHER_FIELDS, max_part_size=limit)
    try:
        async with _timely(settings):
            form = await parser.parse()
    except MultiPartException as error:
        if error.message.startswith("Too many files"):
            raise _too_many(settings) from error
        raise ProblemError(400, "invalid_body", f"the form cannot be read: {error.message}") from error
    fields: list[tuple[str, Upload | str]] = []
    for name, value in form.multi_items():
        if isinstance(value, str):
            fields.append((name, value))
        else:
            fields.append((name, Upload(value.filename or None, await value.read())))
    await form.close()
    return fields


def media_type(request: Request) -> str:
    """Of the body, in lower case and without parameters; empty if there is none."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def decode_base64(text: str) -> bytes:
    """An image given as base64, bare or as a data URL. Raises ProblemError."""
    if text[:5].lower() == "data:":
        text = text.partition(",")[2]
    text = _WHITESPACE.sub("", text)
    try:
        return base64.b64decode(text, validate=True)
    except ValueError as error:  # binascii.Error is one; letters beyond ASCII raise another
        raise ProblemError(422, "invalid_base64", f"the picture is no base64: {error}") from error


def _images_in_json(body: bytes, settings: Settings) -> list[Upload]:
    try:
        content = _JsonBody.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        raise ProblemError(400, "invalid_body", f"the JSON cannot be used: {first['msg']}") from error
    texts = content.images if content.image is None else [content.image]
    if len(texts) > settings.max_pictures:
        raise _too_many(settings)
    return [_upload_of(text) for text in texts]


def _upload_of(text: str) -> Upload:
    try:
        return Upload(None, decode_base64(text))
    except ProblemError as error:
        return Upload(None, b"", error)


def _files(form: list[tuple[str, Upload | str]], field: str = "file") -> list[Upload]:
    files = [(name, value) for name, value in form if isinstance(value, Upload)]
    # Clients that send files under another name mean them, too.
    chosen = [value for name, value in files if name == field] or [value for _, value in files]
    if not chosen:
        raise _missing(field)
    return chosen


def _missing(field: str) -> ProblemError:
    detail = [{"type": "missing", "loc": ["body", field], "msg": "Field required"}]
    return ProblemError(422, "missing_field", detail)


def _too_many(settings: Settings) -> ProblemError:
    return ProblemError(
        422, "too_many_pictures", f"at most {settings.max_pictures} pictures are accepted in one request"
    )


async def _limited(request: Request, max_bytes: int) -> AsyncGenerator[bytes, None]:
    """The body as it comes. Raises ProblemError as soon as it is known to be too large."""
    too_large = ProblemError(413, "body_too_large", f"a request may have {max_bytes} bytes at most")
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > max_bytes:
        raise too_large
    received = 0
    try:
        async for chunk in request.stream():
            received += len(chunk)
            if received > max_bytes:
                raise too_large
            yield chunk
    except ClientDisconnect as error:
        raise ProblemError(400, "client_disconnected", "the client left before the body had come") from error


@asynccontextmanager
async def _timely(settings: Settings) -> AsyncIterator[None]:
    """The body must have come in time: a slow client holds one of the places for requests."""
    try:
        async with asyncio.timeout(settings.upload_timeout_s):
            yield
    except TimeoutError as error:
        message = f"the body did not come within {settings.upload_timeout_s:g} s"
        raise ProblemError(408, "request_timeout", message) from error

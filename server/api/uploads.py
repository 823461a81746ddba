"""Reads the images of a request's body in any form, up to a limit, in memory only."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from pydantic import BaseModel, Field, ValidationError, model_validator
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request

from ..addresses import network_of
from ..exceptions import ProblemError
from ..settings import Settings
from .admission import Reception
from .services import services_of
from .text_bodies import (
    MAX_OTHER_FIELDS,
    decode_base64,
    decode_form_base64,
    decode_text_base64,
    parse_form,
    parse_json,
)

#: Accepted types of a raw body. The bytes themselves decide the format.
IMAGE_TYPES = (
    *("image/jpeg", "image/png", "image/webp", "image/bmp"),
    *("image/jpg", "image/x-ms-bmp", "application/octet-stream"),
)


@dataclass(frozen=True)
class Upload:
    """One encoded image, and the client's name for it, if any.

    ``fault`` is set if the image could not even be read; other images are not affected.
    """

    name: str | None
    data: bytes
    fault: ProblemError | None = None


class _InMemoryParser(MultiPartParser):
    """Images are never written to disk; the body's limit bounds the memory."""

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
    """The images of a multipart, raw or JSON body; at least one, at most ``max_images``.

    Raises ProblemError.
    """
    kind = media_type(request)
    if kind == "multipart/form-data":
        return _files(await _read_form(request, settings))
    if kind == "application/json":
        return await asyncio.to_thread(_images_in_json, await _read_text(request, settings), settings)
    if kind in IMAGE_TYPES:
        return [Upload(None, await _read_body(request, settings, settings.max_upload_bytes))]
    raise ProblemError(
        415,
        "unsupported_type",
        f"the body is {kind or 'of no type'}; send image/jpeg, image/png, image/webp, image/bmp, "
        "multipart/form-data or application/json",
    )


async def read_image(request: Request, settings: Settings) -> bytes:
    """The one image of a body in any form. Raises ProblemError."""
    uploads = await read_images(request, settings)
    if len(uploads) > 1:
        raise ProblemError(422, "too_many_images", f"expected one image, got {len(uploads)}")
    if uploads[0].fault is not None:
        raise uploads[0].fault
    return uploads[0].data


async def read_file(request: Request, settings: Settings, field: str) -> bytes:
    """The file in one field of a multipart form. Raises ProblemError."""
    if media_type(request) != "multipart/form-data":
        raise ProblemError(415, "unsupported_type", f"expected multipart/form-data with a file in {field!r}")
    return _files(await _read_form(request, settings), field)[0].data


async def read_form(request: Request, settings: Settings, field: str) -> tuple[Upload, dict[str, str]]:
    """The file in ``field`` of a multipart form, and the form's fields that are text. Raises ProblemError."""
    if media_type(request) != "multipart/form-data":
        raise ProblemError(415, "unsupported_type", f"expected multipart/form-data with a file in {field!r}")
    form = await _read_form(request, settings)
    return _files(form, field)[0], {name: value for name, value in form if isinstance(value, str)}


async def read_base64(request: Request, settings: Settings) -> bytes:
    """The image of a body that is base64 text, or that text as JSON. Raises ProblemError."""
    return await asyncio.to_thread(decode_text_base64, await _read_text(request, settings))


async def read_base64_field(request: Request, settings: Settings, field: str) -> bytes:
    """The image that is base64 in one field of a form, multipart or URL-encoded. Raises ProblemError."""
    kind = media_type(request)
    if kind == "multipart/form-data":
        # A field with a file name counts, too.
        found = [
            value.encode() if isinstance(value, str) else value.data
            for name, value in await _read_form(request, settings)
            if name == field
        ]
    elif kind == "application/x-www-form-urlencoded":
        form = await asyncio.to_thread(parse_form, await _read_text(request, settings))
        found = [value for name, value in form if name == field]
    else:
        raise ProblemError(415, "unsupported_type", f"expected a form with the field {field!r}")
    if not found:
        raise _missing(field)
    if len(found[0]) > settings.max_text_bytes:
        raise _text_too_large(settings)
    return await asyncio.to_thread(decode_form_base64, found[0])


async def _read_body(request: Request, settings: Settings, max_bytes: int) -> bytes:
    """The whole body. Raises ProblemError as soon as it exceeds the limit."""
    async with _receiving(request, settings) as reception:
        return b"".join([chunk async for chunk in _limited(request, max_bytes, reception)])


async def _read_text(request: Request, settings: Settings) -> bytes:
    """The whole body of text."""
    return await _read_body(request, settings, min(settings.max_text_bytes, settings.max_upload_bytes))


async def _read_form(request: Request, settings: Settings) -> list[tuple[str, Upload | str]]:
    """A multipart form's fields and files by their names, in their order. Raises ProblemError."""
    try:
        async with _receiving(request, settings) as reception:
            parser = _InMemoryParser(
                request.headers,
                _limited(request, settings.max_upload_bytes, reception),
                max_files=settings.max_images,
                max_fields=MAX_OTHER_FIELDS,
                max_part_size=settings.max_text_bytes,  # from a part that is not a file
            )
            form = await parser.parse()
    except MultiPartException as error:
        if error.message.startswith("Too many files"):
            raise _too_many(settings) from error
        if error.message.startswith("Part exceeded"):
            raise _text_too_large(settings) from error
        raise ProblemError(400, "invalid_body", f"invalid form: {error.message}") from error
    fields: list[tuple[str, Upload | str]] = []
    for name, value in form.multi_items():
        if isinstance(value, str):
            fields.append((name, value))
        else:
            fields.append((name, Upload(value.filename or None, await value.read())))
    await form.close()
    return fields


def client_of(request: Request) -> str:
    """The client for limits on bodies and pixels: its address, or its network."""
    return network_of(request.client.host) if request.client else ""


def media_type(request: Request) -> str:
    """The body's media type, in lower case and without parameters; empty if there is none."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _images_in_json(body: bytes, settings: Settings) -> list[Upload]:
    try:
        content = _JsonBody.model_validate(parse_json(body, settings.max_images))
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        raise ProblemError(400, "invalid_body", f"invalid JSON: {first['msg']}") from error
    texts = content.images if content.image is None else [content.image]
    if len(texts) > settings.max_images:
        raise _too_many(settings)
    return [_upload_of(text) for text in texts]


def _upload_of(text: str) -> Upload:
    try:
        return Upload(None, decode_base64(text))
    except ProblemError as error:
        return Upload(None, b"", error)


def _files(form: list[tuple[str, Upload | str]], field: str = "file") -> list[Upload]:
    files = [(name, value) for name, value in form if isinstance(value, Upload)]
    # Clients that send files under another name are served, too.
    chosen = [value for name, value in files if name == field] or [value for _, value in files]
    if not chosen:
        raise _missing(field)
    return chosen


def _missing(field: str) -> ProblemError:
    detail = [{"type": "missing", "loc": ["body", field], "msg": "Field required"}]
    return ProblemError(422, "missing_field", detail)


def _text_too_large(settings: Settings) -> ProblemError:
    return ProblemError(413, "body_too_large", f"text may have at most {settings.max_text_bytes} bytes")


def _too_many(settings: Settings) -> ProblemError:
    return ProblemError(
        422, "too_many_images", f"at most {settings.max_images} images are accepted in one request"
    )


async def _limited(request: Request, max_bytes: int, reception: Reception) -> AsyncGenerator[bytes, None]:
    """The body in chunks. Raises OverloadedError, and ProblemError as soon as it is too large."""
    too_large = ProblemError(413, "body_too_large", f"a request may have at most {max_bytes} bytes")
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > max_bytes:
        raise too_large
    received = 0
    try:
        async for chunk in request.stream():
            received += len(chunk)
            if received > max_bytes:
                raise too_large
            reception.count(len(chunk))
            yield chunk
            await asyncio.sleep(0)  # parsing blocks the event loop, so others run between chunks
    except ClientDisconnect as error:
        raise ProblemError(
            400, "client_disconnected", "the client disconnected before the body was complete"
        ) from error


@asynccontextmanager
async def _receiving(request: Request, settings: Settings) -> AsyncIterator[Reception]:
    """Counts the body among the incomplete ones, and limits its time. Raises OverloadedError."""
    try:
        with services_of(request).admission.receiving(client_of(request)) as reception:
            async with asyncio.timeout(settings.upload_timeout_s):
                yield reception
    except TimeoutError as error:
        message = f"the body did not arrive within {settings.upload_timeout_s:g} s"
        raise ProblemError(408, "request_timeout", message) from error

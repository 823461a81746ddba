"""``GET /``: the built dashboard, or a hint if it has not been built."""

import gzip
import os
import stat
from collections.abc import MutableMapping
from functools import partial
from mimetypes import guess_type
from pathlib import Path, PurePath
from typing import Any

from anyio import to_thread
from fastapi import APIRouter, FastAPI, WebSocket
from fastapi.responses import PlainTextResponse
from starlette.datastructures import Headers
from starlette.responses import FileResponse, Response
from starlette.staticfiles import NotModifiedResponse, StaticFiles

#: Cross-origin isolation: only then does a browser give a page the shared memory that the detector's
#: threads need. The page loads nothing from other origins, so isolation costs nothing.
_ISOLATION = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_HASHED_ASSETS = "assets/"
_MAX_PATH_LENGTH = 1000
#: Encodings of the build's files, smallest first, and their file extensions.
_SUFFIXES = {"br": ".br", "gzip": ".gz"}
#: Media types that are missing or different on some systems.
_MEDIA_TYPES = {
    ".js": "text/javascript",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}


class DashboardFiles(StaticFiles):
    """Static files with the headers that the page needs, as the build has compressed them.

    A file that exists as ``name.br`` and ``name.gz`` need not exist as ``name``.
    """

    async def get_response(self, path: str, scope: MutableMapping[str, Any]) -> Response:
        response = await self._compressed(path, scope) or await super().get_response(path, scope)
        response.headers.update(_ISOLATION)
        response.headers["Vary"] = "Accept-Encoding"
        # Files under assets/ have a hash in their name; all others may change with the next build.
        is_hashed = path.startswith(_HASHED_ASSETS)
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if is_hashed else "no-cache"
        return response

    def lookup_path(self, path: str) -> tuple[str, os.stat_result | None]:
        # Looked up part by part, thousands of parts take seconds.
        return super().lookup_path(path) if len(path) <= _MAX_PATH_LENGTH else ("", None)

    async def _compressed(self, path: str, scope: MutableMapping[str, Any]) -> Response | None:
        """The best encoding of a file that the client accepts; ``None`` for the plain file."""
        if scope["method"] not in ("GET", "HEAD"):
            return None
        headers = Headers(scope=scope)
        for encoding in accepted_encodings(headers.get("accept-encoding", "")):
            found = await self._find(path + _SUFFIXES[encoding])
            if found is None:
                continue
            full_path, status = found
            response = FileResponse(
                full_path,
                headers={"Content-Encoding": encoding},
                media_type=_media_type(path),
                stat_result=status,
            )
            is_known = self.is_not_modified(response.headers, headers)
            return NotModifiedResponse(response.headers) if is_known else response
        if await self._find(path) is None and (packed := await self._find(path + _SUFFIXES["gzip"])):
            content = await to_thread.run_sync(partial(_unpack, packed[0]))
            return Response(content, media_type=_media_type(path))
        return None

    async def _find(self, path: str) -> tuple[str, Any] | None:
        try:
            full_path, status = await to_thread.run_sync(self.lookup_path, path)
        except (OSError, ValueError):
            return None  # the base class builds the response
        return (full_path, status) if status is not None and stat.S_ISREG(status.st_mode) else None

    def file_response(self, full_path: Any, stat_result: Any, scope: Any, status_code: int = 200) -> Response:
        response = super().file_response(full_path, stat_result, scope, status_code)
        if (known := _MEDIA_TYPES.get(PurePath(full_path).suffix)) and "content-type" in response.headers:
            response.headers["Content-Type"] = known
        return response


def accepted_encodings(header: str) -> list[str]:
    """Those of ``br`` and ``gzip`` that an ``Accept-Encoding`` header allows, smallest first."""
    weights: dict[str, float] = {}
    for part in header.lower().split(","):
        name, _, parameter = part.partition(";")
        try:
            weights[name.strip()] = float(parameter.partition("=")[2]) if parameter.strip() else 1.0
        except ValueError:
            weights[name.strip()] = 0.0
    return [encoding for encoding in _SUFFIXES if weights.get(encoding, weights.get("*", 0.0)) > 0]


def _media_type(path: str) -> str:
    return _MEDIA_TYPES.get(PurePath(path).suffix) or guess_type(path)[0] or "application/octet-stream"


def _unpack(path: str) -> bytes:
    return gzip.decompress(Path(path).read_bytes())


def mount_dashboard(app: FastAPI, folder: Path) -> None:
    """Serves ``folder`` under ``/``. Must be called last, since it answers all remaining paths."""
    router = APIRouter()

    @router.websocket("/{path:path}")
    async def no_such_socket(websocket: WebSocket, path: str) -> None:
        await websocket.close()  # before the handshake is done: the client sees 403

    app.include_router(router)
    if folder.joinpath("index.html").is_file():
        app.mount("/", DashboardFiles(directory=folder, html=True), name="dashboard")
        return

    @app.get("/", include_in_schema=False)
    async def not_built() -> PlainTextResponse:
        return PlainTextResponse(
            "The API runs, but the dashboard has not been built: run `make web`, or see /docs.\n",
            status_code=404,
        )

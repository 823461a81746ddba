"""``GET /``: the built dashboard, and a hint where it has not been built."""

from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI, WebSocket
from fastapi.responses import PlainTextResponse
from starlette.responses import Response
from starlette.staticfiles import StaticFiles

#: Cross-origin isolation: only then does a browser give a page the shared memory that the detector's
#: threads need. The page loads nothing from elsewhere, so it loses nothing by it.
_ISOLATION = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_HASHED_ASSETS = "assets/"


class DashboardFiles(StaticFiles):
    """Static files with the headers that the page needs."""

    async def get_response(self, path: str, scope: MutableMapping[str, Any]) -> Response:
        response = await super().get_response(path, scope)
        response.headers.update(_ISOLATION)
        # Files under assets/ have a hash in their name; all others may change with the next build.
        is_hashed = path.startswith(_HASHED_ASSETS)
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if is_hashed else "no-cache"
        return response


def mount_dashboard(app: FastAPI, folder: Path) -> None:
    """Serves ``folder`` under ``/``. To be called last: it answers every path that nothing else does."""
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

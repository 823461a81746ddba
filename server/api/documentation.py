"""``GET /docs`` and ``/openapi.json``: the HTTP API for people and for programs."""

import base64
import hashlib
import re
from urllib.parse import quote

from fastapi import Depends, FastAPI, Request
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse, JSONResponse
from starlette.staticfiles import StaticFiles

from ..settings import Settings
from .access import require_access
from .security_headers import content_security_policy

_ASSETS = "/static-offline-docs"


def mount_documentation(app: FastAPI, settings: Settings) -> None:
    """Serves the documentation. If a token is set, it is required here, too, unless settings open the
    documentation."""
    guard = [] if settings.open_docs else [Depends(require_access)]
    # The page's scripts come from this server, not from a third party.
    app.mount(_ASSETS, StaticFiles(packages=[("fastapi_offline", "static")]), name="documentation")

    @app.get("/openapi.json", include_in_schema=False, dependencies=guard)
    async def openapi(request: Request) -> JSONResponse:
        description = app.openapi()
        if root := request.scope.get("root_path"):
            description = description | {"servers": [{"url": root}]}
        return JSONResponse(description)

    @app.get("/docs", include_in_schema=False, dependencies=guard)
    async def documentation(request: Request, token: str | None = None) -> HTMLResponse:
        root = request.scope.get("root_path", "")
        # A browser cannot send a header with the page's own request.
        query = f"?token={quote(token, safe='')}" if token else ""
        page = get_swagger_ui_html(
            openapi_url=f"{root}/openapi.json{query}",
            title=app.title,
            swagger_js_url=f"{root}{_ASSETS}/swagger-ui-bundle.js",
            swagger_css_url=f"{root}{_ASSETS}/swagger-ui.css",
            swagger_favicon_url=f"{root}/favicon.svg",
        )
        scripts = re.findall(r"<script>(.*?)</script>", bytes(page.body).decode(), re.DOTALL)
        hashes = (base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts)
        policy = {
            "default-src": "'none'",
            "script-src": " ".join(["'self'", *(f"'sha256-{digest}'" for digest in hashes)]),
            "style-src": "'self' 'unsafe-inline'",  # Swagger UI writes style attributes
            "img-src": "'self' data:",
            "connect-src": "'self'",
        }
        page.headers["Content-Security-Policy"] = content_security_policy(policy, settings.frame_ancestors)
        return page

"""Path prefixes: the same server below a path such as ``/emo/`` of a proxy."""

import re

from starlette.datastructures import Headers
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from ..exceptions import ProblemError

#: Names without escapes between slashes: it remains a path in any page or redirect.
PREFIX = re.compile(r"(/[A-Za-z0-9._~-]+)*")
_MAX_LENGTH = 256


def forwarded_prefix(headers: Headers) -> str:
    """The prefix from X-Forwarded-Prefix of trusted proxies; each of several has stripped a part, the first
    one the first part. Empty without the header. Raises ProblemError for an invalid prefix."""
    parts = (part.strip() for value in headers.getlist("x-forwarded-prefix") for part in value.split(","))
    prefix = "".join(part.rstrip("/") for part in parts)
    if len(prefix) > _MAX_LENGTH or not PREFIX.fullmatch(prefix):
        raise ProblemError(400, "invalid_prefix", "X-Forwarded-Prefix is not a path prefix such as /emo")
    return prefix


async def below(prefix: str, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Serves ``app`` below ``prefix``, whether or not the proxy has stripped it."""
    path: str = scope["path"]
    if path == prefix and scope["type"] == "http":
        # The page's addresses are relative: without the slash they would start one level higher.
        query = scope["query_string"].decode("latin-1")
        await RedirectResponse(f"{prefix}/{'?' * bool(query)}{query}", 308)(scope, receive, send)
        return
    if not path.startswith(f"{prefix}/"):
        scope["path"] = prefix + path
        if "raw_path" in scope:
            scope["raw_path"] = prefix.encode() + (scope["raw_path"] or path.encode())
    scope["root_path"] = prefix
    await app(scope, receive, send)

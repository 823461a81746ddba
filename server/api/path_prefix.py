"""Behind a path prefix: the same server below ``/emo/``, say, of a proxy with other things below others."""

import re

from starlette.datastructures import Headers
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from ..exceptions import ProblemError

#: Slashes between names that need no escape: whatever pages and redirects make of it, it stays a path.
PREFIX = re.compile(r"(/[A-Za-z0-9._~-]+)*")
_MAX_LENGTH = 256


def forwarded_prefix(headers: Headers) -> str:
    """What trusted proxies say in X-Forwarded-Prefix; of several each has cut off a part, the first one the
    first. Empty where they say nothing. Raises ProblemError for what is no prefix."""
    parts = (part.strip() for value in headers.getlist("x-forwarded-prefix") for part in value.split(","))
    prefix = "".join(part.rstrip("/") for part in parts)
    if len(prefix) > _MAX_LENGTH or not PREFIX.fullmatch(prefix):
        raise ProblemError(400, "invalid_prefix", "X-Forwarded-Prefix is no path prefix, such as /emo")
    return prefix


async def below(prefix: str, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Answers as ``app`` does whose root is at ``prefix``, whether or not the proxy has cut it off."""
    path: str = scope["path"]
    if path == prefix and scope["type"] == "http":
        # The page's addresses are relative: without the slash they would start one level above.
        query = scope["query_string"].decode("latin-1")
        await RedirectResponse(f"{prefix}/{'?' * bool(query)}{query}", 308)(scope, receive, send)
        return
    if not path.startswith(f"{prefix}/"):
        scope["path"] = prefix + path
        if "raw_path" in scope:
            scope["raw_path"] = prefix.encode() + (scope["raw_path"] or path.encode())
    scope["root_path"] = prefix
    await app(scope, receive, send)

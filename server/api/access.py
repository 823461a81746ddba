"""Who may come in: the origin of a browser's page, and the token."""

import hmac

from starlette.requests import HTTPConnection, Request

from ..addresses import Origin
from ..exceptions import ProblemError
from ..settings import Settings
from .hosts import own_origin
from .services import services_of


def origin_is_allowed(connection: HTTPConnection, settings: Settings) -> bool:
    """Whether the page that opens a connection is the server's own or on the allow list.

    Browsers send ``Origin`` with every WebSocket handshake and do not apply the same-origin policy to
    it; other clients send none and are let through, since they could send any.
    """
    origins = connection.headers.getlist("origin")
    if not origins or "*" in settings.allowed_origins:
        return True
    origin = Origin.parse(origins[0])
    if origin is None or len(origins) > 1:  # "null", and what no browser sends
        return False
    return str(origin) in settings.allowed_origins or origin == own_origin(connection)


def token_is_valid(connection: HTTPConnection, settings: Settings) -> bool:
    """Whether the client presents a configured token, as a bearer or, as browsers must, in the query."""
    accepted = settings.accepted_tokens
    if not accepted:
        return True
    scheme, _, given = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        given = connection.query_params.get("token", "")
    # Each in constant time, and all of them: how long it takes says nothing of which came close.
    matches = [hmac.compare_digest(given.encode(), token.encode()) for token in accepted]
    return any(matches)


async def require_access(request: Request) -> None:
    """A dependency of routes that only those may use who may stream, too. Raises ProblemError."""
    settings = services_of(request).settings
    if not origin_is_allowed(request, settings):
        raise ProblemError(403, "forbidden_origin", "pages of this origin may not use this server")
    if not token_is_valid(request, settings):
        headers = {"WWW-Authenticate": "Bearer"}
        raise ProblemError(401, "unauthorized", "a valid token is needed", headers)

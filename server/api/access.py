"""Who may come in: the origin of a browser's page, and the token."""

import hmac
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection, Request

from ..exceptions import ProblemError
from ..settings import Settings
from .services import services_of


def origin_is_allowed(connection: HTTPConnection, settings: Settings) -> bool:
    """Whether the page that opens a connection is the server's own or on the allow list.

    Browsers send ``Origin`` with every WebSocket handshake and do not apply the same-origin policy to
    it; other clients send none and are let through, since they could send any.
    """
    origin = connection.headers.get("origin")
    if origin is None:
        return True
    if origin in settings.allowed_origins or "*" in settings.allowed_origins:
        return True
    try:
        return urlsplit(origin).netloc == connection.headers.get("host")
    except ValueError:  # no browser sends such an origin
        return False


def token_is_valid(connection: HTTPConnection, settings: Settings) -> bool:
    """Whether the client presents the configured token, as a bearer or, as browsers must, in the query."""
    if settings.token is None:
        return True
    scheme, _, given = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        given = connection.query_params.get("token", "")
    return hmac.compare_digest(given.encode(), settings.token.get_secret_value().encode())


async def require_access(request: Request) -> None:
    """A dependency of routes that only those may use who may stream, too. Raises ProblemError."""
    settings = services_of(request).settings
    if not origin_is_allowed(request, settings):
        raise ProblemError(403, "forbidden_origin", "pages of this origin may not use this server")
    if not token_is_valid(request, settings):
        headers = {"WWW-Authenticate": "Bearer"}
        raise ProblemError(401, "unauthorized", "a valid token is needed", headers)

"""Access control: the origin of a browser's page, and the token."""

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
    it. Other clients send none and are accepted, since they could send any.
    """
    origins = connection.headers.getlist("origin")
    if not origins or "*" in settings.allowed_origins:
        return True
    origin = Origin.parse(origins[0])
    if origin is None or len(origins) > 1:  # "null", or an origin that no browser sends
        return False
    return str(origin) in settings.allowed_origins or origin == own_origin(connection)


def token_in(connection: HTTPConnection) -> str:
    """The client's token, from the Authorization header or, for browsers, the query; empty if there is
    none."""
    scheme, _, given = connection.headers.get("authorization", "").partition(" ")
    return given if scheme.lower() == "bearer" else connection.query_params.get("token", "")


def token_is_valid(connection: HTTPConnection, settings: Settings) -> bool:
    """Whether the client has a configured token."""
    accepted = settings.accepted_tokens
    if not accepted:
        return True
    given = token_in(connection)
    # Compares all of them in constant time, so that the duration reveals nothing.
    matches = [hmac.compare_digest(given.encode(), token.encode()) for token in accepted]
    return any(matches)


async def has_token(connection: HTTPConnection) -> bool:
    """Whether the client has access. Wrong tokens are counted, logged and delayed."""
    services = services_of(connection)
    if token_is_valid(connection, services.settings):
        return True
    host = connection.client.host if connection.client else "unknown"
    await services.failed_tokens.notice(host, is_guess=bool(token_in(connection)))
    return False


async def require_access(request: Request) -> None:
    """A dependency of routes that need the same access as the stream. Raises ProblemError."""
    settings = services_of(request).settings
    if not origin_is_allowed(request, settings):
        raise ProblemError(403, "forbidden_origin", "pages of this origin may not use this server")
    if not await has_token(request):
        headers = {"WWW-Authenticate": "Bearer"}
        raise ProblemError(401, "unauthorized", "a valid token is needed", headers)

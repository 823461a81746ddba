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


def token_in(connection: HTTPConnection) -> str:
    """The token that a client presents, as a bearer or, as browsers must, in the query; empty: none."""
    scheme, _, given = connection.headers.get("authorization", "").partition(" ")
    return given if scheme.lower() == "bearer" else connection.query_params.get("token", "")


def token_is_valid(connection: HTTPConnection, settings: Settings) -> bool:
    """Whether the client presents a configured token."""
    accepted = settings.accepted_tokens
    if not accepted:
        return True
    given = token_in(connection)
    # Each in constant time, and all of them: how long it takes says nothing of which came close.
    matches = [hmac.compare_digest(given.encode(), token.encode()) for token in accepted]
    return any(matches)


async def has_token(connection: HTTPConnection) -> bool:
    """Whether the client may come in. Whoever guesses is counted, named in the log, and made to wait."""
    services = services_of(connection)
    if token_is_valid(connection, services.settings):
        return True
    host = connection.client.host if connection.client else "unknown"
    await services.failed_tokens.notice(host, is_guess=bool(token_in(connection)))
    return False


async def require_access(request: Request) -> None:
    """A dependency of routes that only those may use who may stream, too. Raises ProblemError."""
    settings = services_of(request).settings
    if not origin_is_allowed(request, settings):
        raise ProblemError(403, "forbidden_origin", "pages of this origin may not use this server")
    if not await has_token(request):
        headers = {"WWW-Authenticate": "Bearer"}
        raise ProblemError(401, "unauthorized", "a valid token is needed", headers)

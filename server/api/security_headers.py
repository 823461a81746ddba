"""Headers that make browsers refuse what this server's pages never do."""

from collections.abc import Mapping

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..addresses import is_ip_address, is_loopback, split_host

_POLICY = "Content-Security-Policy"

#: Only the page's own files. The detector compiles WebAssembly; the library starts its threads as workers
#: from a blob, which they also load as a script.
_PAGE = {
    "default-src": "'none'",
    "script-src": "'self' 'wasm-unsafe-eval' blob:",
    "worker-src": "'self' blob:",
    "style-src": "'self'",
    "img-src": "'self' data: blob:",
    "media-src": "'self' blob:",
    "font-src": "'self'",
    "connect-src": "'self' blob: data:",
    "manifest-src": "'self'",
}
#: For all other responses, which are data for programs.
_DATA = {"default-src": "'none'"}


def content_security_policy(directives: Mapping[str, str], frame_ancestors: tuple[str, ...]) -> str:
    """The header's value. ``frame_ancestors`` are the origins that may embed the page; empty: none."""
    always = {
        "base-uri": "'none'",
        "form-action": "'none'",
        "object-src": "'none'",
        "frame-ancestors": " ".join(frame_ancestors) or "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in (dict(directives) | always).items())


class SecurityHeaders:
    """ASGI middleware: strict headers for every response; a header that a route sets itself is kept."""

    def __init__(
        self,
        app: ASGIApp,
        frame_ancestors: tuple[str, ...],
        servers: tuple[str, ...] = (),
        has_certificate: bool = False,
    ) -> None:
        """``servers`` are other origins to which the page may connect, as sources of a policy.
        ``has_certificate``: the server uses TLS itself, and browsers should only use https for its name."""
        self._app = app
        self._has_certificate = has_certificate
        page = _PAGE | {"connect-src": " ".join((_PAGE["connect-src"], *servers))}
        self._page = content_security_policy(page, frame_ancestors)
        self._data = content_security_policy(_DATA, frame_ancestors)
        self._headers = {
            "X-Content-Type-Options": "nosniff",
            # The address may contain the token.
            "Referrer-Policy": "no-referrer",
            # In an iframe, the embedding page must allow the camera, too.
            "Permissions-Policy": (
                "camera=(self), display-capture=(self), microphone=(), geolocation=(), usb=()"
            ),
        }
        if not frame_ancestors:
            # For browsers without frame-ancestors. It cannot list origins.
            self._headers["X-Frame-Options"] = "DENY"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                is_page = headers.get("content-type", "").startswith(("text/html", "text/javascript"))
                # "Not modified" has no type, and its policy would replace that of the cached page.
                if message["status"] != 304:
                    headers.setdefault(_POLICY, self._page if is_page else self._data)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
                if self._has_certificate and _has_own_name(scope):
                    headers.setdefault("Strict-Transport-Security", "max-age=31536000")
            await send(message)

        await self._app(scope, receive, send_with_headers if scope["type"] == "http" else send)


def _has_own_name(scope: Scope) -> bool:
    """Whether the host is a name of its own. For ``localhost``, every other server on its ports would be
    restricted to TLS, too, for a year."""
    parts = split_host(Headers(scope=scope).get("host", ""))
    return parts is not None and not (is_ip_address(parts[0]) or is_loopback(parts[0]))

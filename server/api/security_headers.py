"""Headers that have browsers refuse what this server's pages never do."""

from collections.abc import Mapping

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..addresses import is_ip_address, is_loopback, split_host

_POLICY = "Content-Security-Policy"

#: The page's own files, and nothing from elsewhere. The detector compiles WebAssembly; its threads are
#: workers that the library starts from a blob, which they load as a script, too.
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
#: Of all other answers: data, for programs and not for pages.
_DATA = {"default-src": "'none'"}


def content_security_policy(directives: Mapping[str, str], frame_ancestors: tuple[str, ...]) -> str:
    """The header's value. ``frame_ancestors`` are origins that may show the page in a frame; none: nobody."""
    always = {
        "base-uri": "'none'",
        "form-action": "'none'",
        "object-src": "'none'",
        "frame-ancestors": " ".join(frame_ancestors) or "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in (dict(directives) | always).items())


class SecurityHeaders:
    """ASGI middleware: strict headers for every answer; a route that sets one itself keeps its own."""

    def __init__(
        self,
        app: ASGIApp,
        frame_ancestors: tuple[str, ...],
        servers: tuple[str, ...] = (),
        has_certificate: bool = False,
    ) -> None:
        """``servers`` are origins to which the page may speak besides its own, as sources of a policy.
        ``has_certificate``: the server speaks TLS itself, and browsers are to stay with that for its name."""
        self._app = app
        self._has_certificate = has_certificate
        page = _PAGE | {"connect-src": " ".join((_PAGE["connect-src"], *servers))}
        self._page = content_security_policy(page, frame_ancestors)
        self._data = content_security_policy(_DATA, frame_ancestors)
        self._headers = {
            "X-Content-Type-Options": "nosniff",
            # The address may hold the token.
            "Referrer-Policy": "no-referrer",
            # In a frame the page needs the camera by leave of the page around it, too.
            "Permissions-Policy": (
                "camera=(self), display-capture=(self), microphone=(), geolocation=(), usb=()"
            ),
        }
        if not frame_ancestors:
            # For browsers that do not know frame-ancestors. It cannot name origins.
            self._headers["X-Frame-Options"] = "DENY"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                is_page = headers.get("content-type", "").startswith(("text/html", "text/javascript"))
                # "Not modified" has no type, and its policy would take the place of the kept page's.
                if message["status"] != 304:
                    headers.setdefault(_POLICY, self._page if is_page else self._data)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
                if self._has_certificate and _has_own_name(scope):
                    headers.setdefault("Strict-Transport-Security", "max-age=31536000")
            await send(message)

        await self._app(scope, receive, send_with_headers if scope["type"] == "http" else send)


def _has_own_name(scope: Scope) -> bool:
    """Whether the host is a name of its own. With ``localhost`` every other server on its ports would be
    bound to TLS as well, for a year."""
    parts = split_host(Headers(scope=scope).get("host", ""))
    return parts is not None and not (is_ip_address(parts[0]) or is_loopback(parts[0]))

"""The host names that this server accepts, and the proxies whose headers it trusts.

A foreign page may let its own name resolve to this machine (DNS rebinding). For the browser it then
shares this server's origin. Such a request has the foreign host name, so every host is checked.
"""

import ipaddress
from typing import Any

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from ..addresses import Origin, is_ip_address, is_loopback, split_host, unmapped
from ..exceptions import ProblemError
from ..settings import Settings
from .path_prefix import below, forwarded_prefix
from .problems import response_of

#: Limit of a request line and its headers together; some web servers have none.
MAX_HEADER_BYTES = 64 * 1024


class CheckedHosts:
    """ASGI middleware for requests and WebSockets: each must have exactly one host name, one of this
    server's.

    The client's address, scheme, host and path prefix are taken from a trusted proxy's headers, and from no
    others.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        # uvicorn's types are narrower than starlette's, but equivalent.
        self._believed: Any = ProxyHeadersMiddleware(app, list(settings.trusted_proxies))  # type: ignore[arg-type]
        self._networks = [ipaddress.ip_network(proxy) for proxy in settings.trusted_proxies]
        self._allowed = frozenset(host for host in settings.allowed_hosts if not host.startswith("*"))
        self._suffixes = tuple(host[1:] for host in settings.allowed_hosts if host.startswith("*."))
        self._allows_all = "*" in settings.allowed_hosts
        self._own = split_host(settings.host)
        self._prefix = settings.root_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        try:
            trusts = self._trusts_peer(scope)
            scope["emostream.host"] = self._host_of(scope, trusts)
            prefix = (forwarded_prefix(Headers(scope=scope)) if trusts else "") or self._prefix
        except ProblemError as problem:
            await response_of(problem)(scope, receive, send)
            return
        app = self._believed if trusts else self._app
        if prefix:
            await below(prefix, app, scope, receive, send)
        else:
            await app(scope, receive, send)

    def _trusts_peer(self, scope: Scope) -> bool:
        host, port = scope.get("client") or ("", 0)
        try:
            peer = unmapped(host)
        except ValueError:  # for example a Unix socket
            return False
        if peer.version == 4:
            scope["client"] = (str(peer), port)
        return any(peer in network for network in self._networks)

    def _host_of(self, scope: Scope, trusts: bool) -> str:
        """The host, with its port, by which the client knows this server. Raises ProblemError."""
        size = len(scope.get("raw_path") or b"") + len(scope["query_string"])
        if size + sum(len(name) + len(value) for name, value in scope["headers"]) > MAX_HEADER_BYTES:
            raise ProblemError(431, "headers_too_large", f"headers may have at most {MAX_HEADER_BYTES} bytes")
        headers = Headers(scope=scope)
        hosts = headers.getlist("host")
        if len(hosts) != 1:
            raise ProblemError(400, "invalid_host", "a request must have exactly one Host")
        # Checked even for a trusted proxy: a foreign page can make a browser on this machine send other
        # headers.
        self._check(hosts[0])
        forwarded = headers.getlist("x-forwarded-host") if trusts else []
        if not forwarded:
            return hosts[0]
        # Each of several proxies appends the host that it received; the first is the client's.
        host = forwarded[0].partition(",")[0].strip()
        self._check(host)
        return host

    def _check(self, text: str) -> None:
        parts = split_host(text) if text.isascii() else None
        if parts is None:
            raise ProblemError(
                400, "invalid_host", "a host must be a name or an address, optionally with a port"
            )
        name = parts[0]
        # An IP address cannot be made to resolve to another machine.
        is_safe = is_ip_address(name) or is_loopback(name) or (name, None) == self._own
        if not (is_safe or self._allows_all or name in self._allowed or name.endswith(self._suffixes)):
            detail = "this server does not have that name; EMOSTREAM_ALLOWED_HOSTS lists its names"
            raise ProblemError(400, "unknown_host", detail)


def own_origin(connection: HTTPConnection) -> Origin | None:
    """The origin of this server's own pages as the client sees it; None if the host is invalid."""
    scheme = {"ws": "http", "wss": "https"}.get(connection.scope["scheme"], connection.scope["scheme"])
    host = connection.scope.get("emostream.host") or connection.headers.get("host", "")
    return Origin.parse(f"{scheme}://{host}")

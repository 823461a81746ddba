"""Addresses: without secrets, of this machine, and the origins that browsers tell pages apart by."""

import ipaddress
import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote_plus, urlsplit, urlunsplit

_DEFAULT_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"(\[[0-9a-f:.]{2,}\]|[a-z0-9_-]+(?:\.[a-z0-9_-]+)*)\.?(?::([0-9]{1,5}))?", re.IGNORECASE)
#: A name has 253 at most; the codec for names beyond ASCII takes a second for 60,000.
_MAX_HOST_LENGTH = 300
_ORIGIN = re.compile(r"([a-z][a-z0-9+.-]*)://([^/]*)/?", re.IGNORECASE)


def without_secrets(address: str) -> str:
    """An address as it may be shown and logged: no query, no password."""
    parts = urlsplit(address)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


#: Without "?" within names: a target of nothing else would be searched to its end from each of them.
_PARAMETER = re.compile(r"([?&])([^=&?\s'\"]+)=([^&\s'\"]*)")
_CREDENTIALS = re.compile(
    r"(authorization\W{1,6}(?:b['\"])?(?:(?:bearer|basic)\s+)?)[^\s'\",;)]+", re.IGNORECASE
)


def without_tokens(text: str) -> str:
    """A log's line without tokens: of queries in any spelling, and of Authorization headers."""

    def hide(found: re.Match[str]) -> str:
        is_token = unquote_plus(found[2]).lower() == "token"
        return f"{found[1]}{found[2]}=…" if is_token else found[0]

    return _CREDENTIALS.sub(r"\1…", _PARAMETER.sub(hide, text))


def is_loopback(host: str) -> bool:
    """Whether a host's name or IP address means this machine and nobody else can reach it."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        name = host.lower().rstrip(".")
        return name == "localhost" or name.endswith(".localhost")


def is_ip_address(host: str) -> bool:
    """Whether a host is an IP address and not a name; version 6 with brackets or without."""
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


def unmapped(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """A peer's IP address, as version 4 where 6 only carries one. Raises ValueError for a name."""
    address = ipaddress.ip_address(host)
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped
    return address


@lru_cache(maxsize=4096)
def network_of(host: str) -> str:
    """What counts as one client's address where clients are bounded: IPv6 gives a customer 2^64 of them."""
    try:
        address = unmapped(host)
    except ValueError:
        return host
    return str(address if address.version == 4 else ipaddress.ip_network((address, 64), strict=False))


def split_host(text: str) -> tuple[str, int | None] | None:
    """Host and port of ``host[:port]``, in the one spelling that is compared; None where it is neither.

    Small letters, no dot at the end, IPv6 as short as it gets, and names beyond ASCII as browsers send them.
    """
    if len(text) > _MAX_HOST_LENGTH:
        return None
    if not text.isascii():
        try:
            text = text.encode("idna").decode()
        except UnicodeError:
            return None
    if not (found := _HOST.fullmatch(text)):
        return None
    host, port = found[1].lower(), None if found[2] is None else int(found[2])
    if host.startswith("["):
        try:
            host = f"[{ipaddress.IPv6Address(host[1:-1]).compressed}]"
        except ValueError:
            return None
    return None if port is not None and port > 65535 else (host, port)


@dataclass(frozen=True)
class Origin:
    """Scheme, host and port: two pages that agree in them are of one site. ``str`` is as browsers write."""

    scheme: str
    host: str
    port: int | None

    @classmethod
    def parse(cls, text: str) -> "Origin | None":
        """An origin in any spelling; None for ``null``, and for what has a path, a query or a user's name."""
        found = _ORIGIN.fullmatch(text)
        parts = split_host(found[2]) if found else None
        if not found or not parts:
            return None
        scheme = found[1].lower()
        return cls(scheme, parts[0], _DEFAULT_PORTS.get(scheme) if parts[1] is None else parts[1])

    def __str__(self) -> str:
        is_default = self.port == _DEFAULT_PORTS.get(self.scheme)
        return f"{self.scheme}://{self.host}" + ("" if is_default else f":{self.port}")

"""Addresses of servers and cameras, for people to see."""

from urllib.parse import urlsplit, urlunsplit


def without_secrets(address: str) -> str:
    """An address as it may be shown and logged: no query, no password."""
    parts = urlsplit(address)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))

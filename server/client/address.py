"""Converts a server's address, in any form, to the address of its stream."""

from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from ..exceptions import ClientError

_SCHEMES = {"ws": "ws", "wss": "wss", "http": "ws", "https": "wss"}


def stream_address(url: str, realtime: bool) -> str:
    """The WebSocket's address for ``localhost:8000``, ``http://…``, ``https://host/emo/``,
    ``wss://…/ws?token=…`` and the like.

    Raises ClientError for anything else.
    """
    try:
        parts = urlsplit(url if "://" in url else f"ws://{url}")
        is_sound = parts.scheme in _SCHEMES and bool(parts.hostname) and parts.port != 0
    except ValueError:  # the port is not a number
        is_sound = False
    if not is_sound:
        raise ClientError(
            f"{url} is not a server's address; write ws://host:8000/ws, https://host or host:8000"
        )
    query = [(name, value) for name, value in parse_qsl(parts.query) if name != "mode"]
    query.append(("mode", "latest" if realtime else "all"))
    # A path before /ws is the server's prefix behind a proxy.
    path = parts.path.rstrip("/").removesuffix("/ws") + "/ws"
    return urlunsplit((_SCHEMES[parts.scheme], parts.netloc, path, urlencode(query), ""))

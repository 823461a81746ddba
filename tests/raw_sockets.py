"""HTTP and WebSockets by the byte, for what no client library sends."""

import base64

_KEY = base64.b64encode(bytes(16)).decode()


def handshake(target: str, *headers: str) -> bytes:
    """A WebSocket's handshake, with exactly these further header lines; a server wants a Host among them."""
    return request(
        f"GET {target} HTTP/1.1",
        *headers,
        "Connection: Upgrade",
        "Upgrade: websocket",
        f"Sec-WebSocket-Key: {_KEY}",
        "Sec-WebSocket-Version: 13",
    )


def request(*lines: str) -> bytes:
    """A request of these lines, without a body."""
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def masked(opcode: int, data: bytes = b"", is_last: bool = True) -> bytes:
    """A WebSocket frame of a client, up to 125 bytes, under a mask that changes nothing."""
    return bytes([0x80 * is_last | opcode, 0x80 | len(data)]) + bytes(4) + data

import pytest
from emostream.client.address import stream_address
from emostream.exceptions import ClientError


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("localhost:8000", "ws://localhost:8000/ws?mode=all"),
        ("http://10.0.0.1", "ws://10.0.0.1/ws?mode=all"),
        ("https://emostream.example/", "wss://emostream.example/ws?mode=all"),
        ("https://example.org/faces", "wss://example.org/faces/ws?mode=all"),
        ("example.org/faces/", "ws://example.org/faces/ws?mode=all"),
        ("https://example.org/faces/ws/", "wss://example.org/faces/ws?mode=all"),
        ("https://example.org/faces/ws", "wss://example.org/faces/ws?mode=all"),
        ("ws://[::1]:8000/ws?token=a%26b&mode=latest", "ws://[::1]:8000/ws?token=a%26b&mode=all"),
    ],
)
def test_whatever_names_a_server_leads_to_its_stream(url: str, address: str) -> None:
    assert stream_address(url, realtime=False) == address


def test_a_realtime_stream_wants_the_latest() -> None:
    assert stream_address("localhost:8000", realtime=True) == "ws://localhost:8000/ws?mode=latest"


@pytest.mark.parametrize("url", ["", "ftp://host", "ws://", "host:port", "host:99999"])
def test_what_names_none_is_said(url: str) -> None:
    with pytest.raises(ClientError, match="is not a server's address; write ws://host:8000/ws"):
        stream_address(url, realtime=False)

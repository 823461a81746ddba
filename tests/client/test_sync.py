from collections.abc import Iterator

import pytest
from emostream.client import FrameResult, connect_sync
from emostream.client.link import LinkState
from emostream.exceptions import ClientError, SourceError, UnreachableError

from tests.servers import ServerThread, server_thread
from tests.support import LABELS, FakeRecognizer, jpeg


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture(scope="module")
def server() -> Iterator[ServerThread]:
    with server_thread(FakeRecognizer(is_open=True)) as server:
        yield server


def test_frames_are_answered_without_an_event_loop(server: ServerThread) -> None:
    with connect_sync(server.http, detect="none") as stream:
        answers = list(stream.frames([jpeg()] * 3))
        assert stream.state is LinkState.OPEN
        assert stream.receipt().frames_received == 3

    assert stream.info.labels == LABELS
    assert stream.reconnects == 0
    assert [answer.frame.index for answer in answers if isinstance(answer, FrameResult)] == [0, 1, 2]


def test_a_loop_can_be_left_early(server: ServerThread) -> None:
    with connect_sync(server.http, detect="none") as stream:
        for answer in stream.frames([jpeg()] * 50):
            assert answer.frame.index == 0
            break

        assert len(list(stream.frames([jpeg()]))) == 1


def test_errors_are_those_of_the_asynchronous_client(server: ServerThread) -> None:
    with connect_sync(server.http, detect="none") as stream, pytest.raises(SourceError, match="nowhere"):
        list(stream.frames("nowhere.mp4"))
    with pytest.raises(UnreachableError), connect_sync("127.0.0.1:9", detect="none"):
        pass


def test_where_faces_are_found_is_known_and_a_stream_that_was_left_says_so(server: ServerThread) -> None:
    with connect_sync(server.http, detect="none") as stream:
        assert stream.detect == "none"

    with pytest.raises(ClientError, match="closed"):
        list(stream.frames([jpeg()]))

import io
from pathlib import Path

import pytest
from emostream.benchmark.stream import face_crops, jain_index, measure_stream
from emostream.exceptions import EmostreamError, SourceError, UnreachableError
from PIL import Image

from tests.portraits import portrait_file
from tests.servers import server_thread
from tests.support import FakeRecognizer, jpeg


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")


def test_what_is_offered_is_answered_held_back_or_dropped(tmp_path: Path) -> None:
    with server_thread(FakeRecognizer(is_open=True)) as server:
        report = measure_stream(server.http, None, 3, 20.0, [jpeg(), jpeg()], 0.5)

    assert (report.model, report.cameras, report.faces) == ("fake", 3, 2)
    assert report.offered == pytest.approx(30, abs=3)
    assert report.answered + report.held_back + report.superseded + report.failed == report.offered
    assert report.answered > 0
    assert report.faces_per_second == pytest.approx(2 * report.frames_per_second, abs=0.02)
    assert report.latency_ms_p50 <= report.latency_ms_p95 <= report.latency_ms_p99
    assert 1 / 3 <= report.jain <= 1
    assert "latencies_ms" not in report.as_dict()
    report.plot(tmp_path / "stream.png")
    assert (tmp_path / "stream.png").read_bytes().startswith(b"\x89PNG")


def test_a_server_that_answers_nothing_is_an_error() -> None:
    with pytest.raises(UnreachableError, match="cannot be streamed to"):
        measure_stream("127.0.0.1:9", None, 1, 5.0, [jpeg()], 0.5)
    with (
        server_thread(FakeRecognizer(is_open=True)) as server,
        pytest.raises(EmostreamError, match=r"answered no frame: .*broken"),
    ):
        measure_stream(server.http, None, 1, 5.0, [b"broken"], 0.5)
    with (
        server_thread(FakeRecognizer(is_open=True), token="secret") as server,
        pytest.raises(UnreachableError, match="a valid token is needed"),
    ):
        measure_stream(server.http, None, 1, 5.0, [jpeg()], 0.5)


def test_fairness_is_one_for_equal_shares_and_least_for_one_that_takes_all() -> None:
    assert jain_index([5, 5, 5]) == pytest.approx(1)
    assert jain_index([9, 0, 0]) == pytest.approx(1 / 3)


def test_crops_come_from_an_image_or_are_noise_of_the_same_size(tmp_path: Path) -> None:
    (tmp_path / "grey.jpg").write_bytes(jpeg())
    (tmp_path / "me.jpg").write_bytes(portrait_file())

    noise, faces = face_crops(None, 3), face_crops(str(tmp_path / "me.jpg"), 3)
    assert len(noise) == len(faces) == 3
    for crop in (noise[0], faces[0]):
        assert Image.open(io.BytesIO(crop)).size == (224, 224)
    assert len(noise[0]) == pytest.approx(len(faces[0]), rel=0.25)
    with pytest.raises(SourceError, match="no face in the image"):
        face_crops(str(tmp_path / "grey.jpg"), 1)

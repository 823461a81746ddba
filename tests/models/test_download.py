"""Downloads, from a server on this machine."""

import hashlib
import socket
from pathlib import Path

import pytest
from emostream.exceptions import WeightsError
from emostream.models import download as download_module
from emostream.models.download import download
from gdown.exceptions import FileURLRetrievalError

from tests.models.file_server import FileServer, serving

CONTENT = bytes(range(256)) * 4096  # a MiB, two of the library's chunks
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture(autouse=True)
def _no_second_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between them the library waits; what a second call does is tested here."""
    monkeypatch.setattr(download_module, "_RETRIES", 0)


def test_a_file_arrives_whole_and_its_hash_is_told(tmp_path: Path) -> None:
    with serving(FileServer({"/w.pth": CONTENT})) as server:
        found = download(url=f"{server.url}/w.pth", to=tmp_path / "deep" / "w.pth")

    assert found == SHA256
    assert (tmp_path / "deep" / "w.pth").read_bytes() == CONTENT
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["w.pth"]


def test_progress_is_told_up_to_the_last_byte(tmp_path: Path) -> None:
    seen: list[tuple[int, int | None]] = []
    with serving(FileServer({"/w.pth": CONTENT})) as server:
        download(url=f"{server.url}/w.pth", to=tmp_path / "w", progress=lambda *so_far: seen.append(so_far))

    assert seen[-1] == (len(CONTENT), len(CONTENT))


def test_a_download_that_broke_off_goes_on_where_it_stopped(tmp_path: Path) -> None:
    with serving(FileServer({"/w.pth": CONTENT}, breaks=1, break_after=600_000)) as server:
        with pytest.raises(WeightsError, match="goes on where it stopped"):
            download(url=f"{server.url}/w.pth", to=tmp_path / "w.pth")
        assert not (tmp_path / "w.pth").exists()

        download(url=f"{server.url}/w.pth", to=tmp_path / "w.pth")

    assert (tmp_path / "w.pth").read_bytes() == CONTENT
    assert server.ranges[-1] == "bytes=524288-"  # the library keeps whole chunks of 512 KiB


def test_a_web_page_instead_of_a_file_is_refused(tmp_path: Path) -> None:
    page = b"\n<!DOCTYPE html><title>Sign in</title>"
    with (
        serving(FileServer({"/w.pth": page}, content_type="text/html")) as server,
        pytest.raises(WeightsError, match="web page instead of a file"),
    ):
        download(url=f"{server.url}/w.pth", to=tmp_path / "w.pth")

    assert list(tmp_path.iterdir()) == []


def test_another_file_than_the_expected_one_is_refused(tmp_path: Path) -> None:
    with serving(FileServer({"/w.pth": CONTENT})) as server, pytest.raises(WeightsError, match=SHA256):
        download(url=f"{server.url}/w.pth", to=tmp_path / "w.pth", sha256="0" * 64)

    assert list(tmp_path.iterdir()) == []


def test_the_expected_file_is_accepted(tmp_path: Path) -> None:
    with serving(FileServer({"/w.pth": CONTENT})) as server:
        assert download(url=f"{server.url}/w.pth", to=tmp_path / "w.pth", sha256=SHA256) == SHA256


def test_a_missing_file_is_an_error_that_says_so(tmp_path: Path) -> None:
    with serving(FileServer({})) as server, pytest.raises(WeightsError):
        download(url=f"{server.url}/w.pth", to=tmp_path / "w.pth")

    assert not (tmp_path / "w.pth").exists()


def test_without_a_connection_the_error_asks_for_the_network(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound and not listening: connections are refused
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/w.pth"
        with pytest.raises(WeightsError, match="is the network up"):
            download(url=url, to=tmp_path / "w.pth")


def test_a_drive_quota_names_the_ways_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Google cannot be asked here; its library's error stands in for its answer."""

    def refuse(**options: object) -> None:
        raise FileURLRetrievalError("Too many users have viewed or downloaded this file recently.")

    monkeypatch.setattr(download_module.gdown, "download", refuse)

    with pytest.raises(
        WeightsError, match=r"Try again tomorrow, or download .*/d/abc/view .* weights import"
    ):
        download(drive="abc", to=tmp_path / "w.pth")

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import InvalidStatus

from tests.servers import ServerThread, connected, server_thread


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerThread]:
    """A server with a dashboard of four files."""
    folder = tmp_path_factory.mktemp("dist")
    (folder / "assets").mkdir()
    (folder / "models").mkdir()
    (folder / "index.html").write_text("<!doctype html><title>Emostream</title>")
    (folder / "assets/index-abc123.js").write_text("console.log(1)")
    (folder / "models/blazeface.json").write_text("{}")
    (folder / "favicon.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    (folder.parent / "secret.txt").write_text("not for you")
    with server_thread(dashboard_dir=folder) as thread:
        yield thread


def get(server: ServerThread, path: str, **headers: str) -> httpx.Response:
    return httpx.get(f"{server.http}{path}", headers=headers, trust_env=False)


def test_the_page_is_served(built: ServerThread) -> None:
    page = get(built, "/")

    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    assert "<title>Emostream</title>" in page.text


@pytest.mark.parametrize("path", ["/", "/assets/index-abc123.js", "/models/blazeface.json", "/favicon.svg"])
def test_every_file_is_isolated_from_other_origins(built: ServerThread, path: str) -> None:
    """Without these headers a browser gives the detector no threads."""
    headers = get(built, path).headers

    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cross-origin-embedder-policy"] == "require-corp"
    assert headers["cross-origin-resource-policy"] == "same-origin"


def test_files_with_a_hash_in_their_name_are_kept_for_good(built: ServerThread) -> None:
    assert get(built, "/assets/index-abc123.js").headers["cache-control"] == (
        "public, max-age=31536000, immutable"
    )


@pytest.mark.parametrize("path", ["/", "/index.html", "/models/blazeface.json", "/favicon.svg"])
def test_all_other_files_are_asked_for_again(built: ServerThread, path: str) -> None:
    first = get(built, path)

    assert first.headers["cache-control"] == "no-cache"
    assert get(built, path, **{"If-None-Match": first.headers["etag"]}).status_code == 304


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/assets/nothing.js",
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/assets/..%2f..%2fsecret.txt",
    ],
)
def test_what_is_not_there_or_not_in_the_folder_is_404(built: ServerThread, path: str) -> None:
    answer = get(built, path)

    assert answer.status_code == 404
    assert "not for you" not in answer.text


def test_the_api_comes_before_the_files(built: ServerThread) -> None:
    assert get(built, "/healthz").json() == {"status": "alive"}


@pytest.mark.parametrize("path", ["/nothing", "/ws/", "/assets/index-abc123.js"])
async def test_a_websocket_of_an_unknown_path_is_refused(built: ServerThread, path: str) -> None:
    with pytest.raises(InvalidStatus) as caught:
        async with connected(built, path):
            pass

    assert caught.value.response.status_code == 403


def test_without_a_build_the_page_says_what_to_do(tmp_path: Path) -> None:
    with server_thread(dashboard_dir=tmp_path / "nothing") as server:
        page = get(server, "/")

        assert page.status_code == 404
        assert "make web" in page.text
        assert get(server, "/healthz").status_code == 200
        assert get(server, "/docs").status_code == 200

import gzip
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from emostream.api.dashboard import DashboardFiles, accepted_encodings
from websockets.exceptions import InvalidStatus

from tests.servers import ServerThread, connected, server_thread

SCRIPT = b"console.log('large')"
#: Not decoded by anybody here.
BROTLI = b"as brotli"
LARGE = "/assets/large-abc123.js"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerThread]:
    """A server with a small dashboard."""
    folder = tmp_path_factory.mktemp("dist")
    (folder / "assets").mkdir()
    (folder / "models").mkdir()
    (folder / "index.html").write_text("<!doctype html><title>Emostream</title>")
    (folder / "assets/index-abc123.js").write_text("console.log(1)")
    (folder / "models/blazeface.json").write_text("{}")
    (folder / "favicon.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    (folder / "app.webmanifest").write_text("{}")
    # As the build leaves large files: compressed twice, and not as they are.
    (folder / "assets/large-abc123.js.br").write_bytes(BROTLI)
    (folder / "assets/large-abc123.js.gz").write_bytes(gzip.compress(SCRIPT))
    (folder / "assets/tiny-abc123.wasm.gz").write_bytes(gzip.compress(b"\0asm"))
    (folder / "assets/tiny-abc123.wasm").write_bytes(b"\0asm")
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


def raw(server: ServerThread, path: str, accept: str) -> tuple[httpx.Response, bytes]:
    """An answer, and its body as it was sent."""
    headers = {"Accept-Encoding": accept}
    with (
        httpx.Client(trust_env=False) as client,
        client.stream("GET", server.http + path, headers=headers) as answer,
    ):
        return answer, b"".join(answer.iter_raw())


def test_browsers_get_the_file_as_brotli(built: ServerThread) -> None:
    answer, body = raw(built, LARGE, "gzip, deflate, br, zstd")

    assert body == BROTLI
    assert answer.headers["content-encoding"] == "br"
    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.headers["content-length"] == str(len(BROTLI))
    assert answer.headers["vary"] == "Accept-Encoding"
    assert "immutable" in answer.headers["cache-control"]
    assert "script-src" in answer.headers["content-security-policy"]


def test_clients_without_brotli_get_it_as_gzip(built: ServerThread) -> None:
    answer, body = raw(built, LARGE, "gzip")

    assert gzip.decompress(body) == SCRIPT
    assert answer.headers["content-encoding"] == "gzip"


@pytest.mark.parametrize("accept", ["", "identity", "br;q=0, gzip;q=0"])
def test_clients_that_decode_nothing_get_it_unpacked(built: ServerThread, accept: str) -> None:
    answer, body = raw(built, LARGE, accept)

    assert body == SCRIPT
    assert "content-encoding" not in answer.headers
    assert answer.headers["vary"] == "Accept-Encoding"
    assert answer.headers["content-type"].startswith("text/javascript")


def test_a_file_that_lies_there_as_it_is_too_is_sent_so(built: ServerThread) -> None:
    _, plain = raw(built, "/assets/tiny-abc123.wasm", "identity")
    packed, _ = raw(built, "/assets/tiny-abc123.wasm", "br, gzip")

    assert plain == b"\0asm"
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.headers["content-type"] == "application/wasm"


def test_each_encoding_has_an_etag_of_its_own_and_is_not_sent_twice(built: ServerThread) -> None:
    tags = {accept: raw(built, LARGE, accept)[0].headers["etag"] for accept in ("br", "gzip")}

    assert tags["br"] != tags["gzip"]
    again = get(built, LARGE, **{"Accept-Encoding": "br", "If-None-Match": tags["br"]})
    assert again.status_code == 304
    assert again.headers["vary"] == "Accept-Encoding"
    other = get(built, LARGE, **{"Accept-Encoding": "gzip", "If-None-Match": tags["br"]})
    assert other.status_code == 200


def test_files_are_only_read(built: ServerThread) -> None:
    assert httpx.post(built.http + LARGE, trust_env=False).status_code == 405


@pytest.mark.parametrize(
    ("header", "encodings"),
    [
        ("gzip, deflate, br", ["br", "gzip"]),
        ("GZIP;q=1.0", ["gzip"]),
        ("br;q=0, *", ["gzip"]),
        ("*;q=0.1", ["br", "gzip"]),
        ("br;q=none, gzip", ["gzip"]),
        ("", []),
    ],
)
def test_what_a_client_accepts_is_read_from_its_header(header: str, encodings: list[str]) -> None:
    assert accepted_encodings(header) == encodings


def test_the_manifest_has_the_type_that_browsers_want(built: ServerThread) -> None:
    assert get(built, "/app.webmanifest").headers["content-type"].startswith("application/manifest+json")


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


def test_a_path_of_thousands_of_parts_is_not_looked_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = DashboardFiles(directory=tmp_path)
    monkeypatch.setattr("os.path.realpath", lambda path: pytest.fail("it was looked up"))

    assert files.lookup_path("a/" * 30_000) == ("", None)


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

"""``GET /v1/about``, and the other servers that the page may speak to."""

import json
from pathlib import Path

import httpx
import pytest
from emostream.exceptions import SettingsError
from emostream.settings import read_settings

from tests.servers import server_thread
from tests.support import LABELS


def test_it_says_that_no_image_is_kept_and_nobody_has_said_who_runs_the_server() -> None:
    with server_thread() as server:
        answer = httpx.get(f"{server.http}/v1/about", trust_env=False).json()

    assert answer["kept_images"] is None
    assert answer["kept_corrections"] is None
    assert answer["operator"] is None
    assert answer["notice"] == {}
    assert answer["labels"] == list(LABELS)
    assert answer["servers"] == answer["frame_ancestors"] == []


def test_it_says_what_the_operator_has_set_and_needs_no_token(tmp_path: Path) -> None:
    notice = tmp_path / "notice.json"
    notice.write_text(json.dumps({"en": "A study.", "de": "Eine Studie."}))
    with server_thread(
        images_dir=tmp_path / "images",
        corrections_dir=tmp_path / "corrections",
        max_kept_bytes=1000,
        operator="Museum of Faces",
        notice_file=notice,
        token="sesame",
        servers="https://emo.example:8443",
        frame_ancestors="https://host.example",
    ) as server:
        response = httpx.get(f"{server.http}/v1/about", trust_env=False)

    answer = response.json()
    assert answer["kept_images"] == {"every_s": 10, "max_bytes": 1000}
    assert answer["kept_corrections"] == {"max_bytes": 1000}
    assert answer["operator"] == "Museum of Faces"
    assert answer["notice"] == {"en": "A study.", "de": "Eine Studie."}
    assert answer["servers"] == ["https://emo.example:8443"]
    assert answer["frame_ancestors"] == ["https://host.example"]
    assert "sesame" not in response.text
    assert str(tmp_path) not in response.text


def test_the_page_may_speak_to_the_servers_that_the_setting_names_and_to_no_others(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<!doctype html><title>Emostream</title>")
    with server_thread(dashboard_dir=tmp_path, servers="https://emo.example:8443,http://b.example") as server:
        policy = httpx.get(f"{server.http}/", trust_env=False).headers["content-security-policy"]

    [sources] = [part for part in policy.split("; ") if part.startswith("connect-src")]
    assert sources.split()[1:] == [
        "'self'",
        "blob:",
        "data:",
        "https://emo.example:8443",
        "http://b.example",
        "wss://emo.example:8443",
        "ws://b.example",
    ]


@pytest.mark.parametrize("servers", ["*", "emo.example", "https://emo.example/path"])
def test_what_is_no_origin_is_no_server(servers: str) -> None:
    with pytest.raises(SettingsError, match=r"--servers: .*is no origin"):
        read_settings(servers=servers)

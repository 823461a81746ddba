"""The page, the API and the client behind a real nginx that has the server below a path prefix."""

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from html import unescape
from pathlib import Path

import httpx
import pytest
from emostream.client import FrameResult, connect_sync
from playwright.sync_api import expect

from tests.e2e.dashboard import ONE_BACKEND, Dashboard
from tests.e2e.make_run import MakeRun
from tests.portraits import portrait
from tests.support import PATIENCE_S

pytestmark = pytest.mark.e2e

#: Below /emo/ the prefix is cut off, as most proxies are set up; below /deep/er/ the path goes on as it came.
_CONFIGURATION = """
daemon off; pid {folder}/pid; error_log stderr; worker_processes 1;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
    uwsgi_temp_path {folder}; scgi_temp_path {folder};
    server {{
        listen 127.0.0.1:{port};
        proxy_http_version 1.1;
        proxy_set_header Host $http_host;
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Connection upgrade;
        location /emo/ {{ proxy_pass {server}/; proxy_set_header X-Forwarded-Prefix /emo; {headers} }}
        location /deep/er {{ proxy_pass {server}; proxy_set_header X-Forwarded-Prefix /deep/er; {headers} }}
    }}
}}
"""
#: In a location that sets a header those from above do not hold.
_HEADERS = " ".join(
    f"proxy_set_header {name} {value};"
    for name, value in (("Host", "$http_host"), ("Upgrade", "$http_upgrade"), ("Connection", "upgrade"))
)


@pytest.fixture
def proxy(server: MakeRun, tmp_path: Path) -> Iterator[str]:
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    assert program, "this test needs nginx: scripts/install-test-tools.sh installs it"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    configuration = tmp_path / "nginx.conf"
    configuration.write_text(
        _CONFIGURATION.format(folder=tmp_path, port=port, server=server.url, headers=_HEADERS)
    )
    log = (tmp_path / "log").open("wb")
    process = subprocess.Popen([program, "-p", str(tmp_path), "-c", str(configuration)], stderr=log)
    address = f"http://localhost:{port}"  # the browser resolves no other name
    try:
        deadline = time.monotonic() + PATIENCE_S
        while True:
            with suppress(httpx.TransportError):
                httpx.get(f"{address}/emo/healthz", trust_env=False).raise_for_status()
                break
            assert process.poll() is None, (tmp_path / "log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.02)
        yield address
    finally:
        process.terminate()
        process.wait(PATIENCE_S)
        log.close()


def test_page_stream_documentation_and_client_work_below_a_path(
    dashboard: Dashboard, proxy: str, server: MakeRun
) -> None:
    dashboard.open(f"{proxy}/emo{ONE_BACKEND}")

    expect(dashboard.answered_boxes).to_have_count(1)
    assert {socket.url for socket in dashboard.sockets} == {f"{proxy.replace('http', 'ws')}/emo/ws"}
    asked = {request.url for request in dashboard.requests if not request.url.startswith(("blob:", "data:"))}
    assert all(url.startswith(f"{proxy}/emo/") for url in asked), asked

    dashboard.open(f"{proxy}/emo/docs")
    expect(dashboard.page.get_by_text("/v1/faces").first).to_be_visible()

    for prefix in ("/emo", "/deep/er"):
        with httpx.Client(base_url=proxy, trust_env=False, timeout=PATIENCE_S) as client:
            documentation = client.get(f"{prefix}/docs").text
            [description] = re.findall(r"url: '([^']+)'", documentation)
            assert client.get(unescape(description)).json()["servers"] == [{"url": prefix}]
            for asset in re.findall(r'(?:src|href)="([^"]+)"', documentation):
                client.get(asset).raise_for_status()
            assert client.get(f"{prefix}/").text == httpx.get(f"{server.url}/", trust_env=False).text
        with connect_sync(f"{proxy}{prefix}/", detect="server") as stream:
            [answer] = stream.frames([portrait()])
        assert isinstance(answer, FrameResult)
        assert [face.emotion for face in answer.faces] == ["happiness"]

    moved = httpx.get(f"{proxy}/deep/er?interval=50", trust_env=False)
    assert (moved.status_code, moved.headers["location"]) == (308, "/deep/er/?interval=50")

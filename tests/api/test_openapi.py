"""The OpenAPI document against the running server: what it allows is asked, and much that it doesn't."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.servers import ServerThread, server_thread
from tests.support import PATIENCE_S, FakeRecognizer

#: What schemathesis holds every answer against.
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)


@pytest.fixture(scope="module")
def server() -> Iterator[ServerThread]:
    with server_thread(FakeRecognizer(max_batch=8, is_open=True), upload_timeout_s=5) as thread:
        yield thread


@pytest.fixture(scope="module")
def document(server: ServerThread) -> dict[str, Any]:
    content = httpx.get(f"{server.http}/openapi.json", trust_env=False).json()
    assert isinstance(content, dict)
    return content


@pytest.mark.slow
def test_no_request_whatever_is_answered_by_a_server_error_or_in_another_way_than_is_documented(
    server: ServerThread, tmp_path: Path
) -> None:
    """At most twenty cases a route and 40 seconds, the same ones in every run."""
    program = Path(sys.executable).with_name("schemathesis")
    command = [str(program), "run", f"{server.http}/openapi.json", "--checks", ",".join(CHECKS)]
    command += ["--max-examples", "20", "--max-time", "40", "--seed", "6", "--generation-deterministic"]
    command += ["--request-timeout", str(PATIENCE_S)]
    command += [
        "--phases",
        "examples,coverage,fuzzing",
        "--continue-on-failure",
        "--no-color",
        "--warnings",
        "off",
    ]
    environment = os.environ | {"NO_PROXY": "127.0.0.1"}
    result = subprocess.run(
        command,
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=2 * PATIENCE_S,
        check=False,
    )

    assert result.returncode == 0, result.stdout + result.stderr


def test_every_route_that_takes_pictures_documents_its_body_and_its_problems(
    document: dict[str, Any],
) -> None:
    routes = (
        "/v1/faces",
        "/v1/annotate",
        "/recognize/file",
        "/recognize/base64",
        "/predict",
        "/emotion",
        "/face",
    )
    for route in routes:
        operation = document["paths"][route]["post"]
        assert operation["requestBody"]["content"], route
        for status in ("413", "415", "422", "503"):
            assert "application/problem+json" in operation["responses"][status]["content"], (route, status)

import asyncio
import json
import logging
from pathlib import Path

import httpx
import pytest
from emostream.logs import formatter, log_context

from tests.servers import QUICK_MODEL, ServerProcess, receive, send_json, session


def record(message: str, *arguments: object, name: str = "emostream", **more: object) -> logging.LogRecord:
    made = logging.LogRecord(name, logging.WARNING, "file.py", 1, message, arguments, None)
    vars(made).update(more)
    return made


def as_json(made: logging.LogRecord) -> dict[str, object]:
    line = formatter("json").format(made)
    assert "\n" not in line
    content = json.loads(line)
    assert isinstance(content, dict)
    return content


def test_a_line_is_one_object_whatever_is_in_it() -> None:
    found = as_json(record("two\nlines \x1b[31m of %s", "ünï", created=1790000000.25))

    assert found == {
        "time": "2026-09-21T14:13:20.250+00:00",
        "level": "warning",
        "logger": "emostream",
        "message": "two\nlines \x1b[31m of ünï",
    }


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_tokens_are_in_no_line_and_no_traceback(log_format: str) -> None:
    try:
        raise ValueError("GET /ws?token=sesame")
    except ValueError as error:
        caught = (type(error), error, error.__traceback__)

    line = formatter(log_format).format(record("asked for /ws?to%%6ben=%s", "sesame", exc_info=caught))

    assert "sesame" not in line
    assert "ValueError" in line


async def test_lines_of_tasks_have_the_fields_of_where_they_began() -> None:
    async def log() -> dict[str, object]:
        return as_json(record("x"))

    with log_context(request_id="r"):
        with log_context(session_id="s"):
            inner = asyncio.create_task(log())
        outer = await log()

    found = await inner
    assert (found["request_id"], found["session_id"]) == ("r", "s")
    assert "session_id" not in outer
    assert "request_id" not in await log()


async def test_the_servers_lines_are_json_with_ids_and_access_lines_without_tokens(
    tmp_path: Path, cache_dir: Path
) -> None:
    with ServerProcess(
        tmp_path,
        cache_dir,
        model=QUICK_MODEL,
        log_format="json",
        access_log=True,
        token="sesame",
        max_message_bytes=1024,
    ) as server:
        async with httpx.AsyncClient(base_url=server.http, trust_env=False) as client:
            given = await client.get("/v1/model?token=sesame", headers={"X-Request-ID": "mine-1"})
            made = await client.get("/healthz", headers={"X-Request-ID": "not one\x7f"})
            await client.get("/metrics?token=guessed")
        async with session(server, "/ws?token=sesame") as streaming:
            await send_json(streaming, {"type": "session.close"})
            await receive(streaming)
    lines = [json.loads(line) for line in server.log.splitlines()]

    assert given.headers["x-request-id"] == "mine-1"
    assert len(made.headers["x-request-id"]) == 32
    access = {line["path"]: line for line in lines if line["logger"] == "uvicorn.access"}
    assert access["/v1/model?token=…"]["request_id"] == "mine-1"
    assert access["/v1/model?token=…"]["status"] == 200
    (guess,) = [line for line in lines if "wrong token" in line["message"]]
    assert guess["request_id"] == access["/metrics?token=…"]["request_id"]
    assert "sesame" not in server.log
    assert "guessed" not in server.log

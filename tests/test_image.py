"""What of the image needs no container engine."""

import asyncio
import json
import subprocess
import sys

from tests.servers import receive, server_thread, session
from tests.support import PATIENCE_S, FakeRecognizer, frame
from tests.test_deployment import argument_of


def health_check() -> list[str]:
    command = json.loads(argument_of("HEALTHCHECK").partition("CMD ")[2])
    return [str(word) for word in command]


async def test_the_health_check_sees_an_engine_that_hangs() -> None:
    with server_thread(FakeRecognizer(), engine_timeout_s=0.2) as server:
        server.services.watchdog.end_process = lambda: None
        check = [word.replace(":8000/", f":{server.port}/") for word in health_check()]

        async def ask() -> subprocess.CompletedProcess[str]:
            command = [sys.executable, *check[1:]]
            return await asyncio.to_thread(
                subprocess.run, command, capture_output=True, text=True, timeout=PATIENCE_S, check=False
            )

        before = await ask()
        async with session(server) as client:
            await client.send(frame(1, b"face"))
            answer = await receive(client)
        after = await ask()

    assert before.returncode == 0, before.stderr
    assert answer["code"] == "internal_error"
    assert after.returncode != 0
    assert "HTTP Error 503" in after.stderr

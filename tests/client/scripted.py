"""A server that keeps to a script: how each connection goes, one after the other."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus

from emostream.protocol.wire import parse_envelope
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from tests.support import LABELS

Scene = Callable[[ServerConnection], Awaitable[None]]


def created(**changes: object) -> str:
    limits = {
        "max_message_bytes": 2**21,
        "max_pixels": 8294400,
        "max_faces": 32,
        "max_frames_per_second": 1000,
    }
    content = {
        "type": "session.created",
        "protocol": 1,
        "session_id": "s",
        "model": {"name": "scripted", "labels": list(LABELS)},
        "config": {"smoothing": 0.0, "max_faces": 8},
        "limits": limits,
    }
    return json.dumps(content | changes)


def result(frame_id: int, emotion: str = "happiness") -> str:
    predictions = {label: float(label == emotion) for label in LABELS}
    face = {"face_id": 1, "emotion": emotion, "confidence": 1.0, "predictions": predictions}
    timing = {"queue_ms": 0.1, "inference_ms": 1, "total_ms": 1.2, "batch_size": 1}
    content = {"type": "result", "frame_id": frame_id, "faces": [face], "timing": timing, "new": "field"}
    return json.dumps(content | {"predictions": predictions, "emotion": emotion})


async def frame_id_of(connection: ServerConnection) -> int:
    """Of the next frame that comes."""
    data = await connection.recv()
    assert isinstance(data, bytes)
    return parse_envelope(data).frame_id


async def answer_all(connection: ServerConnection) -> None:
    """Answers every frame."""
    await connection.send(created())
    async for data in connection:
        assert isinstance(data, bytes)
        await connection.send(result(parse_envelope(data).frame_id))


def answer_then_close(answers: int, code: int) -> Scene:
    """Answers so many frames, takes one more, and closes.

    1006 is a connection that is cut off, 1005 a close without a code.
    """

    async def scene(connection: ServerConnection) -> None:
        await connection.send(created())
        for _ in range(answers):
            await connection.send(result(await frame_id_of(connection)))
        await frame_id_of(connection)
        if code == 1006:
            connection.transport.abort()
        else:
            await connection.close(None if code == 1005 else code)  # type: ignore[arg-type]

    return scene


def refuse(code: int, error: str) -> Scene:
    """Says why the session never starts."""

    async def scene(connection: ServerConnection) -> None:
        await connection.send(json.dumps({"type": "error", "code": error, "message": f"it is {error}"}))
        await connection.close(code)

    return scene


@asynccontextmanager
async def scripted_server(scenes: Sequence[Scene | HTTPStatus]) -> AsyncIterator[str]:
    """Its address. Connections after the last scene play that one again; a status refuses the handshake."""
    played = 0

    def next_scene() -> Scene | HTTPStatus:
        return scenes[min(played, len(scenes) - 1)]

    async def play(connection: ServerConnection) -> None:
        nonlocal played
        scene = next_scene()
        played += 1
        assert not isinstance(scene, HTTPStatus)
        await scene(connection)

    def refused(connection: ServerConnection, request: Request) -> Response | None:
        nonlocal played
        scene = next_scene()
        if not isinstance(scene, HTTPStatus):
            return None
        played += 1
        return connection.respond(scene, "not now")

    async with serve(play, "127.0.0.1", 0, close_timeout=1, process_request=refused) as server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/ws"
        await asyncio.sleep(0)

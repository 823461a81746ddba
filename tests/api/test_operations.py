import json
import re
from collections.abc import Iterator

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.servers import ServerProcess, ServerThread, receive, server_thread, session
from tests.support import LABELS, FakeRecognizer, frame, jpeg


@pytest.fixture(scope="module")
def client(server: ServerProcess) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.http, trust_env=False) as client:
        yield client


def test_healthz_says_alive(client: httpx.Client) -> None:
    answer = client.get("/healthz")

    assert (answer.status_code, answer.json()) == (200, {"status": "alive"})


def test_readyz_says_ready(client: httpx.Client) -> None:
    answer = client.get("/readyz")

    assert (answer.status_code, answer.json()) == (200, {"status": "ready"})


async def test_readyz_says_503_during_shutdown() -> None:
    """The last moments of a server, while a frame is in its engine."""
    with server_thread(FakeRecognizer()) as thread:
        # A connection that is open already: new ones may not be taken any more.
        async with (
            session(thread) as streaming,
            httpx.AsyncClient(base_url=thread.http, trust_env=False) as http,
        ):
            await http.get("/healthz")
            await streaming.send(frame(1, b"held"))
            await thread.recognizer.next_batch()
            thread.ask_to_stop()
            answer = await http.get("/readyz")
            for _ in range(500):
                if answer.status_code != 200:
                    break
                answer = await http.get("/readyz")

            assert (answer.status_code, answer.json()) == (503, {"status": "shutting down"})
            thread.recognizer.open()
            await receive(streaming)


async def readyz(thread: ServerThread) -> httpx.Response:
    async with httpx.AsyncClient(base_url=thread.http, trust_env=False) as http:
        return await http.get("/readyz")


async def fail_three_times(thread: ServerThread, image: bytes) -> None:
    async with session(thread) as streaming:
        for frame_id in range(3):
            await streaming.send(frame(frame_id, image))
            assert (await receive(streaming))["code"] == "internal_error"


async def test_readyz_says_503_while_the_engine_fails() -> None:
    recognizer = FakeRecognizer(is_open=True)
    with server_thread(recognizer) as thread:
        recognizer.is_broken = True
        await fail_three_times(thread, b"face")
        answer = await readyz(thread)
        assert (answer.status_code, answer.json()) == (503, {"status": "the engine fails"})

        recognizer.is_broken = False  # without a frame that would show it
        assert (await readyz(thread)).json() == {"status": "ready"}


async def test_readyz_says_ready_where_only_one_clients_frames_fail() -> None:
    with server_thread(FakeRecognizer(is_open=True)) as thread:
        await fail_three_times(thread, b"poison")

        assert (await readyz(thread)).json() == {"status": "ready"}


def test_the_model_is_described(client: httpx.Client) -> None:
    answer = client.get("/v1/model").json()

    device, precision = answer.pop("device"), answer.pop("precision")
    assert answer == {
        "name": "default",
        "labels": list(LABELS),
        "members": ["from-scratch-b", "compact-mobilenet-a"],
        "input_size": 48,
    }
    assert "cpu" in device
    assert precision == "f32"


async def test_metrics_are_prometheus_text_and_count(server: ServerProcess) -> None:
    def read() -> dict[tuple[str, str], float]:
        answer = httpx.get(f"{server.http}/metrics", trust_env=False)
        assert answer.headers["content-type"].startswith("text/plain")
        return {
            (sample.name, sample.labels.get("outcome", "")): sample.value
            for family in text_string_to_metric_families(answer.text)
            for sample in family.samples
            if "le" not in sample.labels
        }

    before = read()
    async with session(server) as client:
        await client.send(frame(1, jpeg(), jpeg()))
        await receive(client)
        await client.send(b"no picture")
        await receive(client)
        during = read()
    grown = {key: value - before.get(key, 0) for key, value in during.items()}

    assert during["emostream_sessions", ""] >= 1
    assert grown["emostream_frames_total", "result"] == 1
    assert grown["emostream_frames_total", "invalid_image"] == 1
    assert grown["emostream_frame_seconds_count", ""] >= 1
    assert grown["emostream_batch_faces_sum", ""] == 2
    assert grown["emostream_batch_seconds_count", ""] == 1


def test_the_api_is_described(client: httpx.Client) -> None:
    paths = client.get("/openapi.json").json()["paths"]

    assert {"/healthz", "/readyz", "/metrics", "/v1/model"} <= set(paths)


def test_the_documentation_page_loads_nothing_from_elsewhere(client: httpx.Client) -> None:
    page = client.get("/docs")

    assert page.status_code == 200
    assert re.findall(r"(?:https?:)?//[\w.-]+\.\w+", page.text) == []
    assets = re.findall(r"""(?:src|href)=["']([^"']+)""", page.text)
    assert len(assets) >= 2
    for asset in assets:
        assert client.get(asset).status_code == 200, asset


def test_a_path_that_is_not_there_is_404(client: httpx.Client) -> None:
    assert client.get("/v1/nothing").status_code == 404


def test_answers_of_the_api_are_json(client: httpx.Client) -> None:
    assert json.loads(client.get("/healthz").text) == {"status": "alive"}
    assert client.get("/healthz").headers["content-type"] == "application/json"


def test_the_log_of_all_this_has_no_traceback(server: ServerProcess, client: httpx.Client) -> None:
    assert "Traceback" not in server.log


def test_where_a_token_is_set_the_metrics_need_it(guarded: ServerProcess) -> None:
    assert httpx.get(f"{guarded.http}/metrics", trust_env=False).status_code == 401
    bearer = {"Authorization": "Bearer let me in"}
    assert httpx.get(f"{guarded.http}/metrics", headers=bearer, trust_env=False).status_code == 200


def test_a_setting_opens_the_metrics() -> None:
    with server_thread(token="secret", open_metrics=True) as server:
        assert httpx.get(f"{server.http}/metrics", trust_env=False).status_code == 200
        assert httpx.get(f"{server.http}/docs", trust_env=False).status_code == 401

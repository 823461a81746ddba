"""Crops with their right label: kept only where the operator has set a folder and the person agrees."""

import asyncio
import io
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from emostream.api import correction_folder
from emostream.api.correction_folder import CorrectionFolder, folder_name, reduced
from emostream.training.preparing.class_names import word_of
from PIL import Image
from websockets.asyncio.client import connect

from tests.servers import PATIENCE_S, ServerThread, server_thread
from tests.support import FakeRecognizer, encoded, jpeg

LABELS = ("bored", "focused", "half/half")


class Own(FakeRecognizer):
    def __init__(self) -> None:
        super().__init__(is_open=True)
        self.labels = LABELS


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kept") / "corrections"


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[ServerThread]:
    with server_thread(Own(), corrections_dir=folder, max_kept_bytes=20_000) as thread:
        yield thread


@pytest.fixture(scope="module")
def client(server: ServerThread) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.http, trust_env=False, timeout=PATIENCE_S) as client:
        yield client


def send(client: httpx.Client, image: bytes, **fields: str) -> httpx.Response:
    given = {"label": "bored", "consent": "true"} | fields
    return client.post("/v1/corrections", files={"file": ("face.jpg", image)}, data=given)


def kept(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file()) if folder.exists() else []


def with_place(image: Image.Image) -> bytes:
    """A JPEG that says where it was taken, as those of cameras do."""
    exif = Image.Exif()
    exif[0x010E] = "my home"
    return encoded(image, "JPEG", exif=exif)


def test_a_crop_is_kept_with_its_label_for_its_owner_only_and_can_be_taken_back(
    client: httpx.Client, folder: Path
) -> None:
    answer = send(client, with_place(Image.new("RGB", (60, 60), (200, 150, 120))), label="half/half")

    assert answer.status_code == 201
    [file] = kept(folder)
    assert answer.json() == {"id": file.stem, "label": "half/half"}
    assert word_of(file.parent.name) == "half/half"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert b"my home" not in file.read_bytes()
    with Image.open(file) as image:
        assert image.size == (60, 60)

    path = f"/v1/corrections/{file.stem}"
    assert client.delete(path).status_code == 204
    assert kept(folder) == []
    assert client.delete(path).json()["code"] == "unknown_correction"
    assert client.delete("/v1/corrections/passwd").json()["code"] == "invalid_parameter"


@pytest.mark.parametrize(
    ("image", "fields", "status", "code"),
    [
        (jpeg(), {"consent": "no"}, 422, "consent_missing"),
        (jpeg(), {"label": "boerd"}, 422, "unknown_label"),
        (jpeg(), {"label": "../bored"}, 422, "unknown_label"),
        (b"no image", {}, 422, "not_an_image"),
        (jpeg()[:200], {}, 422, "truncated_image"),
    ],
)
def test_what_cannot_be_kept_is_answered_and_leaves_nothing(
    client: httpx.Client, folder: Path, image: bytes, fields: dict[str, str], status: int, code: str
) -> None:
    answer = send(client, image, **fields)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert kept(folder) == []


def test_a_full_folder_keeps_no_more(client: httpx.Client, folder: Path) -> None:
    noise = Image.effect_noise((200, 200), 90)

    answers = [send(client, encoded(noise, "PNG")) for _ in range(3)]

    assert [answer.status_code for answer in answers][-1] == 507
    assert answers[-1].json()["code"] == "corrections_full"
    assert sum(path.stat().st_size for path in kept(folder)) <= 20_000
    for path in kept(folder):
        path.unlink()


def test_clients_are_told_that_corrections_are_kept(client: httpx.Client, server: ServerThread) -> None:
    async def greeting() -> str:
        async with connect(f"{server.ws}/ws", proxy=None) as socket:
            return str(await socket.recv())

    assert '"corrections":true' in asyncio.run(greeting())


def test_a_page_of_an_allowed_origin_may_take_its_crop_back(tmp_path: Path) -> None:
    """A browser asks first, and a page of no listed origin is told nothing that lets it go on."""
    with (
        server_thread(Own(), corrections_dir=tmp_path, allowed_origins="https://friend.example") as thread,
        httpx.Client(base_url=thread.http, trust_env=False, timeout=PATIENCE_S) as client,
    ):
        path = f"/v1/corrections/{send(client, jpeg()).json()['id']}"
        allowed = {}
        for origin in ("https://friend.example", "https://evil.example"):
            asked = {"Origin": origin, "Access-Control-Request-Method": "DELETE"}
            allowed[origin] = client.options(path, headers=asked)
        foreign = client.delete(path, headers={"Origin": "https://evil.example"})
        own = client.delete(path, headers={"Origin": "https://friend.example"})

    friend, evil = allowed.values()
    assert friend.headers["Access-Control-Allow-Origin"] == "https://friend.example"
    assert "DELETE" in friend.headers["Access-Control-Allow-Methods"]
    assert "Access-Control-Allow-Origin" not in evil.headers
    assert (foreign.status_code, own.status_code) == (403, 204)
    assert kept(tmp_path) == []


def test_a_server_without_a_folder_keeps_none_and_says_so() -> None:
    with (
        server_thread(Own()) as thread,
        httpx.Client(base_url=thread.http, trust_env=False, timeout=PATIENCE_S) as client,
    ):
        answer = send(client, jpeg())
        assert (answer.status_code, answer.json()["code"]) == (404, "corrections_off")
        assert (
            client.delete(f"/v1/corrections/20260101T000000-{'0' * 32}").json()["code"] == "corrections_off"
        )


@pytest.fixture
def stuck(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """A decoder that never comes back; the event says that it is at an image."""
    is_at_it, may_end = threading.Event(), threading.Event()

    def decode(data: bytes, max_pixels: int) -> Image.Image:
        is_at_it.set()
        may_end.wait(PATIENCE_S)
        return Image.new("RGB", (48, 48))

    monkeypatch.setattr(correction_folder, "decode", decode)
    yield is_at_it
    may_end.set()


def test_a_crop_that_takes_its_decoder_too_long_is_given_up(stuck: threading.Event, tmp_path: Path) -> None:
    with (
        server_thread(Own(), corrections_dir=tmp_path, image_timeout_s=0.2) as thread,
        httpx.Client(base_url=thread.http, trust_env=False, timeout=PATIENCE_S) as client,
    ):
        answer = send(client, jpeg())

        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_image")
        assert kept(tmp_path) == []


def test_the_server_ends_in_order_while_a_crops_decoder_is_stuck(
    stuck: threading.Event, tmp_path: Path
) -> None:
    server = ServerThread(Own(), corrections_dir=tmp_path, shutdown_timeout_s=1)
    answers: list[httpx.Response] = []

    def send_one() -> None:
        with httpx.Client(base_url=server.http, trust_env=False, timeout=PATIENCE_S) as client:
            answers.append(send(client, jpeg()))

    sender = threading.Thread(target=send_one)
    sender.start()
    assert stuck.wait(PATIENCE_S)
    server.ask_to_stop()
    server.join()  # while nothing lets the decoder go on
    sender.join(PATIENCE_S)

    assert (answers[0].status_code, answers[0].json()["code"]) == (503, "shutting_down")
    assert kept(tmp_path) == []


def test_a_large_crop_is_made_smaller(tmp_path: Path) -> None:
    crop = reduced(encoded(Image.new("L", (2000, 1000)), "PNG"), 10**7)
    CorrectionFolder(tmp_path, 10**7).keep(crop, "bored")

    [file] = kept(tmp_path)
    with Image.open(io.BytesIO(file.read_bytes())) as image:
        assert image.size == (512, 256)


@pytest.mark.parametrize("label", ["bored", "not smiling", "../up", ".", "50 %", "müde", "a\\b", "x:y?"])
def test_any_label_is_one_folder_and_comes_back_from_its_name(label: str) -> None:
    name = folder_name(label)

    assert "/" not in name
    assert not name.startswith(".")
    assert word_of(name) == label

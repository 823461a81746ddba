"""The routes of older systems, each asked as that system's clients do."""

import base64
import json
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image
from websockets.asyncio.client import connect

from tests.portraits import FACE_XYWH, crowd, iou, no_face, portrait, portrait_file
from tests.servers import PATIENCE_S, ServerThread, server_thread
from tests.support import FakeRecognizer, encoded

EIGHT = ("neutral", "happy", "sad", "surprise", "fear", "disgust", "anger", "contempt")


class Certain(FakeRecognizer):
    """Gives every face the same probabilities."""

    def __init__(self, **row: float) -> None:
        super().__init__(is_open=True)
        self.labels = tuple(row)
        self._row = np.array(list(row.values()), np.float32)

    def prepare(self, data: bytes, max_pixels: int) -> object:
        from emostream.imaging.decoding import decode, prepare

        return prepare(decode(data, max_pixels), (48,))

    def infer(self, faces: object) -> np.ndarray:
        return np.tile(self._row, (len(faces), 1))  # type: ignore[arg-type]


SEVEN = {
    "anger": 0.01,
    "disgust": 0.02,
    "fear": 0.03,
    "happiness": 0.81234,
    "neutral": 0.05,
    "sadness": 0.06,
    "surprise": 0.01766,
}


@pytest.fixture(scope="module")
def server() -> Iterator[ServerThread]:
    with server_thread(Certain(**SEVEN)) as thread:
        yield thread


@pytest.fixture(scope="module")
def client(server: ServerThread) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.http, trust_env=False, timeout=PATIENCE_S) as client:
        yield client


@pytest.fixture(scope="module")
def with_contempt() -> Iterator[httpx.Client]:
    """Of a model with eight labels in other words, most of it contempt."""
    row = dict.fromkeys(EIGHT, 0.05) | {"contempt": 0.5, "sad": 0.2}
    with (
        server_thread(Certain(**row)) as thread,
        httpx.Client(base_url=thread.http, trust_env=False, timeout=PATIENCE_S) as client,
    ):
        yield client


def base64_of(picture: bytes) -> str:
    return base64.b64encode(picture).decode()


def data_url(picture: bytes) -> str:
    return "data:image/jpeg;base64," + base64_of(picture)


def face_crop() -> bytes:
    x, y, side, _ = (round(value) for value in FACE_XYWH)
    return encoded(portrait().crop((x, y, x + side, y + side)), "JPEG")


def test_ping(client: httpx.Client) -> None:
    answer = client.get("/ping")

    assert (answer.status_code, answer.json()) == (200, "ping")


# /recognize

RECOGNIZED = SEVEN | {"happiness": 0.8123, "surprise": 0.0177}


def test_recognize_file(client: httpx.Client) -> None:
    answer = client.post("/recognize/file", files={"file": ("a.jpg", portrait_file(), "image/jpeg")})

    assert answer.status_code == 200
    assert list(answer.json()) == list(RECOGNIZED)
    assert answer.json() == pytest.approx(RECOGNIZED, abs=1e-9)


@pytest.mark.parametrize("text", [base64_of, data_url, lambda picture: f'"{data_url(picture)}"'])
def test_recognize_base64(client: httpx.Client, text: object) -> None:
    body = text(portrait_file())  # type: ignore[operator]
    answer = client.post("/recognize/base64", content=body, headers={"Content-Type": "text/plain"})

    assert answer.json() == pytest.approx(RECOGNIZED, abs=1e-9)


def test_recognize_without_a_face(client: httpx.Client) -> None:
    for answer in (
        client.post("/recognize/file", files={"file": no_face()}),
        client.post("/recognize/base64", content=data_url(no_face())),
    ):
        assert answer.status_code == 422
        assert answer.json()["detail"] == "No face detected"
        assert answer.json()["code"] == "no_face"


def test_recognize_leaves_out_what_its_clients_do_not_know(with_contempt: httpx.Client) -> None:
    answer = with_contempt.post("/recognize/file", files={"file": portrait_file()}).json()

    assert list(answer) == list(RECOGNIZED)
    assert answer["sadness"] == 0.2


# /predict and /emotion


def test_predict(client: httpx.Client) -> None:
    answer = client.post("/predict", files={"file": ("a.jpg", portrait_file())})

    (face,) = answer.json()
    assert list(face) == ["x", "y", "width", "height", "label"]
    assert iou((face["x"], face["y"], face["width"], face["height"]), FACE_XYWH) > 0.8
    assert face["label"] == "happy"


def test_predict_knows_contempt(with_contempt: httpx.Client) -> None:
    (face,) = with_contempt.post("/predict", files={"file": portrait_file()}).json()

    assert face["label"] == "contempt"


def test_predict_answers_every_face(client: httpx.Client) -> None:
    made = crowd((900, 700), [60, 150], seed=6)

    assert len(client.post("/predict", files={"file": encoded(made.picture, "JPEG")}).json()) == 2


@pytest.mark.parametrize(("route", "field"), [("/predict", "file"), ("/emotion", "image")])
def test_without_a_face_there_is_an_empty_list(client: httpx.Client, route: str, field: str) -> None:
    answer = client.post(route, files={field: no_face()})

    assert (answer.status_code, answer.json()) == (200, [])


@pytest.mark.parametrize("file_format", ["JPEG", "PNG"])
def test_emotion(client: httpx.Client, file_format: str) -> None:
    answer = client.post("/emotion", files={"image": (f"a.{file_format}", portrait_file(file_format))})

    (face,) = answer.json()
    assert list(face) == ["bounding_box", "emotion", "confidence"]
    assert iou(tuple(face["bounding_box"]), FACE_XYWH) > 0.8
    assert (face["emotion"], face["confidence"]) == ("happy", 0.8123)


def test_emotion_names_the_likeliest_that_its_clients_know(with_contempt: httpx.Client) -> None:
    (face,) = with_contempt.post("/emotion", files={"image": portrait_file()}).json()

    assert (face["emotion"], face["confidence"]) == ("sad", 0.2)


# /face


@pytest.mark.parametrize("text", [base64_of, data_url])
@pytest.mark.parametrize("form", ["URL-encoded", "multipart", "plus signs left as they are"])
def test_face(client: httpx.Client, text: object, form: str) -> None:
    value = text(face_crop())  # type: ignore[operator]
    assert "+" in value
    if form == "multipart":
        answer = client.post("/face", files={"imgBase64": (None, value)})
    else:
        kept = "+/=:;," if form.startswith("plus") else ""
        body = "imgBase64=" + urllib.parse.quote(value, safe=kept)
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = client.post("/face", content=body, headers=headers)

    assert answer.status_code == 200
    predictions = answer.json()["predictions"]
    assert list(predictions) == ["Happiness", "Sadness", "Neutral", "Fear", "Disgust", "Surprise", "Anger"]
    assert predictions["Happiness"] == 81.23
    assert sum(predictions.values()) == pytest.approx(100, abs=0.05)


def test_face_takes_the_picture_as_the_crop_that_it_is(client: httpx.Client) -> None:
    answer = client.post("/face", data={"imgBase64": base64_of(no_face())})

    assert "Happiness" in answer.json()["predictions"]


def test_face_names_contempt_where_the_model_has_it(with_contempt: httpx.Client) -> None:
    answer = with_contempt.post("/face", data={"imgBase64": base64_of(face_crop())})

    predictions = answer.json()["predictions"]
    assert next(iter(predictions)) == "Contempt"
    assert len(predictions) == 8


# What cannot be used

FORMS = [("/recognize/file", "file"), ("/predict", "file"), ("/emotion", "image")]


@pytest.mark.parametrize(("route", "field"), FORMS)
@pytest.mark.parametrize(
    ("picture", "status", "code"),
    [
        (b"", 422, "empty_image"),
        (b"hello", 422, "not_an_image"),
        (portrait_file()[:5000], 422, "truncated_image"),
        (encoded(Image.new("L", (9, 9)), "GIF"), 415, "unsupported_type"),
    ],
    ids=["empty", "words", "truncated", "GIF"],
)
def test_a_bad_picture_is_a_problem_document(
    client: httpx.Client, route: str, field: str, picture: bytes, status: int, code: str
) -> None:
    answer = client.post(route, files={field: ("a.jpg", picture)})

    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["detail"]


@pytest.mark.parametrize("value", ["%%%", "", "aGVsbG8="], ids=["no base64", "nothing", "words"])
def test_bad_base64_is_a_problem_document(client: httpx.Client, value: str) -> None:
    for answer in (
        client.post("/face", data={"imgBase64": value}),
        client.post("/recognize/base64", content=value),
    ):
        assert answer.status_code == 422
        assert answer.headers["content-type"] == "application/problem+json"


def test_a_missing_field_is_told_as_fastapi_does(client: httpx.Client) -> None:
    answer = client.post("/face", data={"other": "x"})

    assert answer.status_code == 422
    assert answer.json()["detail"] == [
        {"type": "missing", "loc": ["body", "imgBase64"], "msg": "Field required"}
    ]


# IMAGES_DIR


def files_in(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.exists() else []


async def test_received_crops_are_kept_only_where_images_dir_says_so_and_one_in_ten_seconds(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "crops"
    with (
        server_thread(Certain(**SEVEN), images_dir=folder) as keeping,
        server_thread(Certain(**SEVEN)) as other,
    ):
        for server in (other, keeping, keeping):
            async with httpx.AsyncClient(base_url=server.http, trust_env=False) as client:
                await client.post("/face", data={"imgBase64": base64_of(face_crop())})
            async with connect(f"{server.ws}/", proxy=None) as older:
                await older.send(json.dumps({"data": {"image": data_url(face_crop())}}))
                await older.recv()
        (kept,) = files_in(folder)

    assert kept.read_bytes() == face_crop()
    assert kept.name.endswith("-happiness-0.81.jpg")


BORED = {"bored": 0.75, "focused": 0.25}


@pytest.fixture(scope="module")
def bored() -> Iterator[httpx.Client]:
    """A server whose model knows no emotion that an older system has a word for."""
    with (
        server_thread(Certain(**BORED)) as thread,
        httpx.Client(base_url=thread.http, trust_env=False, timeout=PATIENCE_S) as client,
    ):
        yield client


def test_labels_of_ones_own_are_answered_as_they_are(bored: httpx.Client) -> None:
    """And not as a neutral face, which nobody has seen."""
    image = portrait_file()

    recognized = bored.post("/recognize/file", files={"file": image}).json()
    [predicted] = bored.post("/predict", files={"file": image}).json()
    [emotion] = bored.post("/emotion", files={"image": image}).json()
    crop = bored.post("/face", data={"imgBase64": base64.b64encode(image).decode()}).json()

    assert {label: recognized[label] for label in BORED} == BORED
    assert predicted["label"] == "bored"
    assert (emotion["emotion"], emotion["confidence"]) == ("bored", 0.75)
    assert crop["predictions"] == {"bored": 75.0, "focused": 25.0}

"""``POST /v1/faces`` and ``/v1/annotate`` by raw requests, with real detection and a pretended model."""

import base64
import io
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from emostream.api.images import preferred_type
from emostream.exceptions import ProblemError
from PIL import Image

from tests.portraits import FACE_XYWH, crowd, iou, no_face, portrait, portrait_file
from tests.servers import PATIENCE_S, ServerThread, server_thread
from tests.support import LABELS, FakeRecognizer, encoded, jpeg, png_header

JPEG = {"Content-Type": "image/jpeg"}


@pytest.fixture(scope="module")
def server() -> Iterator[ServerThread]:
    with server_thread(FakeRecognizer(max_batch=8, is_open=True), max_upload_bytes=3_000_000) as thread:
        yield thread


@pytest.fixture(scope="module")
def client(server: ServerThread) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.http, trust_env=False, timeout=PATIENCE_S) as client:
        yield client


def data_url(picture: bytes) -> str:
    return "data:image/jpeg;base64," + base64.b64encode(picture).decode()


def assert_has_the_portraits_face(answer: dict[str, Any]) -> None:
    (face,) = answer["faces"]
    doubt = {"quality", "uncertain", "reasons"}
    assert set(face) == {"box", "score", "emotion", "confidence", "predictions"} | doubt
    assert face["quality"]["size_px"] == pytest.approx(104, abs=5)  # grey ones are framed more tightly
    assert face["quality"]["visible"] == 1
    assert (face["uncertain"], face["reasons"]) == (False, [])  # a good photograph, and a sure answer
    assert all(isinstance(value, int) for value in face["box"])
    assert iou(tuple(face["box"]), FACE_XYWH) > 0.8
    assert 0.5 < face["score"] <= 1
    assert list(face["predictions"]) == list(LABELS)
    assert sum(face["predictions"].values()) == pytest.approx(1, abs=1e-3)
    assert face["confidence"] == face["predictions"][face["emotion"]] == max(face["predictions"].values())


def problem(answer: httpx.Response) -> tuple[int, str]:
    """Status and code of a problem document."""
    content = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert set(content) == {"type", "title", "status", "code", "detail"}
    assert content["status"] == answer.status_code
    assert content["detail"]
    assert "Traceback" not in answer.text
    return answer.status_code, content["code"]


# Every form of a body


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP"])
def test_a_raw_body_is_one_picture(client: httpx.Client, file_format: str) -> None:
    headers = {"Content-Type": f"image/{file_format.lower()}"}
    answer = client.post("/v1/faces", content=portrait_file(file_format), headers=headers)

    content = answer.json()
    assert answer.status_code == 200
    assert (content["width"], content["height"]) == (512, 512)
    assert_has_the_portraits_face(content)
    (image,) = content["images"]
    assert image["faces"] == content["faces"]
    assert image["error"] is None
    assert set(image["timing"]) == {
        "decode_ms", "detect_ms", "crop_ms", "queue_ms", "inference_ms", "total_ms", "batch_size"
    }  # fmt: skip


def test_a_form_has_one_picture(client: httpx.Client) -> None:
    content = client.post("/v1/faces", files={"file": ("me.jpg", portrait_file())}).json()

    assert_has_the_portraits_face(content)
    assert content["images"][0]["name"] == "me.jpg"


@pytest.mark.parametrize("bare", [True, False])
def test_json_has_base64_or_a_data_url(client: httpx.Client, bare: bool) -> None:
    text = data_url(portrait_file())
    body = {"image": text.partition(",")[2] if bare else text}

    assert_has_the_portraits_face(client.post("/v1/faces", json=body).json())


def test_of_several_pictures_a_bad_one_fails_alone(client: httpx.Client) -> None:
    files = [
        ("file", ("good.jpg", portrait_file())),
        ("file", ("words.jpg", b"hello")),
        ("file", ("empty.jpg", b"")),
        ("file", ("cut.jpg", portrait_file()[:5000])),
        ("file", ("huge.png", png_header(100_000, 100_000))),
        ("file", ("cup.jpg", no_face())),
        ("file", ("good too.png", portrait_file("PNG"))),
    ]
    answer = client.post("/v1/faces", files=files)

    content = answer.json()
    assert answer.status_code == 200
    assert_has_the_portraits_face(content)
    images = content["images"]
    assert [image["name"] for image in images] == [name for _, (name, _) in files]
    codes = [image["error"] and image["error"]["code"] for image in images]
    assert codes == [
        None, "not_an_image", "empty_image", "truncated_image", "image_too_large", None, None
    ]  # fmt: skip
    assert images[5]["faces"] == []
    assert_has_the_portraits_face(images[6])


def test_where_the_first_picture_fails_the_others_are_still_answered(client: httpx.Client) -> None:
    content = client.post("/v1/faces", json={"images": ["%%", data_url(portrait_file())]}).json()

    assert content["faces"] is None
    assert content["images"][0]["error"]["code"] == "invalid_base64"
    assert_has_the_portraits_face(content["images"][1])


def test_a_picture_without_a_face_has_no_faces(client: httpx.Client) -> None:
    content = client.post("/v1/faces", content=no_face(), headers=JPEG).json()

    assert content["faces"] == []


def test_no_more_faces_than_asked_for_the_largest_first(client: httpx.Client) -> None:
    made = crowd((900, 700), [50, 180, 90], seed=4)
    answer = client.post("/v1/faces?max_faces=2", content=encoded(made.picture, "JPEG"), headers=JPEG)

    boxes = [face["box"] for face in answer.json()["faces"]]
    assert len(boxes) == 2
    assert iou(tuple(boxes[0]), made.boxes_xywh[0]) > 0.5
    assert iou(tuple(boxes[1]), made.boxes_xywh[1]) > 0.5


# Pictures of every kind


def rotated() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return encoded(portrait().transpose(Image.Transpose.ROTATE_90), "JPEG", exif=exif)


def sixteen_bits() -> bytes:
    grey = np.asarray(portrait().convert("L")).astype(np.uint16) * 257
    return encoded(Image.fromarray(grey), "PNG")


def animated() -> bytes:
    return encoded(portrait(), "WEBP", save_all=True, append_images=[Image.new("RGB", (512, 512))])


def with_alpha() -> bytes:
    picture = portrait().copy()
    picture.putalpha(200)
    return encoded(picture, "PNG")


KINDS = {
    "rotated by EXIF": rotated,
    "grey": lambda: encoded(portrait().convert("L"), "JPEG"),
    "CMYK": lambda: encoded(portrait().convert("CMYK"), "JPEG"),
    "16 bits": sixteen_bits,
    "animated WebP": animated,
    "alpha": with_alpha,
    "palette": lambda: encoded(portrait().quantize(256), "PNG"),
    "progressive": lambda: encoded(portrait(), "JPEG", progressive=True),
}


@pytest.mark.parametrize("make", KINDS.values(), ids=KINDS.keys())
def test_pictures_of_every_kind_are_understood(client: httpx.Client, make: Any) -> None:
    answer = client.post("/v1/faces", files={"file": make()}).json()

    assert_has_the_portraits_face(answer)
    assert (answer["width"], answer["height"]) == (512, 512)


def test_twelve_megapixels_are_searched() -> None:
    """For large faces only: the detector's own tests look for small ones in such a picture."""
    content = encoded(portrait().resize((4000, 3000)), "JPEG", quality=80)
    with server_thread(FakeRecognizer(is_open=True), min_face_px=200) as server:
        url = f"{server.http}/v1/faces"
        answer = httpx.post(url, content=content, headers=JPEG, trust_env=False, timeout=PATIENCE_S).json()

    assert (answer["width"], answer["height"]) == (4000, 3000)
    assert len(answer["faces"]) == 1


# What cannot be used

REFUSED: dict[str, tuple[dict[str, Any], tuple[int, str]]] = {
    "an empty body": ({"content": b"", "headers": JPEG}, (422, "empty_image")),
    "words": ({"content": b"hello", "headers": JPEG}, (422, "not_an_image")),
    "half a picture": ({"content": portrait_file()[:9000], "headers": JPEG}, (422, "truncated_image")),
    "a GIF": ({"content": encoded(portrait(), "GIF"), "headers": JPEG}, (415, "unsupported_type")),
    "a TIFF": ({"files": {"file": encoded(portrait(), "TIFF")}}, (415, "unsupported_type")),
    "a bomb": ({"content": png_header(60_000, 60_000), "headers": JPEG}, (413, "image_too_large")),
    "too many pixels": ({"content": png_header(4097, 4097), "headers": JPEG}, (413, "image_too_large")),
    "another type": ({"content": b"x", "headers": {"Content-Type": "text/html"}}, (415, "unsupported_type")),
    "no type": ({"content": b"x"}, (415, "unsupported_type")),
    "a form without a file": ({"files": {"other": (None, "x")}}, (422, "missing_field")),
    "a form without a boundary": (
        {"content": b"x", "headers": {"Content-Type": "multipart/form-data"}},
        (400, "invalid_body"),
    ),
    "a form that is none": (
        {"content": b"x", "headers": {"Content-Type": "multipart/form-data; boundary=b"}},
        (400, "invalid_body"),
    ),
    "JSON that is none": (
        {"content": b"{", "headers": {"Content-Type": "application/json"}},
        (400, "invalid_body"),
    ),
    "JSON without a picture": ({"json": {}}, (400, "invalid_body")),
    "no base64": ({"json": {"image": "häää"}}, (422, "invalid_base64")),
    "too many pictures": ({"files": [("file", jpeg())] * 17}, (422, "too_many_images")),
    "too many pictures in JSON": ({"json": {"images": [""] * 17}}, (422, "too_many_images")),
    "a body too large": ({"content": bytes(3_000_001), "headers": JPEG}, (413, "body_too_large")),
    "a form too large": ({"files": {"file": bytes(3_000_001)}}, (413, "body_too_large")),
}


@pytest.mark.parametrize(("body", "expected"), REFUSED.values(), ids=REFUSED.keys())
@pytest.mark.parametrize("route", ["/v1/faces", "/v1/annotate"])
def test_what_cannot_be_used_is_refused_with_its_code(
    client: httpx.Client, route: str, body: dict[str, Any], expected: tuple[int, str]
) -> None:
    assert problem(client.post(route, **body)) == expected


@pytest.mark.parametrize("value", ["0", "257", "many", ""])
def test_a_wrong_parameter_is_told_as_fastapi_does(client: httpx.Client, value: str) -> None:
    answer = client.post(f"/v1/faces?max_faces={value}", content=portrait_file(), headers=JPEG)

    assert problem(answer) == (422, "invalid_parameter")
    assert answer.json()["detail"][0]["loc"] == ["query", "max_faces"]


def test_a_body_without_end_is_refused_while_it_is_still_being_sent(server: ServerThread) -> None:
    """No length is announced, and the client never stops: only a server that counts can answer."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE_S) as connection:
        connection.sendall(
            b"POST /v1/faces HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/jpeg\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n"
        )
        sent = 0
        connection.settimeout(0.02)
        answer = b""
        while not answer and sent < 100_000_000:
            try:
                connection.sendall(b"10000\r\n" + bytes(0x10000) + b"\r\n")
                sent += 0x10000
                answer = connection.recv(4096)
            except TimeoutError:
                continue

    assert b" 413 " in answer.split(b"\r\n")[0]
    assert b"body_too_large" in answer or b"problem+json" in answer
    assert sent < 20_000_000


def test_an_announced_length_is_refused_before_anything_is_sent(server: ServerThread) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE_S) as connection:
        connection.sendall(
            b"POST /v1/faces HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/jpeg\r\n"
            b"Content-Length: 9999999\r\n\r\n"
        )
        assert b" 413 " in connection.recv(4096).split(b"\r\n")[0]


def test_a_client_that_is_too_slow_is_sent_away() -> None:
    with (
        server_thread(FakeRecognizer(is_open=True), upload_timeout_s=0.2) as slow,
        socket.create_connection(("127.0.0.1", slow.port), timeout=PATIENCE_S) as connection,
    ):
        connection.sendall(
            b"POST /v1/faces HTTP/1.1\r\nHost: localhost\r\n"
            b"Content-Type: image/jpeg\r\nContent-Length: 9\r\n\r\nabc"
        )
        assert b" 408 " in connection.recv(4096).split(b"\r\n")[0]


def test_an_engine_that_fails_is_an_answer_without_a_traceback(
    server: ServerThread, caplog: pytest.LogCaptureFixture
) -> None:
    class Failing(FakeRecognizer):
        def infer(self, faces: Any) -> Any:
            raise ArithmeticError("secret")

    with server_thread(Failing(is_open=True)) as failing:
        url = f"{failing.http}/v1/faces"
        answer = httpx.post(url, content=portrait_file(), headers=JPEG, trust_env=False, timeout=PATIENCE_S)

    assert problem(answer) == (500, "internal_error")
    assert "secret" not in answer.text


# Access, and too much at once


def test_the_token_is_needed_here_too() -> None:
    with server_thread(FakeRecognizer(is_open=True), token="let me in") as guarded:
        for route in (
            "/v1/faces",
            "/v1/annotate",
            "/predict",
            "/emotion",
            "/face",
            "/recognize/file",
            "/recognize/base64",
        ):
            answer = httpx.post(f"{guarded.http}{route}", content=b"", trust_env=False)
            assert problem(answer) == (401, "unauthorized"), route
            assert answer.headers["WWW-Authenticate"] == "Bearer"
        headers = JPEG | {"Authorization": "Bearer let me in"}
        url = f"{guarded.http}/v1/faces"
        assert problem(httpx.post(url, content=b"", headers=headers, trust_env=False))[1] == "empty_image"
        url = f"{url}?token=let%20me%20in"
        assert problem(httpx.post(url, content=b"", headers=JPEG, trust_env=False))[1] == "empty_image"


def test_pages_of_other_origins_are_refused_unless_they_are_on_the_list() -> None:
    with server_thread(FakeRecognizer(is_open=True), allowed_origins="https://friend.example") as server:
        url = f"{server.http}/v1/faces"
        evil = httpx.post(
            url, content=b"", headers=JPEG | {"Origin": "https://evil.example"}, trust_env=False
        )
        friend = httpx.post(
            url, content=b"", headers=JPEG | {"Origin": "https://friend.example"}, trust_env=False
        )
        own = httpx.post(url, content=b"", headers=JPEG | {"Origin": server.http}, trust_env=False)

    assert problem(evil) == (403, "forbidden_origin")
    assert problem(friend)[1] == problem(own)[1] == "empty_image"
    assert friend.headers["access-control-allow-origin"] == "https://friend.example"


def test_too_many_requests_at_once_are_told_to_come_again() -> None:
    with server_thread(FakeRecognizer(max_batch=2), max_requests=2) as busy, ThreadPoolExecutor(2) as threads:

        def post() -> httpx.Response:
            return httpx.post(
                f"{busy.http}/v1/faces",
                content=portrait_file(),
                headers=JPEG,
                trust_env=False,
                timeout=PATIENCE_S,
            )

        under_way = [threads.submit(post) for _ in range(2)]
        until = time.monotonic() + PATIENCE_S
        while busy.services.admission._requests < 2 and time.monotonic() < until:
            time.sleep(0.01)
        refused = post()
        busy.recognizer.open()

        assert problem(refused) == (503, "overloaded")
        assert int(refused.headers["Retry-After"]) >= 1
        assert [answer.result().status_code for answer in under_way] == [200, 200]


def test_without_the_detectors_files_the_server_runs_and_says_what_is_missing(tmp_path: Path) -> None:
    with server_thread(FakeRecognizer(is_open=True), faces_dir=tmp_path) as server:
        ready = httpx.get(f"{server.http}/readyz", trust_env=False)
        answers = [
            httpx.post(f"{server.http}{route}", content=portrait_file(), headers=JPEG, trust_env=False)
            for route in ("/v1/faces", "/v1/annotate")
        ]

    assert ready.status_code == 200
    for answer in answers:
        assert problem(answer) == (503, "detector_unavailable")
        assert "make faces" in answer.json()["detail"]


# The picture back


@pytest.mark.parametrize(
    ("accept", "file_format"),
    [("image/png", "PNG"), ("image/jpeg", "JPEG"), ("*/*", "JPEG"), ("image/png, */*;q=0.5", "PNG")],
)
def test_the_picture_comes_back_annotated_in_the_format_asked_for(
    client: httpx.Client, accept: str, file_format: str
) -> None:
    answer = client.post("/v1/annotate", content=portrait_file(), headers=JPEG | {"Accept": accept})

    assert answer.status_code == 200
    assert answer.headers["content-type"] == f"image/{file_format.lower()}"
    with Image.open(io.BytesIO(answer.content)) as picture:
        assert (picture.format, picture.size) == (file_format, (512, 512))
        difference = np.abs(np.asarray(picture).astype(int) - np.asarray(portrait()).astype(int)).max(2)
    x, y, width, height = (round(value) for value in FACE_XYWH)
    assert (difference[y - 40 : y + height + 10, x - 10 : x + width + 10] > 60).sum() > 500  # box and label
    assert (difference[: y - 40] > 60).sum() == 0


def test_a_picture_without_a_face_comes_back_as_it_was(client: httpx.Client) -> None:
    headers = JPEG | {"Accept": "image/png"}
    answer = client.post("/v1/annotate", content=no_face(), headers=headers)

    with Image.open(io.BytesIO(answer.content)) as back, Image.open(io.BytesIO(no_face())) as sent:
        assert np.array_equal(np.asarray(back), np.asarray(sent))


def test_a_format_that_there_is_not_is_told(client: httpx.Client) -> None:
    answer = client.post("/v1/annotate", content=portrait_file(), headers=JPEG | {"Accept": "image/gif"})

    assert problem(answer) == (406, "not_acceptable")


def test_one_picture_is_annotated_at_a_time(client: httpx.Client) -> None:
    answer = client.post("/v1/annotate", files=[("file", portrait_file())] * 2)

    assert problem(answer) == (422, "too_many_images")


# Which format the client wants


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("", "image/jpeg"),
        ("*/*", "image/jpeg"),
        ("image/*", "image/jpeg"),
        ("image/png", "image/png"),
        ("IMAGE/PNG", "image/png"),
        ("image/jpeg, image/png", "image/jpeg"),
        ("image/jpeg;q=0.5, image/png", "image/png"),
        ("image/avif,image/webp,image/png,*/*;q=0.8", "image/png"),
        ("image/png, */*", "image/png"),
        ("image/jpeg;q=0, */*", "image/png"),
        ("image/png;q=nonsense", "image/png"),
        ("text/html, image/*;q=0.2", "image/jpeg"),
    ],
)
def test_the_format_is_the_one_that_the_client_likes_best(accept: str, media_type: str) -> None:
    assert preferred_type(accept) == media_type


@pytest.mark.parametrize("accept", ["text/html", "image/webp", "image/*;q=0", ";", "image/png;q=0"])
def test_a_client_that_takes_neither_format_is_told(accept: str) -> None:
    with pytest.raises(ProblemError) as caught:
        preferred_type(accept)

    assert (caught.value.status, caught.value.code) == (406, "not_acceptable")


def test_an_accept_header_far_longer_than_browsers_is_not_read() -> None:
    assert preferred_type("image/png," * 6000) == "image/jpeg"

"""The Python API with the real model, on a real face."""

import asyncio
import io
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import emostream
import numpy as np
import pytest
from emostream import Analyzer, Faces, loading
from emostream.analysis import analyzer as module
from emostream.analysis.finder import FaceFinder, FoundFaces
from emostream.exceptions import EmostreamError, ImageError, SourceError, UnknownModelError
from emostream.imaging.reading import ImageInput
from emostream.models.weights import WeightsStore
from PIL import Image

from tests.portraits import FACE_XYWH, crowd, iou, portrait, portrait_file
from tests.servers import QUICK_MODEL
from tests.support import LABELS, PATIENCE_S, FakeRecognizer, encoded


def turned() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 3
    return encoded(portrait().rotate(180), "PNG", exif=exif)


# One image


@pytest.mark.parametrize(
    "image",
    [
        portrait_file("PNG"),
        portrait(),
        np.asarray(portrait()),
        Image.open(io.BytesIO(turned())),
        turned(),
    ],
    ids=["bytes", "PIL", "array", "PIL with EXIF", "bytes with EXIF"],
)
def test_the_portrait_smiles_in_whatever_form_it_comes(analyzer: Analyzer, image: ImageInput) -> None:
    faces = analyzer.analyze(image)

    (face,) = faces
    assert face.emotion == "happiness"
    assert face.confidence > 0.9
    assert face.face_id == 1
    assert face.score is not None
    assert 0.5 < face.score <= 1
    assert face.box_xywh is not None
    assert iou(face.box_xywh, FACE_XYWH) > 0.8
    assert tuple(face.probabilities) == faces.labels == analyzer.labels == LABELS
    assert (faces.size_wh, faces.source, faces.frame_index, faces.time_s) == ((512, 512), None, 0, 0.0)
    assert faces.image_rgb is not None
    assert (faces.image_rgb == np.asarray(portrait())).all()


@pytest.mark.parametrize("kind", [str, Path])
def test_a_file_is_named_in_its_faces(
    analyzer: Analyzer, kind: type[str] | type[Path], tmp_path: Path
) -> None:
    (tmp_path / "me.jpg").write_bytes(portrait_file())

    faces = analyzer.analyze(kind(tmp_path / "me.jpg"))

    assert faces.source == str(tmp_path / "me.jpg")
    assert faces[0].emotion == "happiness"
    assert faces.to_pandas()["source"].tolist() == [faces.source]


def test_a_group_has_its_faces_numbered_by_size(analyzer: Analyzer) -> None:
    group = crowd((1280, 800), [60, 150, 90])

    faces = analyzer.analyze(group.picture)

    assert [face.face_id for face in faces] == [1, 2, 3]
    for face, box in zip(faces, group.boxes_xywh, strict=True):
        assert face.box_xywh is not None
        assert iou(face.box_xywh, box) > 0.7


def test_an_image_without_faces_has_none(analyzer: Analyzer) -> None:
    faces = analyzer.analyze(np.zeros((100, 200, 3), np.uint8))

    assert len(faces) == 0
    assert faces.size_wh == (200, 100)


@pytest.mark.parametrize(
    ("image", "error"),
    [
        ("missing.jpg", SourceError),
        (b"nonsense", ImageError),
        (np.zeros((8, 8, 3), np.float32), ValueError),
        (np.zeros((8, 8), np.uint8), ValueError),
        (None, TypeError),
    ],
    ids=["missing file", "no image", "floats", "grey", "None"],
)
def test_what_is_no_image_is_told(analyzer: Analyzer, image: ImageInput, error: type[Exception]) -> None:
    with pytest.raises(error):
        analyzer.analyze(image)


# Making and closing one


def test_an_unknown_model_is_told_with_those_there_are() -> None:
    with pytest.raises(UnknownModelError, match=r"known are: .*default"):
        Analyzer("no-such-model")


def test_where_nobody_names_a_model_it_is_the_one_that_the_server_takes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, cache_dir: Path
) -> None:
    monkeypatch.setenv("EMOSTREAM_CACHE_DIR", str(cache_dir))
    monkeypatch.setenv("EMOSTREAM_WEIGHTS_DIR", str(tmp_path))
    WeightsStore(tmp_path).use(QUICK_MODEL)

    with Analyzer(device="cpu") as analyzer:
        assert analyzer.model == QUICK_MODEL

    monkeypatch.setenv("EMOSTREAM_MODEL", "gone")
    with pytest.raises(UnknownModelError):
        Analyzer(device="cpu")


def test_a_closed_analyzer_says_so(own: Analyzer, talk: Path) -> None:
    assert own.model == QUICK_MODEL
    with own as same:
        assert same is own

    for use in (
        lambda: own.analyze(portrait()),
        lambda: own.analyze_many([portrait()]),
        lambda: own.track(talk),
        own.frame_analysis,
    ):
        with pytest.raises(EmostreamError, match="closed"):
            use()


def test_at_most_so_many_faces_are_analysed_the_largest_ones(
    monkeypatch: pytest.MonkeyPatch, cache_dir: Path
) -> None:
    monkeypatch.setenv("EMOSTREAM_CACHE_DIR", str(cache_dir))
    group = crowd((1280, 800), [60, 150, 90])

    with Analyzer(QUICK_MODEL, device="cpu", max_faces=2) as analyzer:
        faces = analyzer.analyze(group.picture)

    assert len(faces) == 2
    assert faces[1].box_xywh is not None
    assert iou(faces[1].box_xywh, group.boxes_xywh[1]) > 0.7


# Many images


def test_many_images_come_back_in_their_order(analyzer: Analyzer, tmp_path: Path) -> None:
    images: list[ImageInput] = []
    for number in range(6):
        size_wh = (300 + 10 * number, 300)
        path = tmp_path / f"{number}.png"
        portrait().resize(size_wh).save(path)
        images += [path, np.zeros((50, 60 + number, 3), np.uint8)]

    results = list(analyzer.analyze_many(images))

    assert [faces.size_wh[0] for faces in results] == [
        width for number in range(6) for width in (300 + 10 * number, 60 + number)
    ]
    assert [len(faces) for faces in results] == [1, 0] * 6
    assert all(faces[0].face_id == 1 for faces in results[::2])
    assert [faces.source for faces in results[::2]] == [str(path) for path in images[::2]]


@pytest.mark.parametrize(
    ("bad", "error"),
    [("missing.jpg", SourceError), (b"nonsense", ImageError), (np.zeros((8, 8)), ValueError), (7, TypeError)],
    ids=["missing file", "no image", "floats", "number"],
)
def test_what_comes_before_a_bad_image_is_there(
    quick: Analyzer, bad: ImageInput, error: type[Exception]
) -> None:
    results = quick.analyze_many([portrait(), portrait(), bad, portrait()])
    seen: list[Faces] = []

    with pytest.raises(error):
        seen.extend(results)  # extend keeps what came before the error

    assert len(seen) == 2


class _CountingFinder(FaceFinder):
    """Says when it has found an image's faces."""

    def __init__(self, finder: FaceFinder) -> None:
        super().__init__(finder.detector, (48,))
        self.found = threading.Semaphore(0)

    def find(self, image_rgb: np.ndarray, max_faces: int, min_face_px: int | None = None) -> FoundFaces:
        found = super().find(image_rgb, max_faces, min_face_px)
        self.found.release()
        return found


def test_images_that_come_while_the_model_is_busy_are_recognised_together(own: Analyzer) -> None:
    recognizer = FakeRecognizer(max_batch=32)
    own._recognizer = recognizer  # type: ignore[assignment]
    own._finder = finder = _CountingFinder(own._finder)

    with ThreadPoolExecutor(1) as thread:
        results = thread.submit(list, own.analyze_many([portrait()] * 8))
        for _ in range(8):  # the engine waits in its first pass meanwhile
            assert finder.found.acquire(timeout=PATIENCE_S)
        recognizer.open()
        assert len(results.result(PATIENCE_S)) == 8

    assert sum(len(batch) for batch in recognizer.batches) == 8
    assert len(recognizer.batches) <= 3


# Threads and event loops


def test_four_threads_at_once_get_what_one_gets(analyzer: Analyzer) -> None:
    images = [portrait().rotate(angle) for angle in (0, 5, 10, 15)]
    expected = [analyzer.analyze(image) for image in images]

    with ThreadPoolExecutor(4) as threads:
        results = list(threads.map(analyzer.analyze, images * 4))

    for faces, alone in zip(results, expected * 4, strict=True):
        assert [face.box_xywh for face in faces] == [face.box_xywh for face in alone]
        assert faces[0].probabilities == pytest.approx(alone[0].probabilities, abs=3e-4)


async def test_it_works_inside_a_running_event_loop(quick: Analyzer, talk: Path) -> None:
    here = quick.analyze(portrait())
    elsewhere = await asyncio.to_thread(quick.analyze, portrait())
    tracked = list(quick.track(talk, every=10))

    assert len(here) == len(elsewhere) == 1
    assert len(tracked) == 3


# emostream.analyze


def test_the_function_loads_its_model_once_even_for_threads_that_start_together(
    monkeypatch: pytest.MonkeyPatch, cache_dir: Path
) -> None:
    monkeypatch.setenv("EMOSTREAM_CACHE_DIR", str(cache_dir))
    loaded = []

    def load(*arguments: object) -> object:
        loaded.append(arguments)
        return load_recognizer(*arguments)

    load_recognizer = loading.load_recognizer
    monkeypatch.setattr(loading, "load_recognizer", load)
    module._kept_analyzer.cache_clear()
    try:
        with ThreadPoolExecutor(4) as threads:
            results = list(threads.map(lambda _: emostream.analyze(portrait(), QUICK_MODEL), range(4)))
        results.append(emostream.analyze(portrait_file(), QUICK_MODEL))
    finally:
        module._kept_analyzer.cache_clear()

    assert [len(faces) for faces in results] == [1] * 5
    assert len(loaded) == 1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"max_faces": "3"}, "max_faces is a whole number"),
        ({"max_faces": 1.5}, "max_faces is a whole number"),
        ({"max_faces": True}, "max_faces is a whole number"),
        ({"min_face_px": 5}, "min_face_px is a whole number of at least 12"),
        ({"max_faces": 0}, "max_faces is a whole number of at least 1, not 0"),
        ({"smoothing": 1.0}, "smoothing is from 0 to below 1, not 1.0"),
        ({"smoothing": -0.1}, "smoothing is from 0 to below 1"),
    ],
)
def test_an_argument_that_cannot_be_is_named_with_its_value(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Analyzer("no such model", **options)  # so that nothing is loaded before


def test_a_broken_image_among_many_can_be_skipped(
    analyzer: Analyzer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    good, broken = tmp_path / "good.jpg", tmp_path / "broken.jpg"
    good.write_bytes(portrait_file())
    broken.write_bytes(b"no image")

    found = list(analyzer.analyze_many([good, broken, good], errors="skip"))

    assert [faces.source for faces in found] == [str(good)] * 2
    assert "broken.jpg" in caplog.text
    with pytest.raises(SourceError, match=r"broken\.jpg"):
        list(analyzer.analyze_many([good, broken, good]))


@pytest.mark.parametrize("one", ["me.jpg", b"bytes", Path("me.jpg"), Image.new("RGB", (9, 9))])
def test_one_image_is_not_taken_for_many(analyzer: Analyzer, one: Any) -> None:
    with pytest.raises(TypeError, match="several images"):
        analyzer.analyze_many(one)


def test_a_forked_child_is_told_and_does_not_hang(
    analyzer: Analyzer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "getpid", lambda: -1)  # as in a child

    with pytest.raises(EmostreamError, match="do not survive a fork"):
        analyzer.analyze(portrait_file())


def test_a_closed_analyzer_cannot_be_entered_again(own: Analyzer) -> None:
    own.close()

    with pytest.raises(EmostreamError, match="closed"), own:
        pass

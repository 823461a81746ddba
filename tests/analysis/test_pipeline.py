"""Real frames through the real detector, to a recogniser that pretends."""

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from emostream.analysis import pipeline as module
from emostream.analysis.pipeline import Options, Pipeline, SeenShot
from emostream.detection.detector import FaceDetector
from emostream.exceptions import SourceError
from emostream.sources import Frame
from emostream.sources.inputs import Clip, Failure, Shot

from tests.portraits import FACE_XYWH, FACES_DIR, iou, portrait
from tests.support import PATIENCE_S, FakeRecognizer
from tests.writers.films import frame

FILM = Clip(0, Path("film.mp4"), is_still=False, frame_rate=20.0, frame_count=8)


@pytest.fixture(scope="module")
def detector() -> FaceDetector:
    return FaceDetector.load(FACES_DIR)


def shots(count: int, clip: Clip = FILM, every: int = 1) -> Iterator[Shot]:
    for index in range(count):
        pixels = frame(index)
        yield Shot(clip, Frame(index, index / 20, pixels, None), index % every == 0)


def still(index: int) -> Shot:
    clip = Clip(index, Path(f"{index}.jpg"), is_still=True)
    return Shot(clip, Frame(0, 0.0, np.asarray(portrait()), clip.path.name))


def run(
    items: Iterator[Shot | Failure],
    detector: FaceDetector,
    recognizer: FakeRecognizer | None = None,
    options: Options | None = None,
) -> list[SeenShot | Failure]:
    fake = recognizer or FakeRecognizer(is_open=True)
    with Pipeline(items, detector, fake, options) as pipeline:  # type: ignore[arg-type]
        return list(pipeline)


def test_frames_come_out_in_order_with_their_faces_and_one_number_for_one_face(
    detector: FaceDetector,
) -> None:
    seen = run(shots(8), detector)

    assert [item.shot.frame.index for item in seen if isinstance(item, SeenShot)] == list(range(8))
    assert {face.face_id for item in seen if isinstance(item, SeenShot) for face in item.faces} == {1}
    assert all(len(item.faces) == 1 for item in seen if isinstance(item, SeenShot))


def test_each_picture_counts_its_faces_from_one_and_a_failure_keeps_its_place(detector: FaceDetector) -> None:
    broken = Failure(Path("broken.jpg"), SourceError("it is broken"))

    first, failure, second = run(iter([still(0), broken, still(2)]), detector)

    assert failure is broken
    for seen in (first, second):
        assert isinstance(seen, SeenShot)
        (face,) = seen.faces
        assert face.face_id == 1
        assert iou(face.box_xywh, FACE_XYWH) > 0.8
        assert face.probabilities.sum() == pytest.approx(1)


def test_frames_that_are_not_analysed_have_the_faces_of_the_one_before(detector: FaceDetector) -> None:
    recognizer = FakeRecognizer(is_open=True)

    seen = run(shots(6, every=3), detector, recognizer)

    assert sum(len(batch) for batch in recognizer.batches) == 2
    boxes = [item.faces[0].box_xywh for item in seen if isinstance(item, SeenShot)]
    assert boxes[0] == boxes[1] == boxes[2] != boxes[3] == boxes[4] == boxes[5]


def test_frames_that_come_while_the_engine_is_busy_are_recognised_together(detector: FaceDetector) -> None:
    recognizer = FakeRecognizer(max_batch=32)
    with Pipeline(shots(8), detector, recognizer) as pipeline:  # type: ignore[arg-type]
        first = recognizer._entered.get(timeout=PATIENCE_S)
        while len(pipeline._found._waiting) + len(first) < 8:
            assert not threading.Event().wait(0.01)
        recognizer.open()
        assert len(list(pipeline)) == 8

    assert len(recognizer.batches) == 2


def test_results_are_averaged_over_a_faces_past(detector: FaceDetector) -> None:
    """The fake is certain of another label for nearly every crop."""
    raw, smooth = (
        [
            float(item.faces[0].probabilities.max())
            for item in run(shots(6), detector, options=Options(smoothing=smoothing))
            if isinstance(item, SeenShot)
        ]
        for smoothing in (0.0, 0.9)
    )

    assert raw == [1.0] * 6
    assert min(smooth) < 1.0


def test_no_more_frames_are_read_than_there_is_room_for(
    detector: FaceDetector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_MAX_FRAMES", 2)
    read: list[int] = []
    full = threading.Event()

    def endless() -> Iterator[Shot]:
        for shot in shots(10_000):
            read.append(shot.frame.index)
            if len(read) == 9:
                full.set()
            yield shot

    with Pipeline(endless(), detector, FakeRecognizer(is_open=True)) as pipeline:  # type: ignore[arg-type]
        # Two in each of three channels, one in each of three hands.
        assert full.wait(PATIENCE_S)
        full.wait(0.3)
        assert len(read) <= 10
        assert isinstance(next(iter(pipeline)), SeenShot)


def test_stopping_ends_the_reading_and_what_was_read_comes_out(detector: FaceDetector) -> None:
    with Pipeline(shots(10_000), detector, FakeRecognizer(is_open=True)) as pipeline:  # type: ignore[arg-type]
        results = iter(pipeline)
        next(results)
        pipeline.stop()
        rest = [item.shot.frame.index for item in results if isinstance(item, SeenShot)]

    assert rest == list(range(1, len(rest) + 1))


def test_leaving_early_ends_all_threads_and_closes_the_input(detector: FaceDetector) -> None:
    closed = threading.Event()

    def endless() -> Iterator[Shot]:
        try:
            yield from shots(10_000)
        finally:
            closed.set()

    with Pipeline(endless(), detector, FakeRecognizer(is_open=True)) as pipeline:  # type: ignore[arg-type]
        next(iter(pipeline))

    assert closed.is_set()
    assert not any(thread.is_alive() for thread in pipeline._threads)


def test_an_engine_that_fails_is_no_inputs_fault(detector: FaceDetector) -> None:
    class Broken(FakeRecognizer):
        def infer(self, faces: object) -> np.ndarray:
            raise ArithmeticError("the engine cannot compute this")

    with pytest.raises(ArithmeticError, match="cannot compute"):
        run(shots(3), detector, Broken())


def test_the_time_at_work_is_told_for_each_stage(detector: FaceDetector) -> None:
    with Pipeline(shots(2), detector, FakeRecognizer(is_open=True)) as pipeline:  # type: ignore[arg-type]
        list(pipeline)

    assert set(pipeline.busy_s) == {"read", "detect", "recognise"}
    assert all(seconds > 0 for seconds in pipeline.busy_s.values())

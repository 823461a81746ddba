"""Real frames through the real finder, to a recogniser that pretends."""

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from emostream.analysis import pipeline as module
from emostream.analysis.finder import FaceFinder
from emostream.analysis.pipeline import AnalyzedFrame, Pipeline
from emostream.analysis.video import AnalysisOptions
from emostream.detection.detector import FaceDetector
from emostream.exceptions import SourceError
from emostream.sources import Frame
from emostream.sources.inputs import Failure, InputFile, InputFrame

from tests.portraits import FACE_XYWH, FACES_DIR, iou, portrait
from tests.support import PATIENCE_S, FakeRecognizer
from tests.writers.videos import frame

VIDEO = InputFile(0, Path("video.mp4"), is_image=False, frame_rate=20.0, frame_count=8)


@pytest.fixture(scope="module")
def finder() -> FaceFinder:
    return FaceFinder(FaceDetector.load(FACES_DIR), (48,))


def frames(count: int, file: InputFile = VIDEO, every: int = 1) -> Iterator[InputFrame]:
    for index in range(count):
        pixels = frame(index)
        yield InputFrame(file, Frame(index, index / 20, pixels, None), index % every == 0)


def still(index: int) -> InputFrame:
    file = InputFile(index, Path(f"{index}.jpg"), is_image=True)
    return InputFrame(file, Frame(0, 0.0, np.asarray(portrait()), f"{index}.jpg"))


def run(
    items: Iterator[InputFrame | Failure],
    finder: FaceFinder,
    recognizer: FakeRecognizer | None = None,
    options: AnalysisOptions | None = None,
) -> list[AnalyzedFrame | Failure]:
    fake = recognizer or FakeRecognizer(is_open=True)
    with Pipeline(items, finder, fake, options) as pipeline:  # type: ignore[arg-type]
        return list(pipeline)


def test_frames_come_out_in_order_with_their_faces_and_one_number_for_one_face(
    finder: FaceFinder,
) -> None:
    seen = run(frames(8), finder)

    assert [item.input.frame.index for item in seen if isinstance(item, AnalyzedFrame)] == list(range(8))
    assert {face.face_id for item in seen if isinstance(item, AnalyzedFrame) for face in item.faces} == {1}
    assert all(len(item.faces) == 1 for item in seen if isinstance(item, AnalyzedFrame))


def test_a_frame_that_detection_cannot_take_is_its_files_failure_and_no_others(
    finder: FaceFinder, monkeypatch: pytest.MonkeyPatch
) -> None:
    detect = finder.detector.detect

    def surprised(image_rgb: np.ndarray, *arguments: object) -> object:
        if len(image_rgb) == 1:
            raise ZeroDivisionError("no height")
        return detect(image_rgb, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(finder.detector, "detect", surprised)
    film = InputFile(1, Path("flat.mp4"), is_image=False, frame_rate=20.0, frame_count=2)
    flat = [InputFrame(film, Frame(index, 0.0, np.zeros((1, 9, 3), np.uint8), None)) for index in range(2)]

    first, failure, last = run(iter([still(0), *flat, still(2)]), finder)

    assert isinstance(failure, Failure)
    assert str(failure.error) == "flat.mp4 cannot be analysed: ZeroDivisionError: no height"
    assert all(isinstance(seen, AnalyzedFrame) and len(seen.faces) == 1 for seen in (first, last))


def test_each_picture_counts_its_faces_from_one_and_a_failure_keeps_its_place(finder: FaceFinder) -> None:
    broken = Failure(Path("broken.jpg"), SourceError("it is broken"))

    first, failure, second = run(iter([still(0), broken, still(2)]), finder)

    assert failure is broken
    for seen in (first, second):
        assert isinstance(seen, AnalyzedFrame)
        (face,) = seen.faces
        assert face.face_id == 1
        assert iou(face.box_xywh, FACE_XYWH) > 0.8
        assert sum(face.probabilities.values()) == pytest.approx(1)


def test_frames_that_are_not_analysed_have_the_faces_of_the_one_before(finder: FaceFinder) -> None:
    recognizer = FakeRecognizer(is_open=True)

    seen = run(frames(6, every=3), finder, recognizer)

    assert sum(len(batch) for batch in recognizer.batches) == 2
    boxes = [item.faces[0].box_xywh for item in seen if isinstance(item, AnalyzedFrame)]
    assert boxes[0] == boxes[1] == boxes[2] != boxes[3] == boxes[4] == boxes[5]


def test_frames_that_come_while_the_engine_is_busy_are_recognised_together(finder: FaceFinder) -> None:
    recognizer = FakeRecognizer(max_batch=32)
    with Pipeline(frames(8), finder, recognizer) as pipeline:  # type: ignore[arg-type]
        first = recognizer._entered.get(timeout=PATIENCE_S)
        while len(pipeline._found._waiting) + len(first) < 8:
            assert not threading.Event().wait(0.01)
        recognizer.open()
        assert len(list(pipeline)) == 8

    assert len(recognizer.batches) == 2


def test_results_are_averaged_over_a_faces_past(finder: FaceFinder) -> None:
    """The fake is certain of another label for nearly every crop."""
    raw, smooth = (
        [
            item.faces[0].confidence
            for item in run(frames(6), finder, options=AnalysisOptions(smoothing=smoothing))
            if isinstance(item, AnalyzedFrame)
        ]
        for smoothing in (0.0, 0.9)
    )

    assert raw == [1.0] * 6
    assert min(smooth) < 1.0


def test_no_more_frames_are_read_than_there_is_room_for(
    finder: FaceFinder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_MAX_FRAMES", 2)
    read: list[int] = []
    full = threading.Event()

    def endless() -> Iterator[InputFrame]:
        for item in frames(10_000):
            read.append(item.frame.index)
            if len(read) == 9:
                full.set()
            yield item

    with Pipeline(endless(), finder, FakeRecognizer(is_open=True)) as pipeline:  # type: ignore[arg-type]
        # Two in each of three channels, one in each of three hands.
        assert full.wait(PATIENCE_S)
        full.wait(0.3)
        assert len(read) <= 10
        assert isinstance(next(iter(pipeline)), AnalyzedFrame)


def test_stopping_ends_the_reading_and_what_was_read_comes_out(finder: FaceFinder) -> None:
    with Pipeline(frames(10_000), finder, FakeRecognizer(is_open=True)) as pipeline:  # type: ignore[arg-type]
        results = iter(pipeline)
        next(results)
        pipeline.stop()
        rest = [item.input.frame.index for item in results if isinstance(item, AnalyzedFrame)]

    assert rest == list(range(1, len(rest) + 1))


def test_leaving_early_ends_all_threads_and_closes_the_input(finder: FaceFinder) -> None:
    closed = threading.Event()

    def endless() -> Iterator[InputFrame]:
        try:
            yield from frames(10_000)
        finally:
            closed.set()

    with Pipeline(endless(), finder, FakeRecognizer(is_open=True)) as pipeline:  # type: ignore[arg-type]
        next(iter(pipeline))

    assert closed.is_set()
    assert not any(thread.is_alive() for thread in pipeline._threads)


def test_an_engine_that_fails_is_no_inputs_fault(finder: FaceFinder) -> None:
    class Broken(FakeRecognizer):
        def infer(self, faces: object) -> np.ndarray:
            raise ArithmeticError("the engine cannot compute this")

    with pytest.raises(ArithmeticError, match="cannot compute"):
        run(frames(3), finder, Broken())


def test_the_time_at_work_is_told_for_each_stage(finder: FaceFinder) -> None:
    with Pipeline(frames(2), finder, FakeRecognizer(is_open=True)) as pipeline:  # type: ignore[arg-type]
        list(pipeline)

    assert set(pipeline.busy_s) == {"read", "detect", "recognise"}
    assert all(seconds > 0 for seconds in pipeline.busy_s.values())

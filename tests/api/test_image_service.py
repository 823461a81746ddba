"""The service around a batcher with a recogniser that pretends; the routes' tests have the real detector."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from emostream.analysis.finder import FaceFinder
from emostream.analysis.service import OverloadedError, PictureService
from emostream.api.metrics import Metrics
from emostream.detection.detector import Detection, FaceDetector
from emostream.exceptions import DetectorError, InvalidImageError
from emostream.imaging.crop import RawBoxXywh
from emostream.inference.batcher import Batcher

from tests.support import FakeRecognizer, jpeg


class PretendedDetector(FaceDetector):
    """Finds what it is told."""

    def __init__(self, *boxes_xywh: RawBoxXywh) -> None:
        self._boxes = boxes_xywh

    def detect(self, picture: object, max_faces: int) -> list[Detection]:
        return [Detection(box, 0.75) for box in self._boxes[:max_faces]]


@pytest_asyncio.fixture
async def batcher() -> AsyncIterator[Batcher]:
    recognizer = FakeRecognizer(is_open=True)
    batcher = Batcher(recognizer, max_pixels=1_000_000, decode_threads=1, picture_threads=1)
    yield batcher
    await batcher.aclose()


def new_service(batcher: Batcher, *boxes: RawBoxXywh, metrics: Metrics | None = None) -> PictureService:
    finder = FaceFinder(PretendedDetector(*boxes), (48,))
    return PictureService(batcher, finder, "", metrics or Metrics(), max_pixels=1_000_000, max_requests=2)


async def test_every_face_that_was_found_is_answered_with_its_probabilities(batcher: Batcher) -> None:
    service = new_service(batcher, (10, 10, 60, 60), (100, 20, 30, 30))
    with service.opened(1) as session:
        answer = await service.recognize(session, jpeg(200, 100), 8)

    assert answer.size_wh == (200, 100)
    assert [face.box_xywh for face in answer.faces] == [(10, 10, 60, 60), (100, 20, 30, 30)]
    assert answer.probabilities.shape == (2, 7)
    assert answer.picture is None
    assert answer.timing.batch_size == 2
    assert answer.timing.total_ms >= answer.timing.detect_ms


async def test_the_stages_are_counted_for_operators(batcher: Batcher) -> None:
    metrics = Metrics()
    service = new_service(batcher, (10, 10, 60, 60), metrics=metrics)
    with service.opened(2) as session:
        await service.recognize(session, jpeg(), 8)
        with pytest.raises(InvalidImageError):
            await service.recognize(session, b"no picture", 8)

    text = metrics.text().decode()
    assert 'emostream_pictures_total{outcome="result"} 1.0' in text
    assert 'emostream_pictures_total{outcome="invalid_image"} 1.0' in text
    assert 'emostream_picture_stage_seconds_count{stage="detect"} 1.0' in text


async def test_a_crop_is_recognised_as_it_is(batcher: Batcher) -> None:
    service = new_service(batcher)
    with service.opened(1) as session:
        row = await service.recognize_crop(session, b"a crop")

    assert row.shape == (7,)


async def test_several_pictures_of_one_request_may_be_under_way(batcher: Batcher) -> None:
    service = new_service(batcher, (10, 10, 20, 20))
    with service.opened(5) as session:
        answers = await asyncio.gather(*(service.recognize(session, jpeg(), 8) for _ in range(5)))

    assert [len(answer.faces) for answer in answers] == [1] * 5


def test_a_service_without_a_detector_says_why() -> None:
    service = PictureService(None, None, "no files", Metrics(), max_pixels=1, max_requests=1)  # type: ignore[arg-type]

    with pytest.raises(DetectorError, match="no files"):
        _ = service.finder


def test_no_more_requests_than_allowed_are_let_in_and_those_that_end_make_room() -> None:
    service = PictureService(None, None, "", Metrics(), max_pixels=1, max_requests=2)  # type: ignore[arg-type]
    with service.entered():
        with service.entered(), pytest.raises(OverloadedError), service.entered():
            pass
        with service.entered():
            pass

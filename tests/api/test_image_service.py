"""The service around a batcher with a recogniser that pretends; the routes' tests have the real detector."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from emostream.analysis.finder import FaceFinder, MissingDetector
from emostream.api.image_service import ImageService
from emostream.api.metrics import Metrics
from emostream.exceptions import DetectorError, InvalidImageError
from emostream.imaging.crop import RawBoxXywh
from emostream.inference.batcher import Batcher

from tests.analysis.test_finder import FakeDetector
from tests.support import LABELS, FakeRecognizer, jpeg


@pytest_asyncio.fixture
async def batcher() -> AsyncIterator[Batcher]:
    recognizer = FakeRecognizer(is_open=True)
    batcher = Batcher(recognizer, max_pixels=1_000_000, decode_threads=1, image_threads=1)
    yield batcher
    await batcher.aclose()


def new_service(batcher: Batcher, *boxes: RawBoxXywh, metrics: Metrics | None = None) -> ImageService:
    finder = FaceFinder(FakeDetector(*boxes), (48,))
    return ImageService(batcher, finder, LABELS, metrics or Metrics(), max_pixels=1_000_000)


async def test_every_face_that_was_found_has_its_probabilities(batcher: Batcher) -> None:
    service = new_service(batcher, (10, 10, 60, 60), (100, 20, 30, 30))
    with service.opened(1) as lane:
        analyzed = await service.analyze(lane, jpeg(200, 100), 8)

    faces = analyzed.faces
    assert faces.size_wh == (200, 100)
    assert [face.box_xywh for face in faces] == [(10, 10, 60, 60), (100, 20, 30, 30)]
    assert [list(face.probabilities) for face in faces] == [list(LABELS)] * 2
    assert faces.image_rgb is None
    assert analyzed.batch_size == 2
    assert analyzed.total_ms >= analyzed.timing.detect_ms


async def test_the_stages_are_counted_for_operators(batcher: Batcher) -> None:
    metrics = Metrics()
    service = new_service(batcher, (10, 10, 60, 60), metrics=metrics)
    with service.opened(2) as lane:
        await service.analyze(lane, jpeg(), 8)
        with pytest.raises(InvalidImageError):
            await service.analyze(lane, b"no image", 8)

    text = metrics.text().decode()
    assert 'emostream_images_total{outcome="result"} 1.0' in text
    assert 'emostream_images_total{outcome="invalid_image"} 1.0' in text
    for stage in ("decode", "detect", "crop", "queue", "inference"):
        assert f'emostream_image_stage_seconds_count{{stage="{stage}"}} 1.0' in text


async def test_a_crop_is_recognised_as_it_is(batcher: Batcher) -> None:
    service = new_service(batcher)
    with service.opened(1) as lane:
        face = await service.recognize_crop(lane, b"a crop")

    assert (face.box_xywh, face.confidence) == (None, 1.0)


async def test_several_images_of_one_request_may_be_in_flight(batcher: Batcher) -> None:
    service = new_service(batcher, (10, 10, 20, 20))
    with service.opened(5) as lane:
        analyzed = await asyncio.gather(*(service.analyze(lane, jpeg(), 8) for _ in range(5)))

    assert [len(each.faces) for each in analyzed] == [1] * 5


async def test_without_a_detector_an_image_is_refused_with_the_reason(batcher: Batcher) -> None:
    missing = MissingDetector("no files")
    service = ImageService(batcher, missing, LABELS, Metrics(), max_pixels=1_000_000)

    with service.opened(1) as lane, pytest.raises(DetectorError, match="no files"):
        await service.analyze(lane, jpeg(), 8)

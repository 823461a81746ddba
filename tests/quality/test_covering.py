import logging

import cv2
import numpy as np
import pytest
from emostream.exceptions import DetectorError
from emostream.imaging.crop import cut
from emostream.quality import covering
from emostream.quality.assessment import MIN_COVERED
from emostream.quality.measures import measure_crop
from PIL import ImageOps

from tests.portraits import FACE_XYWH, portrait


def crop(mirrored: bool = False) -> np.ndarray:
    image = ImageOps.mirror(portrait()) if mirrored else portrait()
    x, y, width, height = FACE_XYWH
    (pixels,) = cut(np.asarray(image), (512 - x - width if mirrored else x, y, width, height), (224,))
    return pixels.copy()


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("gain", [0.4, 1.0])
def test_a_bare_face_is_not_covered(gain: float, mirrored: bool) -> None:
    assert measure_crop((crop(mirrored) * gain).astype(np.uint8)).covered < 0.2


@pytest.mark.parametrize("colour", [(20, 20, 24), (120, 160, 190), (240, 240, 240)])
def test_a_mask_and_a_headset_cover_a_face_whatever_their_colour(colour: tuple[int, int, int]) -> None:
    masked, behind_headset = crop(), crop()
    cv2.ellipse(masked, (112, 180), (80, 66), 0, 0, 360, colour, -1)
    cv2.rectangle(behind_headset, (14, 40), (210, 122), colour, -1)

    assert measure_crop(masked).covered > MIN_COVERED
    assert measure_crop(behind_headset).covered > MIN_COVERED


@pytest.mark.parametrize("middle", [(80, 100), (112, 160), (150, 130)])
def test_what_hides_a_part_of_a_face_covers_it(middle: tuple[int, int]) -> None:
    hidden = crop()
    cv2.circle(hidden, middle, 44, (225, 225, 230), -1)

    assert measure_crop(hidden).covered > MIN_COVERED


def test_without_the_network_nothing_is_covered_and_the_log_says_so_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def missing() -> None:
        raise DetectorError("OpenVINO, which looks for faces, cannot be loaded")

    masked = crop()
    cv2.ellipse(masked, (112, 180), (80, 66), 0, 0, 360, (20, 20, 24), -1)
    monkeypatch.setattr(covering, "shared_verifier", missing)
    covering._loaded.cache_clear()
    try:
        with caplog.at_level(logging.WARNING):
            assert [measure_crop(masked).covered for _ in range(2)] == [0.0, 0.0]
    finally:
        covering._loaded.cache_clear()

    [record] = caplog.records
    assert "OpenVINO" in record.message

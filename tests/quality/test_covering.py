import cv2
import numpy as np
import pytest
from emostream.imaging.crop import cut
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

    assert measure_crop(masked).covered > 0.5
    assert measure_crop(behind_headset).covered > 0.5

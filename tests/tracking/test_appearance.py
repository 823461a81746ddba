import numpy as np
import numpy.typing as npt
import pytest
from emostream.tracking.appearance import appearance_distance, appearance_of
from emostream.tracking.tracker import MAX_APPEARANCE
from PIL import Image

from tests.portraits import FACE_XYWH, portrait

Pixels = npt.NDArray[np.uint8]


def picture() -> Pixels:
    return np.asarray(portrait())


def changed(gain: float = 1.0, gamma: float = 1.0, tint: tuple[float, ...] = (1.0, 1.0, 1.0)) -> Pixels:
    light = (picture() / 255.0) ** gamma * gain * np.array(tint)
    return (light.clip(0, 1) * 255).astype(np.uint8)


def test_there_are_48_numbers() -> None:
    assert len(appearance_of(picture(), FACE_XYWH)) == 48


@pytest.mark.parametrize(
    "now",
    [
        changed(gain=0.5),
        changed(gain=1.15),
        changed(gamma=1.3),
        changed(tint=(1.0, 0.97, 0.9)),
        np.asarray(portrait().resize((256, 256)).resize((512, 512))),
    ],
    ids=["dim", "bright", "gamma", "warm", "coarse"],
)
def test_light_and_sharpness_change_it_less_than_another_person_would(now: Pixels) -> None:
    before = appearance_of(picture(), FACE_XYWH)

    assert appearance_distance(before, appearance_of(now, FACE_XYWH)) < 0.6 * MAX_APPEARANCE


def test_a_box_that_is_a_little_off_is_the_same_face() -> None:
    x, y, width, height = FACE_XYWH
    before = appearance_of(picture(), FACE_XYWH)

    shifted = appearance_of(picture(), (x + 0.04 * width, y - 0.04 * height, 1.04 * width, 1.04 * height))

    assert appearance_distance(before, shifted) < 0.8 * MAX_APPEARANCE


def test_another_face_differs_by_more_than_one_person_may_change() -> None:
    fairer = np.asarray(Image.fromarray(picture()[:, :, ::-1]).transpose(Image.Transpose.FLIP_TOP_BOTTOM))
    mirrored = (FACE_XYWH[0], 512 - FACE_XYWH[1] - FACE_XYWH[3], *FACE_XYWH[2:])

    distance = appearance_distance(appearance_of(picture(), FACE_XYWH), appearance_of(fairer, mirrored))

    assert distance > 1.5 * MAX_APPEARANCE


def test_a_box_may_reach_outside_and_be_empty() -> None:
    for box in (
        (-80.0, -80.0, 120.0, 120.0),
        (500.0, 500.0, 90.0, 90.0),
        (900.0, 9.0, 5.0, 5.0),
        (9.0, 9.0, 0.0, 0.0),
    ):
        assert np.isfinite(appearance_of(picture(), box)).all()


def test_what_says_nothing_differs_from_nothing() -> None:
    assert appearance_distance((), (1.0, 2.0)) == 0
    assert appearance_distance((1.0, 5.0), (1.0, 2.0)) == 3

import json
from typing import Any

import numpy as np
import pytest
from emostream.imaging.crop import RawBoxXywh, clipped, crop_square, crop_turn, cut
from PIL import Image

from tests.portraits import FACE_XYWH, portrait
from tests.support import ROOT

FRAME = (640, 480)

#: ``python -m tests.imaging.make_crop_cases`` writes them; the page's tests read them, too.
CASES: list[dict[str, Any]] = json.loads((ROOT / "tests" / "data" / "crop_cases.json").read_text())


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_the_shared_cases_come_out_as_on_the_page(case: dict[str, Any]) -> None:
    turn_deg = crop_turn(tuple(case["box"]), case["landmarks"])

    assert turn_deg == pytest.approx(case["turn_deg"], abs=1e-4)
    assert crop_square(tuple(case["box"]), tuple(case["frame"]), turn_deg) == pytest.approx(
        case["square"], abs=1e-3
    )


def test_the_square_is_the_margin_times_the_longer_side_and_a_tenth_of_that_above_the_centre() -> None:
    assert crop_square((300, 200, 100, 80), FRAME) == pytest.approx((290, 170, 120, 120))


@pytest.mark.parametrize(
    ("box", "corner"),
    [
        ((-20, 200, 100, 100), (0, 180)),
        ((200, -20, 100, 100), (190, 0)),
        ((600, 200, 100, 100), (520, 180)),
        ((200, 440, 100, 100), (190, 360)),
        ((900, -300, 100, 100), (520, 0)),
    ],
    ids=["left", "top", "right", "bottom", "outside"],
)
def test_it_is_moved_inside_at_its_full_size(box: RawBoxXywh, corner: tuple[float, float]) -> None:
    assert crop_square(box, FRAME) == pytest.approx((*corner, 120, 120))


def test_it_is_shrunk_to_the_shorter_side_where_it_is_larger() -> None:
    assert crop_square((60, 40, 500, 500), FRAME) == pytest.approx((70, 0, 480, 480))


def test_a_crop_shows_what_is_in_its_square_at_every_size_asked_for() -> None:
    picture = Image.new("RGB", (400, 400), "black")
    picture.paste((255, 0, 0), (100, 100, 220, 220))
    box = (110.0, 120.0, 100.0, 100.0)  # whose square is the red one
    assert crop_square(box, picture.size) == pytest.approx((100, 100, 120, 120))

    crops = cut(np.asarray(picture), box, (48, 224))

    assert [crop.shape for crop in crops] == [(48, 48, 3), (224, 224, 3)]
    assert all((crop[2:-2, 2:-2] == (255, 0, 0)).all() for crop in crops)
    assert all(crop.dtype == np.uint8 for crop in crops)


@pytest.mark.parametrize(
    "box", [(174.3, 68.2, 106.0, 99.5), (-30.0, -20.0, 200.0, 200.0), (505.0, 500.0, 9.0, 9.0)]
)
def test_only_a_part_is_resized_and_comes_out_as_of_the_whole_image(box: RawBoxXywh) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (512, 512, 3)).astype(np.uint8)
    x, y, side, _ = crop_square(box, (512, 512))
    whole = Image.fromarray(pixels)

    for crop, size in zip(cut(pixels, box, (48, 224)), (48, 224), strict=True):
        square = (x, y, x + side, y + side)
        expected = whole.resize((size, size), Image.Resampling.BILINEAR, box=square, reducing_gap=2.0)
        assert crop.shape == (size, size, 3)
        # Halving may start at another pixel.
        assert np.abs(np.asarray(expected).astype(int) - crop).mean() < 2


@pytest.mark.parametrize("turn_deg", [-35.0, 20.0, 90.0, 180.0])
@pytest.mark.parametrize("scale", [0.5, 1.0, 4.0])
def test_the_crop_of_a_turned_face_shows_what_that_of_the_upright_one_does(
    turn_deg: float, scale: float
) -> None:
    """Of faces of 53 to 424 px, where pixels have to be averaged."""
    x, y, side, _ = FACE_XYWH
    centre = (x + side / 2, y + side / 2)
    image = portrait().rotate(-turn_deg, Image.Resampling.BICUBIC, center=centre)
    image = image.resize((round(512 * scale), round(512 * scale)), Image.Resampling.LANCZOS)
    box = (x * scale, y * scale, side * scale, side * scale)

    for size in (48, 96):
        (expected,) = cut(np.asarray(portrait()), FACE_XYWH, (size,))
        (crop,) = cut(np.asarray(image), box, (size,), turn_deg)
        assert crop.shape == (size, size, 3)
        inner = slice(size // 8, -size // 8)  # where the portrait ends there is nothing to compare with
        inside, wanted = crop[inner, inner].astype(float), expected[inner, inner].astype(float)
        assert np.corrcoef(inside.ravel(), wanted.ravel())[0, 1] > (0.98 if scale < 1 else 0.99)
        (as_it_is,) = cut(np.asarray(image), box, (size,))
        other = as_it_is[inner, inner].astype(float)
        assert np.corrcoef(other.ravel(), wanted.ravel())[0, 1] < 0.9


def test_what_a_turned_crop_shows_is_where_it_should_be_to_a_pixel() -> None:
    """A quarter of a turn needs no interpolation of values but the one that a crop as it is has."""
    pixels = np.random.default_rng(0).integers(0, 256, (200, 200, 3)).astype(np.uint8)
    # Twice the crop's side, so that each of its pixels is the mean of four, whichever way round.
    box = (60.0, 60.0, 80.0, 80.0)
    turned = np.ascontiguousarray(np.rot90(pixels, -1))

    (crop,) = cut(turned, box, (48,), 90.0)
    (expected,) = cut(pixels, box, (48,))

    assert np.abs(crop.astype(int) - expected)[2:-2, 2:-2].mean() < 3


def test_outside_of_the_image_a_turned_crop_repeats_its_edge() -> None:
    pixels = np.full((100, 100, 3), 200, np.uint8)

    (crop,) = cut(pixels, (0.0, 0.0, 80.0, 80.0), (48,), 45.0)

    assert (crop == 200).all()


@pytest.mark.parametrize(
    ("box", "inside"),
    [
        ((-10.4, -15.0, 60.0, 60.0), (0, 0, 50, 45)),
        ((90.0, 30.0, 60.0, 60.0), (90, 30, 10, 20)),
        ((-70.0, -70.0, 60.0, 60.0), (0, 0, 1, 1)),
        ((10.4, 10.6, 20.4, 20.4), (10, 11, 21, 20)),
    ],
)
def test_a_box_is_clipped_to_whole_pixels_inside_the_image(
    box: RawBoxXywh, inside: tuple[int, int, int, int]
) -> None:
    assert clipped(box, (100, 50)) == inside

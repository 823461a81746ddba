import re

import numpy as np
import pytest
from emostream.imaging.crop import CROP_MARGIN, CROP_RAISE, RawBoxXywh, clipped, crop_square, cut
from PIL import Image

from tests.support import ROOT

FRAME = (640, 480)


@pytest.mark.parametrize(("name", "value"), [("CROP_MARGIN", CROP_MARGIN), ("CROP_RAISE", CROP_RAISE)])
def test_the_page_and_the_server_cut_with_the_same_numbers(name: str, value: float) -> None:
    source = (ROOT / "web/src/detection/crop.ts").read_text()
    found = re.search(rf"^export const {name} = ([0-9.]+);$", source, re.MULTILINE)

    assert found is not None
    assert float(found[1]) == value


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


def test_the_cases_of_the_pages_own_tests_come_out_the_same() -> None:
    """Read from crop.test.ts, whose margin is 1.5: the margin scales about the same centre."""
    source = (ROOT / "web/src/detection/crop.test.ts").read_text()
    assert "0, 165, 150, 150" in source  # the case below, at the margin of that test

    x, y, side, _ = crop_square((-20, 200, 100, 100), FRAME)
    assert y + side / 2 == pytest.approx(165 + 150 / 2)
    assert x == 0


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

import numpy as np
import pytest
import torch
from emostream.training.conditions import Condition, Images, conditions
from emostream.training.occlusion import HEADSET, MASK

SIDE = 48


def faces(colour: bool = False, count: int = 6) -> Images:
    """Noise with structure, each image its own; in colour the channels differ."""
    shape = (count, SIDE, SIDE, 3) if colour else (count, SIDE, SIDE)
    coarse = np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)
    return coarse // 2 + np.linspace(0, 127, SIDE).astype(np.uint8).reshape((1, -1, 1, 1)[: len(shape)])


def condition(name: str) -> Condition:
    return next(one for one in conditions(SIDE) if one.name == name)


def changed(name: str, images: Images, seed: int = 0) -> Images:
    return condition(name).change(images, np.random.default_rng(seed))


NAMES = [one.name for one in conditions(SIDE)]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("colour", [False, True])
def test_every_condition_changes_every_image_and_keeps_its_form(name: str, colour: bool) -> None:
    given = faces(colour)
    before = given.copy()

    found = changed(name, given)

    assert (found.shape, found.dtype) == (given.shape, np.uint8)
    assert (found != given).any(axis=tuple(range(1, given.ndim))).all()
    assert np.array_equal(given, before)


@pytest.mark.parametrize("name", NAMES)
def test_the_same_numbers_give_the_same_images(name: str) -> None:
    assert np.array_equal(changed(name, faces()), changed(name, faces()))


@pytest.mark.parametrize("name", ["headset", "mask", "block_10", "block_20"])
def test_chance_comes_from_the_generator_alone(name: str) -> None:
    before = torch.get_rng_state()

    first, other = changed(name, faces()), changed(name, faces(), seed=1)

    assert not np.array_equal(first, other)
    assert torch.equal(torch.get_rng_state(), before)


def test_mirrored_twice_is_as_it_was() -> None:
    once = changed("mirrored", faces())

    assert np.array_equal(once[:, :, 0], faces()[:, :, -1])
    assert np.array_equal(changed("mirrored", once), faces())


@pytest.mark.parametrize(("name", "region"), [("headset", HEADSET), ("mask", MASK)])
def test_what_is_worn_covers_its_region_and_nothing_else(name: str, region: object) -> None:
    found, given = changed(name, faces()), faces()

    rows = np.flatnonzero((found != given).any(axis=(0, 2)))
    assert rows.min() == pytest.approx(region.top * SIDE, abs=1)  # type: ignore[attr-defined]
    assert rows.max() == pytest.approx(min(region.bottom, 1) * SIDE - 1, abs=1)  # type: ignore[attr-defined]
    middle = round((region.top + min(region.bottom, 1)) / 2 * SIDE)  # type: ignore[attr-defined]
    assert len({int(level) for level in found[:, middle, SIDE // 2]}) > 3  # of any brightness


@pytest.mark.parametrize(("name", "area"), [("block_10", 0.1), ("block_20", 0.2)])
def test_a_block_covers_its_share(name: str, area: float) -> None:
    share = (changed(name, faces()) != faces()).mean(axis=(1, 2))

    assert share == pytest.approx(np.full(6, area), abs=0.03)


def test_fewer_pixels_mean_less_detail() -> None:
    detail = [np.diff(changed(f"side_{side}", faces()).astype(int)).std() for side in (32, 24, 16)]

    assert detail == sorted(detail, reverse=True)
    assert detail[0] < np.diff(faces().astype(int)).std()


def test_a_lower_quality_changes_more() -> None:
    change = [
        np.abs(changed(f"jpeg_{quality}", faces()).astype(int) - faces()).mean() for quality in (60, 30, 10)
    ]

    assert change == sorted(change)


def test_jpeg_keeps_red_and_blue_where_they_were() -> None:
    red = np.zeros((1, SIDE, SIDE, 3), np.uint8)
    red[..., 0] = 255

    assert changed("jpeg_60", red)[0, 24, 24].tolist() == pytest.approx([254, 0, 0], abs=3)


def test_a_resolution_that_the_images_do_not_reach_is_no_condition() -> None:
    assert [one.name for one in conditions(24) if one.name.startswith("side")] == ["side_16"]
    assert len({one.name for one in conditions(224)}) == 14


def test_a_dark_image_has_an_eighth_of_the_light() -> None:
    bright = np.full((2, SIDE, SIDE), 160, np.uint8)

    assert changed("dark", bright).mean() == pytest.approx(20, abs=0.5)


def test_heads_are_turned_one_way_or_the_other() -> None:
    upright = np.zeros((40, SIDE, SIDE), np.uint8)
    upright[:, 4:10, 20:28] = 255  # a spot on top

    found = changed("roll_30", upright)

    columns = np.array([np.nonzero(image)[1].mean() for image in found])
    # The middle, and sin 30° of the 17 rows that the spot lies above it.
    assert {round(float(column)) for column in columns} == {15, 32}

import pytest
from emostream.detection.tiles import pyramid

INPUT, SMALLEST, MIN_FACE = 192, 16, 24


def test_a_small_picture_is_looked_at_whole_and_with_room_around_it() -> None:
    whole, coarsest = pyramid((200, 100), INPUT, SMALLEST, MIN_FACE)

    assert whole.tiles_xy == ((0, -48),)
    assert whole.size_wh == (192, 96)
    assert whole.scale == pytest.approx(0.96)
    assert coarsest.tiles_xy == ((-48, -72),)
    assert coarsest.size_wh == (96, 48)
    assert coarsest.scale == pytest.approx(0.48)


def test_the_finest_level_shows_the_smallest_face_as_large_as_the_detector_needs_it() -> None:
    levels = pyramid((4096, 3000), INPUT, SMALLEST, MIN_FACE)

    assert levels[0].scale * MIN_FACE == pytest.approx(SMALLEST)
    assert levels[-2].scale * 4096 == pytest.approx(INPUT)
    assert levels[-1].scale * 4096 == pytest.approx(INPUT / 2)
    assert len(levels[-1].tiles_xy) == len(levels[-2].tiles_xy) == 1
    assert [level.scale for level in levels] == sorted((level.scale for level in levels), reverse=True)


@pytest.mark.parametrize(
    "size_wh",
    [(300, 300), (640, 480), (480, 640), (1920, 1080), (4000, 3000), (4096, 4096), (4096, 30), (289, 288)],
)
def test_every_face_is_whole_in_a_tile_that_shows_it_large_enough(size_wh: tuple[int, int]) -> None:
    """Faces of every size, at every place along each axis."""
    levels = pyramid(size_wh, INPUT, SMALLEST, MIN_FACE)
    for axis in (0, 1):
        face = float(MIN_FACE)
        while face < size_wh[axis]:
            for step in range(200):
                start = step / 199 * (size_wh[axis] - face)
                assert any(
                    face * level.scale >= SMALLEST * 0.999
                    and tile[axis] <= start * level.scale + 0.51  # pixels are whole
                    and (start + face) * level.scale <= tile[axis] + INPUT + 0.51
                    for level in levels
                    for tile in level.tiles_xy
                ), (axis, face, start)
            face *= 1.3


def test_tiles_lie_inside_their_level_or_have_it_in_their_middle() -> None:
    for level in pyramid((4001, 2999), INPUT, SMALLEST, MIN_FACE):
        for corner_xy in level.tiles_xy:
            for start, side in zip(corner_xy, level.size_wh, strict=True):
                if side >= INPUT:
                    assert 0 <= start <= side - INPUT
                else:
                    assert abs(-start - (INPUT - side) / 2) < 1


def test_a_larger_smallest_face_takes_fewer_tiles() -> None:
    def tiles(min_face_px: int) -> int:
        return sum(len(level.tiles_xy) for level in pyramid((1920, 1080), INPUT, SMALLEST, min_face_px))

    assert tiles(24) > tiles(48) > tiles(160) == 2


def test_a_picture_of_one_pixel_has_its_levels() -> None:
    assert len(pyramid((1, 1), INPUT, SMALLEST, MIN_FACE)) == 2


def test_a_picture_of_one_row_has_no_empty_level() -> None:
    assert all(min(level.size_wh) >= 1 for level in pyramid((4096, 1), INPUT, SMALLEST, MIN_FACE))

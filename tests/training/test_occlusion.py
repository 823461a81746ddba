import pytest
import torch
from emostream.training.occlusion import HEADSET, MASK, Region, cover, cover_block


@pytest.fixture(autouse=True)
def _same_numbers() -> None:
    torch.manual_seed(0)


def white(count: int = 4, channels: int = 1) -> torch.Tensor:
    return torch.full((count, channels, 48, 48), 255.0)


def levels(value: float, count: int = 4) -> torch.Tensor:
    return torch.full((count,), value)


def covered(images: torch.Tensor) -> torch.Tensor:
    """Bool (N, H, W): where white images are white no more."""
    return (images < 255).all(1)


def test_a_headset_hides_the_eyes_and_leaves_the_mouth() -> None:
    hidden = covered(cover(white(), HEADSET, levels(30)))

    assert hidden[:, 12:26, 6:42].all()
    assert not hidden[:, 30:].any()


def test_a_mask_hides_the_mouth_and_leaves_the_eyes() -> None:
    hidden = covered(cover(white(), MASK, levels(30)))

    assert hidden[:, 32:, 10:38].all()
    assert not hidden[:, :24].any()


def test_its_brightness_is_shaded_by_a_tenth_from_top_to_bottom() -> None:
    column = cover(white(1), Region(0, 0, 1, 1), levels(100, 1))[0, 0, :, 24]

    assert column[0] > column[-1]
    assert 104 < column[0] <= 105
    assert 95 <= column[-1] < 96


def test_colour_images_are_covered_in_every_channel() -> None:
    one, three = cover(white(1), MASK, levels(30, 1)), cover(white(1, 3), MASK, levels(30, 1))

    assert torch.equal(three, one.expand(-1, 3, -1, -1))


def test_with_jitter_no_two_are_alike() -> None:
    hidden = covered(cover(white(20), HEADSET, levels(30, 20), jitter=0.08))

    assert len({int(image.sum()) for image in hidden}) > 10
    assert hidden[:, 13:20, 10:38].all()


@pytest.mark.parametrize("area", [0.1, 0.2])
def test_a_block_has_the_area_that_was_asked_for_and_is_anywhere(area: float) -> None:
    hidden = covered(cover_block(white(200), area, levels(0, 200)))

    shares = hidden.float().mean((1, 2))
    assert shares.mean().item() == pytest.approx(area, rel=0.05)
    assert shares.min() > 0.7 * area
    assert hidden.any(0).float().mean() > 0.9

from dataclasses import fields, replace

import pytest
import torch
from emostream.training.augmentation import AugmentationSpec, augment, mixup

NONE = AugmentationSpec(**{field.name: 0.0 for field in fields(AugmentationSpec)})


@pytest.fixture(autouse=True)
def _same_numbers() -> None:
    torch.manual_seed(0)


def faces(count: int = 16) -> torch.Tensor:
    """Smooth images that are darker on their left, each its own."""
    y, x = torch.meshgrid(torch.linspace(0, 3, 48), torch.linspace(0, 3, 48), indexing="ij")
    phase = torch.arange(count).view(count, 1, 1)
    return (40 + 45 * x + 30 * torch.sin(2 * y + phase) * torch.cos(x)).unsqueeze(1)


def test_with_all_strengths_0_nothing_changes() -> None:
    assert torch.allclose(augment(faces(), NONE), faces(), atol=0.01)


@pytest.mark.parametrize(
    "spec", [AugmentationSpec(), replace(AugmentationSpec(), noise=1, erasing=1, flip=1)]
)
def test_shape_and_range_stay_as_they_are(spec: AugmentationSpec) -> None:
    out = augment(faces(), spec)

    assert out.shape == faces().shape
    assert out.dtype == torch.float32
    assert out.min() >= 0
    assert out.max() <= 255
    assert out.isfinite().all()


def test_the_images_that_were_given_are_left_as_they_are() -> None:
    given = faces()

    augment(given, replace(AugmentationSpec(), low_resolution=1, noise=1, erasing=1))

    assert torch.equal(given, faces())


def test_a_flip_mirrors_left_and_right() -> None:
    out = augment(faces(), replace(NONE, flip=1))

    assert torch.allclose(out, faces().flip(3), atol=0.1)


def test_about_half_of_the_images_are_flipped_at_a_probability_of_a_half() -> None:
    out = augment(faces(400), replace(NONE, flip=0.5))

    flipped = (out - faces(400).flip(3)).abs().amax((1, 2, 3)) < 1
    kept = (out - faces(400)).abs().amax((1, 2, 3)) < 1
    assert bool((flipped ^ kept).all())
    assert 140 < int(flipped.sum()) < 260


def test_a_rotation_keeps_the_middle_and_turns_the_rest() -> None:
    out = augment(faces(), replace(NONE, rotation_degrees=45))

    change = (out - faces()).abs()
    assert change[:, :, 22:26, 22:26].mean() < change[:, :, ::47, ::47].mean()
    assert change.mean() > 1


def test_edges_are_repeated_and_not_black() -> None:
    """A flat image stays flat however it is moved."""
    flat = torch.full((16, 1, 48, 48), 90.0)

    out = augment(flat, replace(NONE, rotation_degrees=45, scale=0.5, translation=0.4))

    assert torch.allclose(out, flat, atol=0.1)


def test_gamma_changes_brightness_and_keeps_black_and_white() -> None:
    image = torch.tensor([0.0, 128.0, 255.0]).repeat(16, 1, 48, 16)

    out = augment(image, replace(NONE, gamma=1.0))

    assert torch.allclose(out[..., ::3], torch.zeros(()), atol=1)
    assert torch.allclose(out[..., 2::3], torch.tensor(255.0), atol=1)
    assert out[:, 0, 0, 1].std() > 10


def test_low_resolution_blurs() -> None:
    noise = torch.rand(16, 1, 48, 48) * 255

    out = augment(noise, replace(NONE, low_resolution=1))

    assert out.std() < 0.8 * noise.std()


def test_noise_is_of_a_strength_of_its_own_for_each_image() -> None:
    flat = torch.full((64, 1, 48, 48), 128.0)

    deviation = augment(flat, replace(NONE, noise=1)).std((1, 2, 3))

    assert deviation.min() < 3
    assert 12 < deviation.max() < 17


def test_erasing_covers_one_block_of_4_to_25_percent() -> None:
    flat = torch.full((64, 1, 48, 48), -1.0)
    # clamped to 0 by the change of brightness, and noise is never exactly 0 over a block
    out = augment(flat, replace(NONE, erasing=1))

    for image in (out != 0).squeeze(1):
        rows, columns = image.any(1).nonzero().flatten(), image.any(0).nonzero().flatten()
        height, width = int(rows.max() - rows.min() + 1), int(columns.max() - columns.min() + 1)
        assert 0.03 < height * width / 48**2 < 0.28
        assert image[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1].float().mean() > 0.99


def test_the_same_seed_gives_the_same_images() -> None:
    first = augment(faces(), AugmentationSpec())
    torch.manual_seed(0)

    assert torch.equal(augment(faces(), AugmentationSpec()), first)


def test_mixup_blends_images_and_targets_by_the_same_weight() -> None:
    """Image i is i everywhere and its target is the i-th one, so the blend can be read off."""
    images = torch.arange(6.0).view(6, 1, 1, 1).expand(6, 1, 4, 4)
    targets = torch.eye(6)

    mixed, mixed_targets = mixup(images, targets, alpha=1.0)

    assert torch.allclose(mixed_targets.sum(1), torch.ones(6))
    assert torch.allclose(mixed[:, 0, 0, 0], mixed_targets @ torch.arange(6.0), atol=1e-5)
    assert bool(((mixed_targets > 0).sum(1) <= 2).all())
    assert not torch.equal(mixed_targets, targets)


@pytest.mark.parametrize("change", [{"headset": 1.0}, {"mask": 1.0}, {"blur": 1.0}, {"jpeg": 1.0}], ids=str)
@pytest.mark.parametrize("channels", [1, 3])
def test_colour_and_grey_images_are_changed_alike_in_shape(change: dict[str, float], channels: int) -> None:
    given = faces().expand(-1, channels, -1, -1)

    out = augment(given, replace(NONE, **change))

    assert out.shape == given.shape
    assert not torch.allclose(out, given, atol=1)


def test_the_side_that_is_asked_for_is_the_side_that_comes() -> None:
    out = augment(faces(), replace(AugmentationSpec(), headset=0.5), side=36)

    assert out.shape == (16, 1, 36, 36)


def test_nobody_wears_headset_and_mask_at_once() -> None:
    flat = torch.full((200, 1, 48, 48), 128.0)

    out = augment(flat, replace(NONE, headset=0.5, mask=0.5))

    changed = (out - flat).abs() > 8
    eyes, mouth = (
        changed[:, 0, 14:20, 14:34].float().mean((1, 2)),
        changed[:, 0, 36:44, 14:34].float().mean((1, 2)),
    )
    assert not ((eyes > 0.9) & (mouth > 0.9)).any()
    assert 60 < int((eyes > 0.9).sum()) < 120
    assert 60 < int((mouth > 0.9).sum()) < 120


def test_a_blur_softens_edges_and_keeps_the_mean() -> None:
    edge = torch.zeros(4, 1, 48, 48)
    edge[..., 24:] = 200

    out = augment(edge, replace(NONE, blur=1.0))

    assert (out[..., 24] < 200).all()
    assert (out[..., 23] > 0).all()
    torch.testing.assert_close(out.mean(), edge.mean(), rtol=0.02, atol=0)


def test_compression_keeps_colours_where_they_were() -> None:
    red = torch.zeros(2, 3, 48, 48)
    red[:, 0] = 200

    out = augment(red, replace(NONE, jpeg=1.0))

    assert (out[:, 0] > 170).all()
    assert (out[:, 1:] < 40).all()

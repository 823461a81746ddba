import pytest
import torch
from emostream.models.normalisation import (
    IMAGENET_MEAN_RGB,
    IMAGENET_STD_RGB,
    Normalisation,
    NormalisationSpec,
)


def flat(red: float, green: float, blue: float) -> torch.Tensor:
    return torch.tensor([red, green, blue]).view(1, 3, 1, 1).expand(1, 3, 4, 4)


def noise(faces: int = 2) -> torch.Tensor:
    return torch.rand(faces, 3, 16, 16, generator=torch.Generator().manual_seed(0)) * 255


def test_imagenets_statistics_are_the_default() -> None:
    out = Normalisation(NormalisationSpec())(flat(255, 0, 51))

    expected = [
        (value - mean) / std
        for value, mean, std in zip((1.0, 0.0, 0.2), IMAGENET_MEAN_RGB, IMAGENET_STD_RGB, strict=True)
    ]
    assert out.shape == (1, 3, 4, 4)
    assert out[0, :, 0, 0].tolist() == pytest.approx(expected)


def test_other_statistics_may_be_given() -> None:
    spec = NormalisationSpec(mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))

    assert Normalisation(spec)(flat(255, 0, 127.5))[0, :, 0, 0].tolist() == pytest.approx([1, -1, 0])


def test_grey_is_the_luma_of_the_three_channels() -> None:
    spec = NormalisationSpec(grayscale=True, mean=(0, 0, 0), std=(1, 1, 1))

    out = Normalisation(spec)(flat(255, 102, 51))

    assert out[0, :, 0, 0].tolist() == pytest.approx([0.299 + 0.587 * 0.4 + 0.114 * 0.2] * 3)


def test_each_image_is_normalised_by_its_own_statistics() -> None:
    out = Normalisation(NormalisationSpec(per_image=True))(noise())

    assert out.mean((1, 2, 3)).tolist() == pytest.approx([0, 0], abs=1e-5)
    assert out.square().mean((1, 2, 3)).tolist() == pytest.approx([1, 1], abs=1e-4)


def test_exposure_and_contrast_make_no_difference_per_image() -> None:
    normalise = Normalisation(NormalisationSpec(grayscale=True, per_image=True))

    assert torch.allclose(normalise(noise()), normalise(noise() * 0.4 + 60), atol=1e-4)


def test_a_image_is_normalised_alike_alone_and_in_company() -> None:
    normalise = Normalisation(NormalisationSpec(grayscale=True, per_image=True))

    assert torch.allclose(normalise(noise())[1:], normalise(noise()[1:]), atol=1e-6)


def test_a_flat_image_stays_flat() -> None:
    out = Normalisation(NormalisationSpec(per_image=True))(flat(90, 90, 90))

    assert out.abs().max() < 1e-3


def test_weights_files_need_not_know_of_it() -> None:
    assert not Normalisation(NormalisationSpec()).state_dict()

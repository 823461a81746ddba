import pytest
import torch
from emostream.models.mobilenet import ConvolutionUnit, MobileNet, MobileNetConfig
from torch import nn


def test_the_network_has_about_three_million_parameters() -> None:
    parameters = sum(p.numel() for p in MobileNet(MobileNetConfig()).parameters())

    assert 3_000_000 < parameters < 3_500_000


@torch.no_grad()
def test_a_face_of_48_pixels_is_enlarged_to_160_and_halved_five_times() -> None:
    network = MobileNet(MobileNetConfig()).eval()
    shapes: list[torch.Size] = []
    network.features.register_forward_hook(
        lambda module, given, maps: shapes.extend((given[0].shape, maps.shape))
    )

    network(torch.zeros(2, 3, 48, 48))

    assert shapes == [(2, 3, 160, 160), (2, 1024, 5, 5)]


@pytest.mark.parametrize("groups", [1, 6])
@torch.no_grad()
def test_a_strided_unit_sees_what_tensorflow_pads(groups: int) -> None:
    """Windows start at even places, and the last ones reach over the bottom and the right edge."""
    unit = ConvolutionUnit(6, 6, 3, stride=2, groups=groups).eval()
    nn.init.ones_(unit.conv.weight)
    x = torch.zeros(1, 6, 8, 8)
    x[:, :, 7, 7] = 1.0

    seen = unit(x)[0, 0]

    assert seen.shape == (4, 4)
    assert seen.nonzero().tolist() == [[3, 3]]
    x[:, :, 2, 2] = 1.0
    assert unit(x)[0, 0].nonzero().tolist() == [[0, 0], [0, 1], [1, 0], [1, 1], [3, 3]]


@torch.no_grad()
def test_a_strided_depthwise_unit_computes_in_training_what_it_does_in_use() -> None:
    torch.manual_seed(0)
    unit = ConvolutionUnit(6, 6, 3, stride=2, groups=6)
    unit.norm.eval()  # with the stored statistics: the convolution alone is compared
    x = torch.randn(2, 6, 10, 10)

    trained = unit(x)

    unit.eval()
    torch.testing.assert_close(trained, unit(x))


def test_training_reaches_all_but_the_frozen_stem() -> None:
    torch.manual_seed(0)
    network = MobileNet(MobileNetConfig())
    before = {name: value.clone() for name, value in network.features.stem.named_buffers()}

    network.train()
    network(torch.randn(4, 3, 48, 48)).square().sum().backward()

    without = [name for name, p in network.named_parameters() if p.grad is None]
    assert without == [f"features.stem.{name}" for name, _ in network.features.stem.named_parameters()]
    assert all(torch.equal(value, before[name]) for name, value in network.features.stem.named_buffers())


def test_a_stem_may_learn_too() -> None:
    network = MobileNet(MobileNetConfig(freeze_stem=False))

    network(torch.randn(4, 3, 48, 48)).square().sum().backward()

    assert [name for name, p in network.named_parameters() if p.grad is None] == []

import pytest
import torch
from emostream.models.se_resnet import ChannelExcitation, ResidualUnit, SeResNet, SeResNetConfig


def test_the_network_has_about_three_million_parameters() -> None:
    parameters = sum(p.numel() for p in SeResNet(SeResNetConfig()).parameters())

    assert 2_500_000 < parameters < 3_500_000


@torch.no_grad()
def test_widths_and_depths_follow_the_configuration() -> None:
    network = SeResNet(SeResNetConfig(num_classes=5, widths=(8, 8, 16, 16), depths=(1, 2, 1, 1)))

    assert len(network.stages) == 5
    assert network.eval()(torch.zeros(2, 3, 48, 48)).shape == (2, 5)


@torch.no_grad()
def test_three_of_four_stages_halve_the_map() -> None:
    network = SeResNet(SeResNetConfig()).eval()

    assert network.stages(network.stem(torch.zeros(1, 3, 48, 48))).shape == (1, 256, 6, 6)


def test_excitation_scales_whole_channels_by_a_gate_between_0_and_1() -> None:
    x = torch.rand(2, 8, 5, 5) + 0.5

    gate = ChannelExcitation(8, 4)(x) / x

    assert gate.min() > 0
    assert gate.max() < 1
    assert torch.allclose(gate, gate[:, :, :1, :1].expand_as(gate), atol=1e-6)


@pytest.mark.parametrize(("out_channels", "stride", "shape"), [(8, 1, (1, 8, 6, 6)), (16, 2, (1, 16, 3, 3))])
def test_a_unit_keeps_the_map_or_halves_it(out_channels: int, stride: int, shape: tuple[int, ...]) -> None:
    assert ResidualUnit(8, out_channels, stride, reduction=4)(torch.rand(1, 8, 6, 6)).shape == shape


def test_dropout_acts_in_training_only() -> None:
    torch.manual_seed(0)
    network = SeResNet(SeResNetConfig(dropout=0.9))
    face = torch.randn(1, 3, 48, 48)

    network.eval()

    with torch.no_grad():
        assert torch.equal(network(face), network(face))


def test_a_training_step_reaches_every_parameter() -> None:
    torch.manual_seed(0)
    network = SeResNet(SeResNetConfig())

    network(torch.randn(4, 3, 48, 48)).square().sum().backward()

    assert [name for name, p in network.named_parameters() if p.grad is None] == []

import pytest
import torch
from emostream.training.norm_statistics import restore_norms
from torch import nn


def folded_network() -> nn.Sequential:
    """Its batch norms shift and scale, and normalise nothing."""
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1, bias=False),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.Conv2d(8, 4, 3, padding=1, bias=False),
        nn.BatchNorm2d(4),
    )
    for layer in network:
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.uniform_(layer.weight, 0.5, 2.0)
            nn.init.normal_(layer.bias)
            nn.init.constant_(layer.running_var, 1 - layer.eps)
    return network


@pytest.fixture
def pictures() -> torch.Tensor:
    return torch.randn(16, 3, 12, 12, generator=torch.Generator().manual_seed(1)) * 5 + 2


@torch.no_grad()
def test_the_network_computes_what_it_did(pictures: torch.Tensor) -> None:
    network = folded_network()
    before = network.eval()(pictures)

    restore_norms(network, pictures.split(4))

    torch.testing.assert_close(network.eval()(pictures), before, rtol=1e-4, atol=1e-4)


@torch.no_grad()
def test_training_on_such_pictures_starts_where_the_network_was(pictures: torch.Tensor) -> None:
    network = folded_network()
    wanted = network.eval()(pictures)
    far = network.train()(pictures)
    assert (far - wanted).abs().mean() > 0.5  # without which there would be nothing to restore

    network = folded_network()
    restore_norms(network, pictures.split(4))

    torch.testing.assert_close(network.train()(pictures), wanted, rtol=1e-2, atol=1e-2)


@torch.no_grad()
def test_a_channel_that_never_changes_stays_finite(pictures: torch.Tensor) -> None:
    network = folded_network()
    network[0].weight[2] = 0.0

    restore_norms(network, [pictures])

    assert all(value.isfinite().all() for value in network.state_dict().values())
    assert network.train()(pictures).isfinite().all()


def test_the_mode_is_left_as_it_was_and_nothing_listens_on(pictures: torch.Tensor) -> None:
    network = folded_network().train()

    restore_norms(network, [pictures])

    assert network.training
    assert not any(layer._forward_pre_hooks for layer in network)

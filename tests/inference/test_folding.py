"""Layers folded into each other."""

import pytest
import torch
from emostream.inference.ensemble import Member
from emostream.inference.folding import MergedConvolutions, fold_batch_norms, merge_convolutions, simplified
from torch import nn

from tests.inference.networks import crops, random_ensemble, slow_if_large


def norms_in(network: nn.Module) -> int:
    return sum(isinstance(layer, nn.BatchNorm2d) for layer in network.modules())


@pytest.mark.parametrize(
    "architecture", slow_if_large(["poster_v2", "poster_v2_compact", "se_resnet", "mobilenet", "dan"])
)
def test_a_folded_network_computes_the_same_with_fewer_norms(architecture: str) -> None:
    member = random_ensemble(architecture).module.members[0]
    assert isinstance(member, Member)
    image = torch.randn(2, 3, member.input_size, member.input_size)

    folded = fold_batch_norms(member.network)

    with torch.inference_mode():
        wanted, found = member.network(image), folded(image)
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-4 * float(wanted.abs().max()))
    assert norms_in(folded) < norms_in(member.network)


def test_a_norm_before_a_padded_convolution_stays() -> None:
    network = nn.Sequential(nn.BatchNorm2d(3), nn.Conv2d(3, 4, 3, padding=1))

    assert norms_in(fold_batch_norms(network)) == 1


def test_a_convolution_that_something_else_reads_is_left_alone() -> None:
    class Shared(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.norm = nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3)
            nn.init.constant_(self.norm.weight, 5.0)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            x = self.conv(x)
            return self.norm(x) + x

    network, image = Shared().eval(), torch.randn(1, 3, 4, 4)

    folded = fold_batch_norms(network)

    assert norms_in(folded) == 1
    torch.testing.assert_close(folded(image), network(image))


def test_the_network_itself_is_left_as_it_is() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)).eval()
    nn.init.constant_(network[1].weight, 3.0)
    before = network[0].weight.clone()

    fold_batch_norms(network)

    assert torch.equal(network[0].weight, before)
    assert norms_in(network) == 1


def merged_in(network: nn.Module) -> int:
    return sum(isinstance(layer, MergedConvolutions) for layer in network.modules())


@pytest.mark.parametrize("architecture", ["poster_v2", "poster_v2_compact"])
def test_poster_v2s_embedding_becomes_one_convolution(architecture: str) -> None:
    ensemble = random_ensemble(architecture)
    pixels = [torch.from_numpy(crop) for crop in crops(ensemble, 3)]

    simpler = simplified(ensemble.module)

    with torch.inference_mode():
        wanted, found = ensemble.module(*pixels), simpler(*pixels)
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-6)
    assert merged_in(simpler) == 1
    assert merged_in(ensemble.module) == 0


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("side", [12, 13, 28])
def test_two_convolutions_become_one_that_is_the_same_at_the_edges_too(side: int, bias: bool) -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 24, 3, 2, 1, bias=bias), nn.Conv2d(24, 24, 3, 2, 1, bias=bias))
    image = torch.randn(4, 3, side, side)

    merged = merge_convolutions(network, image[:1])

    assert merged_in(merged) == 1
    torch.testing.assert_close(merged(image), network(image), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "apart",
    [
        pytest.param(
            (nn.Conv2d(3, 24, 5, 2, 1), nn.Conv2d(24, 24, 3, 2, 1)), id="the-near-edge-would-differ"
        ),
        pytest.param((nn.Conv2d(3, 24, 3, 2, 1), nn.Conv2d(24, 24, 3, 1, 1)), id="the-far-edge-would-differ"),
        pytest.param((nn.Conv2d(24, 3, 3, 2, 1), nn.Conv2d(3, 24, 3, 2, 1)), id="it-would-cost-more"),
        pytest.param((nn.Conv2d(24, 24, 3, 2, 1, groups=24), nn.Conv2d(24, 24, 3, 2, 1)), id="groups"),
        pytest.param((nn.Conv2d(3, 24, 3, 2, 1), nn.ReLU(), nn.Conv2d(24, 24, 3, 2, 1)), id="not-linear"),
    ],
)
def test_other_convolutions_are_left_apart(apart: tuple[nn.Module, ...]) -> None:
    network = nn.Sequential(*apart)
    image = torch.randn(2, network[0].in_channels, 28, 28)

    untouched = merge_convolutions(network, image)

    assert merged_in(untouched) == 0
    torch.testing.assert_close(untouched(image), network(image))

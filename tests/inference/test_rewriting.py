"""Layers written otherwise."""

import pytest
import torch
from emostream.inference.rewriting import linears_as_convolutions, rewritten, spell_out_attention
from emostream.models.vision_transformer import Mlp
from torch import Tensor, nn
from torch.nn import functional as F

from tests.inference.networks import random_ensemble, slow_if_large


def layers_of(kind: type[nn.Module], network: nn.Module) -> int:
    return sum(isinstance(layer, kind) for layer in network.modules())


@pytest.mark.parametrize(
    "architecture", slow_if_large(["poster_v2", "poster_v2_compact", "se_resnet", "mobilenet", "dan"])
)
def test_a_rewritten_network_computes_the_same_without_linear_layers(architecture: str) -> None:
    (member,) = random_ensemble(architecture).module
    images = torch.randn(3, 3, member.input_size, member.input_size)

    found = rewritten(member.network, images[:1])

    with torch.inference_mode():
        wanted = member.network(images)
        torch.testing.assert_close(found(images), wanted, rtol=1e-4, atol=1e-4 * float(wanted.abs().max()))
    assert layers_of(nn.Linear, found) == 0


def test_the_network_itself_is_left_as_it_is() -> None:
    network = nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 2))

    linears_as_convolutions(network, torch.zeros(1, 4))

    assert layers_of(nn.Linear, network) == 2


def test_a_chain_of_linear_layers_is_arranged_as_a_map_once() -> None:
    mlp, tokens = Mlp(8, 4).eval(), torch.randn(2, 5, 8)

    found = linears_as_convolutions(mlp, tokens[:1])

    torch.testing.assert_close(found(tokens), mlp(tokens))
    calls = [str(node.target) for node in found.graph.nodes if node.op == "call_function"]
    assert sum("tokens_to_map" in call for call in calls) == 1
    assert sum("map_to_tokens" in call for call in calls) == 1


def test_what_else_reads_a_linear_layers_output_still_gets_it() -> None:
    class Shared(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = nn.Linear(4, 4), nn.Linear(4, 4, bias=False)

        def forward(self, x: Tensor) -> Tensor:
            x = self.first(x)
            return x.softmax(-1) + self.second(F.relu(x))

    network, vectors = Shared().eval(), torch.randn(3, 4)

    torch.testing.assert_close(linears_as_convolutions(network, vectors)(vectors), network(vectors))


@pytest.mark.parametrize("has_mask", [False, True])
def test_spelled_out_attention_is_pytorchs(has_mask: bool) -> None:
    class Attention(nn.Module):
        def forward(self, q: Tensor, k: Tensor, v: Tensor, mask: Tensor) -> Tensor:
            if has_mask:
                return F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
            return F.scaled_dot_product_attention(q, k, v)

    q, k, v = (torch.randn(2, 3, 5, 8) for _ in range(3))
    mask = torch.randn(1, 3, 5, 5)

    found = spell_out_attention(Attention())

    torch.testing.assert_close(found(q, k, v, mask), Attention()(q, k, v, mask))
    assert not any(node.target is F.scaled_dot_product_attention for node in found.graph.nodes)

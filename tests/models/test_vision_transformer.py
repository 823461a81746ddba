"""The token mixer's shortcut: only the class token goes through the last block."""

from collections.abc import Callable

import torch
from emostream.models.vision_transformer import Block, TokenClassifier
from torch.utils.flop_counter import FlopCounterMode


def _classifier() -> TokenClassifier:
    torch.manual_seed(0)
    sizes = {"tokens": 12, "width": 32, "heads": 4, "depth": 2, "mlp_ratio": 4}
    return TokenClassifier(**sizes, drop_path=0.1, num_classes=7).eval()


def test_a_block_s_first_token_is_what_the_whole_block_gives() -> None:
    torch.manual_seed(0)
    block, tokens = Block(width=32, heads=4, mlp_ratio=4, drop_path=0.1).eval(), torch.randn(3, 9, 32)

    torch.testing.assert_close(block.first_token(tokens), block(tokens)[:, :1])


def test_the_answer_is_that_of_whole_blocks() -> None:
    classifier, tokens = _classifier(), torch.randn(3, 12, 32)

    seen = torch.cat((classifier.cls_token.expand(3, -1, -1), tokens), dim=1) + classifier.pos_embed
    first = classifier.norm(classifier.blocks(seen))[:, 0]
    expected = classifier.head(classifier.se_block(first))

    torch.testing.assert_close(classifier(tokens), expected)


def test_the_last_block_computes_the_class_token_only() -> None:
    classifier, tokens = _classifier(), torch.randn(3, 12, 32)
    seen = torch.cat((classifier.cls_token.expand(3, -1, -1), tokens), dim=1)

    whole = _flops(lambda: classifier.blocks(seen))
    used = _flops(lambda: classifier(tokens))

    # Two equal blocks of thirteen tokens; the last one computes one of them, and keys and values for all.
    assert used < 0.7 * whole


def _flops(work: Callable[[], object]) -> int:
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        work()
    return counter.get_total_flops()


def test_every_weight_of_the_last_block_learns() -> None:
    classifier = _classifier()

    classifier(torch.randn(3, 12, 32)).sum().backward()

    for name, parameter in classifier.blocks[1].named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name

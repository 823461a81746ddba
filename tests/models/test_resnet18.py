"""The backbone's shape; that it computes ResNet-18 is shown through DAN's logits (test_dan.py)."""

import torch
from emostream.models.resnet18 import BasicBlock, resnet18_features


def test_the_map_is_a_thirty_second_of_the_image() -> None:
    assert resnet18_features().eval()(torch.zeros(1, 3, 96, 64)).shape == (1, 512, 3, 2)


def test_a_block_with_silent_convolutions_passes_positive_features_on() -> None:
    block = BasicBlock(4, 4, stride=1).eval()
    torch.nn.init.zeros_(block.conv2.weight)
    features = torch.rand(1, 4, 5, 5)

    assert torch.equal(block(features), features)

"""Two networks of one architecture under one head, in one file."""

from torch import Tensor, cat, nn


class Pair(nn.Module):
    """Takes its networks' input, float32 (N, 3, S, S), normalised; returns logits (N, classes).

    One head, linear in the features of both, replaces the networks' own.
    """

    def __init__(self, first: nn.Module, second: nn.Module, num_classes: int) -> None:
        super().__init__()
        features = 0
        for network in (first, second):
            head = network.head
            assert isinstance(head, nn.Linear)
            features += head.in_features
            network.head = nn.Identity()
        self.first, self.second = first, second
        self.head = nn.Linear(features, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.head(cat((self.first(x), self.second(x)), dim=1))
        return logits

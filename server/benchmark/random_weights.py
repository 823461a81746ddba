"""Networks without trained weights, for measuring and testing."""

from torch import nn


def enliven_norms(network: nn.Module) -> None:
    """Gives every norm of a fresh network a random scale and shift, as a trained one has.

    A fresh one's is the identity, which an engine can leave out, and so would look faster than it is.
    """
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d | nn.LayerNorm):
            nn.init.uniform_(layer.weight, 0.5, 1.5)
            nn.init.normal_(layer.bias, std=0.1)
        if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d):
            assert layer.running_mean is not None
            assert layer.running_var is not None
            nn.init.normal_(layer.running_mean, std=0.1)
            nn.init.uniform_(layer.running_var, 0.5, 1.5)

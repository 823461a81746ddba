"""Batch normalisation for networks that were published with theirs folded away."""

from collections.abc import Iterable
from typing import cast

import torch
from torch import Tensor, nn


@torch.no_grad()
def restore_norms(network: nn.Module, inputs: Iterable[Tensor]) -> None:
    """Makes every batch norm normalise by what it sees, and scale and shift back by the same: its statistics
    become those of ``inputs``, and the network computes in eval mode what it did before.

    Training needs it, for there batch norms use the statistics of the batch, whatever the stored ones are.
    ``inputs`` are batches as the network takes them.
    """
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    seen: dict[nn.BatchNorm2d, list[Tensor]] = {norm: [] for norm in norms}

    def note(module: nn.Module, given: tuple[Tensor, ...]) -> None:
        x = given[0].float()
        seen[cast(nn.BatchNorm2d, module)].append(
            torch.stack((x.mean((0, 2, 3)), x.square().mean((0, 2, 3))))
        )

    was_training = network.training
    network.eval()
    hooks = [norm.register_forward_pre_hook(note) for norm in norms]
    try:
        for batch in inputs:
            network(batch)
    finally:
        for hook in hooks:
            hook.remove()
        network.train(was_training)
    for norm, moments in seen.items():
        mean, square = torch.stack(moments).mean(0)
        variance = (square - mean.square()).clamp_min(0)
        assert norm.running_mean is not None
        assert norm.running_var is not None
        gain = norm.weight / (norm.running_var + norm.eps).sqrt()
        norm.bias.add_(gain * (mean - norm.running_mean))
        norm.weight.copy_(gain * (variance + norm.eps).sqrt())
        norm.running_mean.copy_(mean)
        norm.running_var.copy_(variance)

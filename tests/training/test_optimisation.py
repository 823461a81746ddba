import pytest
import torch
from emostream.training.optimisation import SharpnessAware, parameter_groups
from torch import nn


def test_only_matrices_and_kernels_decay() -> None:
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(8, 2))
    model[0].requires_grad_(False)

    decaying, others = parameter_groups(model, 0.1)

    assert (decaying["weight_decay"], others["weight_decay"]) == (0.1, 0.0)
    assert [tuple(p.shape) for p in decaying["params"]] == [(2, 8)]
    assert len(others["params"]) == 3


def test_a_step_uses_the_gradient_at_the_worst_point_nearby() -> None:
    """For w² at 3 the worst point within 0.5 is 3.5, where the gradient is 7."""
    weight = nn.Parameter(torch.tensor([3.0]))
    optimizer = SharpnessAware(torch.optim.SGD([weight], lr=0.1), radius=0.5)

    loss = optimizer.step(lambda: (weight**2).sum())

    assert loss.item() == pytest.approx(9.0)
    assert weight.item() == pytest.approx(3.0 - 0.1 * 7.0)


def test_the_radius_is_that_of_all_weights_together() -> None:
    """The gradient (6, 8) has the length 10: a radius of 1 moves the weights by (0.6, 0.8)."""
    first, second = nn.Parameter(torch.tensor(3.0)), nn.Parameter(torch.tensor(4.0))
    optimizer = SharpnessAware(torch.optim.SGD([first, second], lr=0.5), radius=1.0)

    optimizer.step(lambda: first**2 + second**2)

    assert first.item() == pytest.approx(3.0 - 3.6)
    assert second.item() == pytest.approx(4.0 - 4.8)


def test_weights_without_a_gradient_are_left_alone() -> None:
    used, unused = nn.Parameter(torch.tensor(1.0)), nn.Parameter(torch.tensor(1.0))
    optimizer = SharpnessAware(torch.optim.SGD([used, unused], lr=0.1), radius=0.1)

    optimizer.step(lambda: used**2)

    assert unused.item() == 1.0

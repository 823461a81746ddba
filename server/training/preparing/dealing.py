"""Splits drawn at random: alike in their labels, and no group in two of them."""

from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt

#: What images are dealt out to, in the order of the shares.
DEALT = ("train", "valid", "test")

ItemT = TypeVar("ItemT", bound=Hashable)


def deal(
    by_label: Mapping[str, Sequence[ItemT]],
    group_of: Mapping[ItemT, int],
    shares: tuple[float, float, float],
    seed: int,
) -> dict[ItemT, str]:
    """A split for every item: each label's groups are dealt out in the same shares of its items."""
    split_of_group: dict[int, str] = {}
    for label, items in sorted(by_label.items()):
        groups: dict[int, int] = defaultdict(int)  # and how many of the label's items are in each
        for item in items:
            groups[group_of[item]] += 1
        # A seed of its own: another label's items do not move these from split to split.
        order = np.random.default_rng([seed, *label.encode()]).permutation(list(groups))
        _deal(order, groups, np.floor(np.cumsum(shares) * len(items) + 1e-9), split_of_group)
    return {item: split_of_group[group] for item, group in group_of.items()}


def _deal(
    order: npt.NDArray[np.int64],
    sizes: Mapping[int, int],
    ends: npt.NDArray[np.float64],
    split_of: dict[int, str],
) -> None:
    """Adds a split for each group of a label, unless another label's items have decided it."""
    dealt = np.zeros(len(DEALT), np.int64)
    for group, size in sizes.items():
        if group in split_of:
            dealt[DEALT.index(split_of[group])] += size
    undecided = [int(group) for group in order if group not in split_of]
    for group in undecided:
        # The first that is not full, with those before it.
        place = int(np.argmax(np.append(np.cumsum(dealt)[:-1] < ends[:-1], True)))
        split_of[group] = DEALT[place]
        dealt[place] += sizes[group]
    # Large groups may leave nothing to measure with, although there are several.
    if ends[1] > ends[0] and len(undecided) > 1 and all(split_of[group] == DEALT[0] for group in sizes):
        split_of[min(undecided, key=lambda group: sizes[group])] = DEALT[1]

"""Draws random splits with similar label frequencies; no group is in two of them."""

from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt

#: The splits among which images are divided, in the order of the shares.
DEALT = ("train", "valid", "test")

ItemT = TypeVar("ItemT", bound=Hashable)


def deal(
    by_label: Mapping[str, Sequence[ItemT]],
    group_of: Mapping[ItemT, int],
    shares: tuple[float, float, float],
    seed: int,
) -> dict[ItemT, str]:
    """Assigns a split to every item: each label's groups are divided by the same shares of its items."""
    split_of_group: dict[int, str] = {}
    for label, items in sorted(by_label.items()):
        groups: dict[int, int] = defaultdict(int)  # the number of the label's items in each
        for item in items:
            groups[group_of[item]] += 1
        # Each label has its own seed, so that items of other labels do not move these to other splits.
        order = np.random.default_rng([seed, *label.encode()]).permutation(list(groups))
        _deal(order, groups, np.floor(np.cumsum(shares) * len(items) + 1e-9), split_of_group)
    return {item: split_of_group[group] for item, group in group_of.items()}


def _deal(
    order: npt.NDArray[np.int64],
    sizes: Mapping[int, int],
    ends: npt.NDArray[np.float64],
    split_of: dict[int, str],
) -> None:
    """Assigns a split to each group of a label, unless another label has already decided it."""
    dealt = np.zeros(len(DEALT), np.int64)
    for group, size in sizes.items():
        if group in split_of:
            dealt[DEALT.index(split_of[group])] += size
    undecided = [int(group) for group in order if group not in split_of]
    for group in undecided:
        # The first split that is not full, counted with those before it.
        place = int(np.argmax(np.append(np.cumsum(dealt)[:-1] < ends[:-1], True)))
        split_of[group] = DEALT[place]
        dealt[place] += sizes[group]
    # Large groups may leave the validation split empty although there are several groups.
    if ends[1] > ends[0] and len(undecided) > 1 and all(split_of[group] == DEALT[0] for group in sizes):
        split_of[min(undecided, key=lambda group: sizes[group])] = DEALT[1]

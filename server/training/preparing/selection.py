"""Holds out a part of the training split for choosing recipes, members and temperatures.

Figures on the validation split are too good if it was also used for choices. Choices use the selection
split instead: nothing is trained on it, and none of its images, or copies of them, is in any other split.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from rich.progress import Progress

from .dealing import DEALT, deal
from .near_duplicates import groups_of, linked_by_content, linked_by_key
from .sample import SELECTION, Reason, Sample


def with_selection(
    samples: Sequence[Sample], share: float, seed: int, progress: Progress | None = None
) -> list[Sample]:
    """The same samples, with ``share`` of those of the split ``train`` moved to the split ``selection``.

    Groups and copies of one image (``near_duplicates``) stay together. An image with a copy outside the
    training split stays in the training split.
    """
    usable = [place for place, sample in enumerate(samples) if not isinstance(sample.label, Reason)]
    pairs = linked_by_content([samples[place].load for place in usable], progress)
    pairs += linked_by_key(samples[place].group for place in usable)
    groups = groups_of(len(usable), pairs)
    elsewhere = {int(groups[index]) for index, place in enumerate(usable) if samples[place].split != DEALT[0]}
    free = {
        place: int(groups[index]) for index, place in enumerate(usable) if int(groups[index]) not in elsewhere
    }
    by_label: dict[str, list[int]] = defaultdict(list)
    for place in free:
        target = samples[place].label
        assert not isinstance(target, Reason)
        by_label[str(int(np.argmax(target)))].append(place)
    dealt = deal(by_label, free, (1 - share, share, 0.0), seed)
    return [
        replace(sample, split=SELECTION) if dealt.get(place, DEALT[0]) != DEALT[0] else sample
        for place, sample in enumerate(samples)
    ]

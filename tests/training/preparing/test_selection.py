from collections import Counter
from collections.abc import Sequence

import numpy as np
from emostream.exceptions import InvalidImageError
from emostream.training.preparing.sample import Reason, Sample, one_hot
from emostream.training.preparing.selection import with_selection
from PIL import Image


def picture(number: int) -> Image.Image:
    """One of many that are no copies of each other."""
    rough = np.random.default_rng(number).integers(0, 256, (6, 6)).astype(np.uint8)
    return Image.fromarray(rough).resize((48, 48), Image.Resampling.BICUBIC)


def sample(
    number: int, split: str = "train", label: str | Reason = "anger", group: int | None = None
) -> Sample:
    target = one_hot(label) if isinstance(label, str) else label
    return Sample(f"{number}.png", split, target, lambda: picture(number), group)


def names(samples: Sequence[Sample], split: str) -> set[str]:
    return {sample.name for sample in samples if sample.split == split}


def test_a_share_of_each_label_is_kept_aside_and_other_splits_stay_as_they_are() -> None:
    samples = [sample(n, label="anger" if n < 20 else "fear") for n in range(40)]
    samples += [sample(100 + n, "valid") for n in range(5)]

    found = with_selection(samples, 0.2, seed=0)

    assert [each.name for each in found] == [each.name for each in samples]
    kept = names(found, "selection")
    assert Counter(int(name.split(".")[0]) < 20 for name in kept) == {True: 4, False: 4}
    assert names(found, "valid") == names(samples, "valid")
    assert len(names(found, "train")) == 32


def test_copies_and_groups_are_on_one_side() -> None:
    copies = [Sample(f"copy {n}", "train", one_hot("anger"), lambda n=n: picture(n)) for n in range(20)]
    person = [sample(50 + n, group=7) for n in range(6)]

    for seed in range(3):
        kept = names(with_selection([*map(sample, range(20)), *copies, *person], 0.3, seed), "selection")

        assert {n for n in range(20) if f"{n}.png" in kept} == {n for n in range(20) if f"copy {n}" in kept}
        assert len({f"{50 + n}.png" in kept for n in range(6)}) == 1


def test_what_has_a_copy_in_another_split_is_never_kept_aside() -> None:
    samples = [*map(sample, range(10))] + [sample(n, "valid") for n in range(5)]

    for seed in range(5):
        kept = names(with_selection(samples, 0.5, seed), "selection")

        assert kept
        assert kept <= {f"{n}.png" for n in range(5, 10)}


def test_what_cannot_be_used_stays_where_it_is() -> None:
    def broken() -> Image.Image:
        raise InvalidImageError("broken")

    left_out = [sample(n, label=Reason.NOT_A_FACE) for n in range(4)]
    unreadable = Sample("broken.png", "train", one_hot("fear"), broken)

    found = with_selection([*left_out, unreadable, *map(sample, range(10, 20))], 0.5, seed=0)

    assert {each.name for each in left_out} <= names(found, "train")

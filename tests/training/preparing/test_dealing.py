from collections import Counter

from emostream.training.preparing.dealing import deal


def test_each_label_is_dealt_out_in_the_same_shares() -> None:
    by_label = {"calm": range(100), "glad": range(100, 120)}

    splits = deal(by_label, {item: item for item in range(120)}, (0.5, 0.25, 0.25), seed=0)

    assert Counter(splits[item] for item in by_label["calm"]) == {"train": 50, "valid": 25, "test": 25}
    assert Counter(splits[item] for item in by_label["glad"]) == {"train": 10, "valid": 5, "test": 5}


def test_a_group_is_in_one_split_whatever_its_labels() -> None:
    by_label = {"calm": range(0, 60, 2), "glad": range(1, 60, 2)}
    group_of = {item: item // 3 for item in range(60)}

    splits = deal(by_label, group_of, (0.5, 0.5, 0.0), seed=1)

    assert all(
        len({splits[item] for item in group_of if group_of[item] == group}) == 1 for group in range(20)
    )
    assert set(splits.values()) == {"train", "valid"}


def test_another_seed_deals_otherwise_and_the_same_one_alike() -> None:
    by_label, group_of = {"calm": range(40)}, {item: item for item in range(40)}
    first, again, other = (deal(by_label, group_of, (0.5, 0.5, 0.0), seed) for seed in (0, 0, 1))

    assert first == again != other


def test_what_other_labels_have_decided_counts_where_it_was_dealt_to() -> None:
    """Of 200 images of "glad" half are in groups with one of "calm" each, which is dealt out first."""
    by_label = {"calm": range(100), "glad": range(100, 300)}
    group_of = {item: item if item < 100 else item - 100 for item in range(300)}

    splits = deal(by_label, group_of, (0.5, 0.25, 0.25), seed=0)

    assert Counter(splits[item] for item in by_label["glad"]) == {"train": 100, "valid": 50, "test": 50}

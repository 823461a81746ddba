import numpy as np
import pytest
from emostream.training.datasets import LABELS
from emostream.training.preparing.sample import Reason, Target, one_hot
from emostream.training.preparing.votes import VOTE_COLUMNS, judge

from tests.training.conftest import votes


def judged(row: list[int], split: str) -> Target | Reason:
    (found,) = judge(np.array([row], np.int64), split)
    return found


def test_training_has_the_shares_of_the_votes_and_evaluation_the_majority() -> None:
    rows = np.array([votes(happiness=6, neutral=4)])

    (soft,) = judge(rows, "train")
    assert isinstance(soft, np.ndarray)
    assert soft == pytest.approx(0.6 * one_hot("happiness") + 0.4 * one_hot("neutral"))
    for split in ("valid", "test"):
        assert np.array_equal(judge(rows, split)[0], one_hot("happiness"))


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (votes(not_a_face=10), Reason.NOT_A_FACE),
        (votes(contempt=8, neutral=2), Reason.OTHER_LABEL),
        (votes(unknown=8, neutral=2), Reason.NO_MAJORITY),
        (votes(), Reason.NO_MAJORITY),
    ],
)
@pytest.mark.parametrize("split", ["train", "valid"])
def test_a_row_without_a_label_says_why_and_leaves_the_others_their_own(
    row: list[int], reason: Reason, split: str
) -> None:
    before, found, after = judge(np.array([votes(anger=9), row, votes(fear=9)]), split)

    assert found is reason
    assert np.array_equal(before, one_hot("anger"))
    assert np.array_equal(after, one_hot("fear"))


def test_the_labels_are_those_of_the_votes_without_contempt() -> None:
    assert set(VOTE_COLUMNS[:8]) - set(LABELS) == {"contempt"}
    assert list(LABELS) == sorted(LABELS)


@pytest.mark.parametrize(
    ("row", "shares"),
    [
        (votes(happiness=6, neutral=4), {"happiness": 0.6, "neutral": 0.4}),
        (votes(fear=5, surprise=5), {"fear": 0.5, "surprise": 0.5}),
        (votes(happiness=8, anger=1, fear=1), {"happiness": 1.0}),  # single votes are slips
        (votes(happiness=1, anger=1), {"happiness": 0.5, "anger": 0.5}),  # unless all are single
        (votes(contempt=4, anger=6), {"anger": 1.0}),
    ],
)
def test_targets_for_training_are_the_shares_of_the_votes(row: list[int], shares: dict[str, float]) -> None:
    target = judged(row, "train")

    assert isinstance(target, np.ndarray)
    assert target.dtype == np.float32
    assert target == pytest.approx(sum(share * one_hot(label) for label, share in shares.items()))


@pytest.mark.parametrize(
    ("row", "is_kept"),
    [
        (votes(sadness=5, contempt=5), True),
        (votes(sadness=4, contempt=6), False),
        (votes(sadness=5, unknown=5), True),
        (votes(sadness=4, unknown=6), False),
        (votes(not_a_face=10), False),
        (votes(contempt=10), False),
        (votes(), False),
    ],
    ids=[
        "half contempt",
        "mostly contempt",
        "half unknown",
        "mostly unknown",
        "no face",
        "contempt",
        "no votes",
    ],
)
def test_images_are_kept_where_the_seven_labels_hold_half_of_the_votes(row: list[int], is_kept: bool) -> None:
    target = judged(row, "train")

    assert isinstance(target, Reason) != is_kept
    if is_kept:
        assert target.sum() == pytest.approx(1)


@pytest.mark.parametrize(
    ("row", "label"),
    [
        (votes(happiness=10), "happiness"),
        (votes(neutral=6, sadness=4), "neutral"),
        (votes(surprise=6, fear=1, anger=1, neutral=1, sadness=1), "surprise"),
        (votes(disgust=3, anger=2), "disgust"),
        (votes(fear=2, neutral=1, sadness=1, anger=1, disgust=1), "fear"),
    ],
)
def test_a_majority_of_the_votes_above_1_is_the_label(row: list[int], label: str) -> None:
    assert np.array_equal(judged(row, "valid"), one_hot(label))


@pytest.mark.parametrize(
    "row",
    [
        votes(happiness=5, neutral=5),
        votes(happiness=4, neutral=3, sadness=3),
        votes(happiness=5, unknown=5),
        votes(happiness=4, not_a_face=6),
        votes(happiness=1, anger=1),
        votes(contempt=10),
        votes(unknown=10),
        votes(),
    ],
    ids=["half", "a third", "half unknown", "no face", "single votes", "contempt", "unknown", "no votes"],
)
def test_images_without_a_majority_or_of_contempt_are_left_out(row: list[int]) -> None:
    assert isinstance(judged(row, "valid"), Reason)

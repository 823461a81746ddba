import numpy as np
import pytest
from emostream.training.datasets import LABELS
from emostream.training.preparing.sample import Reason, judge, one_hot

from tests.training.conftest import votes


def test_a_single_label_has_all_of_the_target() -> None:
    assert dict(zip(LABELS, one_hot("fear").tolist(), strict=True)) == {
        label: float(label == "fear") for label in LABELS
    }


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

"""What a fine-tune says of itself at its end."""

import pytest
from emostream.cli.finetune_report import is_worth_using, verdict
from emostream.training.finetune import FinetuneResult, Measured
from emostream.training.metrics import Interval
from emostream.training.paired import Paired

SIDE = Measured(Interval(0.96, 0.94, 0.98), 0.02)


def result(
    gained: int,
    lost: int,
    p_value: float,
    strength: float | None = 1.0,
    read_as: dict[str, str] | None = None,
) -> FinetuneResult:
    paired = Paired(gained, lost, p_value)
    return FinetuneResult(("calm", "tense"), 100, 600, SIDE, SIDE, paired, read_as or {}, strength, 1.0)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (result(30, 5, 0.001), "It helped"),
        (result(5, 30, 0.001), "It did harm"),
        (result(10, 4, 0.2), "Whether it helped cannot be told"),
        (result(9, 15, 0.3), "It did not help"),  # 96.7 % before, 95.7 % after
        (result(0, 0, 1.0), "It did not help"),
        (result(0, 0, 1.0, strength=None), "It did not help"),
    ],
)
def test_it_says_plainly_whether_it_helped(found: FinetuneResult, words: str) -> None:
    assert words in verdict(found)


@pytest.mark.parametrize(
    ("found", "is_worth"),
    [
        (result(30, 5, 0.001), True),
        (result(9, 15, 0.3), False),
        (result(10, 4, 0.2), False),
        (result(10, 4, 0.2, read_as={"neutral": "calm"}), True),
        (result(5, 30, 0.001, read_as={"neutral": "calm"}), False),
    ],
)
def test_only_what_helped_is_recommended_or_knows_labels_that_nothing_else_does(
    found: FinetuneResult, is_worth: bool
) -> None:
    assert is_worth_using(found) is is_worth

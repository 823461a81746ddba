from emostream.training.datasets import LABELS
from emostream.training.preparing.sample import one_hot


def test_a_single_label_has_all_of_the_target() -> None:
    assert dict(zip(LABELS, one_hot("fear").tolist(), strict=True)) == {
        label: float(label == "fear") for label in LABELS
    }

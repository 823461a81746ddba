"""DAN against the numbers of its authors' implementation (tests/data/README.md)."""

import numpy as np
import pytest
import torch
from emostream.models.factory import create_model

from tests.models.reference import reference

#: Of the largest logit: what float32 may lose.
RELATIVE_ERROR = 1e-4


def test_every_tensor_of_a_checkpoint_has_its_place_and_there_is_no_other() -> None:
    own = {key: tuple(value.shape) for key, value in create_model("dan", 8).state_dict().items()}

    assert own == reference("dan_8").shapes()


def test_logits_are_the_authors() -> None:
    model = create_model("dan", 8).eval()
    model.load_state_dict(reference("dan_8").state())

    with torch.inference_mode():
        logits = model(reference("dan_8").input().float()).numpy()

    np.testing.assert_allclose(logits, reference("dan_8").logits, rtol=RELATIVE_ERROR)


def test_the_heads_see_each_other() -> None:
    """What one head attends to counts less in the others: with one head alone the answer is another."""
    model = create_model("dan", 8).eval()
    model.load_state_dict(reference("dan_8").state())
    before = model(reference("dan_8").input().float())

    model.get_submodule("cat_head3").ca.attention[3].bias.data += 1.0

    assert not torch.allclose(before, model(reference("dan_8").input().float()), atol=1e-3)


@pytest.mark.parametrize("classes", [7, 8])
def test_there_is_one_logit_a_class(classes: int) -> None:
    assert create_model("dan", classes).eval()(torch.zeros(2, 3, 224, 224)).shape == (2, classes)

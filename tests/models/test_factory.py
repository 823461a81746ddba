import pytest
import torch
from emostream.exceptions import UnknownModelError
from emostream.models.factory import ARCHITECTURES, create_model, input_size, last_layer_keys


@pytest.mark.parametrize("name", ARCHITECTURES)
@pytest.mark.parametrize("classes", [6, 7, 8])
@torch.no_grad()
def test_every_network_takes_its_input_size_and_answers_one_logit_a_class(name: str, classes: int) -> None:
    size = input_size(name)

    logits = create_model(name, classes).eval()(torch.zeros(1, 3, size, size))

    assert logits.shape == (1, classes)
    assert logits.dtype is torch.float32


def test_a_new_network_is_in_training_mode() -> None:
    assert create_model("se_resnet", 7).training


def test_published_networks_take_224_pixels_and_compact_ones_48() -> None:
    assert input_size("poster_v2") == 224
    assert input_size("poster_v2_compact") == input_size("se_resnet") == input_size("mobilenet") == 48


@pytest.mark.parametrize(
    "ask", [lambda: create_model("resnet", 7), lambda: input_size("resnet")], ids=["create", "size"]
)
def test_an_unknown_name_is_answered_with_those_there_are(ask) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(UnknownModelError, match="there is no model 'resnet'") as caught:
        ask()

    assert caught.value.known == ARCHITECTURES
    assert "poster_v2, " in str(caught.value)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_last_layers_names_are_all_that_depends_on_the_labels(architecture: str) -> None:
    names = last_layer_keys(architecture)

    seven, nine = (create_model(architecture, labels).state_dict() for labels in (7, 9))
    assert names
    assert {key for key, value in seven.items() if value.shape != nine[key].shape} == names
    assert len(names) < len(seven) / 2

from pathlib import Path

import pytest
from emostream.exceptions import EmostreamError
from emostream.training.augmentation import AugmentationSpec
from emostream.training.config import read_config

RECIPES = Path(__file__).resolve().parents[2] / "server/training/recipes"
SOUND = "architecture: se_resnet\ntrain: faces\nvalidation: faces/test\n"


def read(folder: Path, content: str):  # type: ignore[no-untyped-def]
    file = folder / "recipe.yaml"
    file.write_text(content)
    return read_config(file)


def refusal(folder: Path, content: str) -> str:
    with pytest.raises(EmostreamError) as caught:
        read(folder, content)
    assert str(folder / "recipe.yaml") in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("recipe", sorted(RECIPES.glob("*.yaml")), ids=lambda recipe: recipe.stem)
def test_every_recipe_of_the_repository_is_valid(recipe: Path) -> None:
    assert read_config(recipe).architecture in recipe.read_text()


def test_architecture_and_data_are_enough(tmp_path: Path) -> None:
    config = read(tmp_path, SOUND)

    assert (config.train, config.validation) == (Path("faces"), Path("faces/test"))
    assert config.augmentation_spec == AugmentationSpec()


def test_single_changes_may_be_given(tmp_path: Path) -> None:
    config = read(tmp_path, SOUND + "augmentation: { flip: 0, noise: 0.5 }\n")

    assert config.augmentation_spec == AugmentationSpec(flip=0, noise=0.5)


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("learningrate: 1", "learningrate"),
        ("epochs: 0", "epochs"),
        ("epochs: many", "epochs"),
        ("batch_size: 1", "batch_size"),
        ("learning_rate: 0", "learning_rate"),
        ("ema_decay: 1", "ema_decay"),
        ("mixup_probability: 1.5", "mixup_probability"),
        ("augmentation: { wobble: 1 }", "wobble"),
    ],
)
def test_a_field_that_is_unknown_or_out_of_range_is_named(tmp_path: Path, line: str, named: str) -> None:
    assert named in refusal(tmp_path, SOUND + line + "\n")


def test_an_unknown_architecture_is_answered_with_those_there_are(tmp_path: Path) -> None:
    message = refusal(tmp_path, SOUND.replace("se_resnet", "resnet"))

    assert "no such architecture; known are: poster_v2, " in message


@pytest.mark.parametrize(
    "content", ["", "- a\n- b\n", "a: [", "just words"], ids=["empty", "list", "broken", "words"]
)
def test_what_is_no_recipe_is_named(tmp_path: Path, content: str) -> None:
    refusal(tmp_path, content)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(EmostreamError, match=r"nothing\.yaml"):
        read_config(tmp_path / "nothing.yaml")

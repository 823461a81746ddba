from pathlib import Path

import pytest
import yaml
from emostream.exceptions import EmostreamError
from emostream.training.augmentation import AugmentationSpec
from emostream.training.config import find_recipe, read_config

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
    train, written = read_config(recipe).train, yaml.safe_load(recipe.read_text())["train"]

    listed = written if isinstance(written, list) else [written]
    assert ([train] if isinstance(train, Path) else list(train)) == [Path(path) for path in listed]


def test_architecture_and_data_are_enough(tmp_path: Path) -> None:
    config = read(tmp_path, SOUND)

    assert (config.train, config.validation) == ((Path("faces"),), Path("faces/test"))
    assert config.augmentation_spec == AugmentationSpec()


def test_single_changes_may_be_given(tmp_path: Path) -> None:
    config = read(tmp_path, SOUND + "augmentation: { flip: 0, noise: 0.5 }\n")

    assert config.augmentation_spec == AugmentationSpec(flip=0, noise=0.5)


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("learningrate: 1", "there is no learningrate (did you mean learning_rate?)"),
        ("epochs: 0", "epochs: Input should be greater than or equal to 1 (it is 0)"),
        ("epochs: many", "epochs: Input should be a valid integer"),
        ("batch_size: 1", "batch_size"),
        ("learning_rate: 0", "learning_rate"),
        ("ema_decay: 1", "ema_decay"),
        ("mixup_probability: 1.5", "mixup_probability"),
        ("augmentation: { wobble: 1 }", "no such augmentation: wobble"),
        ("augmentation: { nois: 1 }", "no such augmentation: nois (did you mean noise?)"),
    ],
)
def test_a_field_that_is_unknown_or_out_of_range_is_named(tmp_path: Path, line: str, named: str) -> None:
    message = refusal(tmp_path, SOUND + line + "\n")

    assert named in message
    assert "\n" not in message
    assert "pydantic" not in message


def test_an_unknown_architecture_is_answered_with_those_there_are(tmp_path: Path) -> None:
    message = refusal(tmp_path, SOUND.replace("se_resnet", "seresnet"))

    assert "no such architecture (did you mean se_resnet?); known are: poster_v2, " in message


@pytest.mark.parametrize(
    "content", ["", "- a\n- b\n", "a: [", "just words"], ids=["empty", "list", "broken", "words"]
)
def test_what_is_no_recipe_is_named(tmp_path: Path, content: str) -> None:
    refusal(tmp_path, content)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(EmostreamError, match=r"nothing\.yaml"):
        read_config(tmp_path / "nothing.yaml")


def test_what_is_missing_is_said_with_what_it_is(tmp_path: Path) -> None:
    message = refusal(tmp_path, "kind: finetune\nvalidation: faces\n")

    assert message.endswith("train is missing: prepared folder, or a split of one")


def test_what_is_given_counts_more_than_the_file(tmp_path: Path) -> None:
    config = read_config(RECIPES / "finetune.yaml", train=tmp_path, validation=None)

    assert (config.train, config.validation) == (tmp_path, Path("data/mine"))


def test_recipes_are_found_by_name_from_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    assert find_recipe("finetune") == RECIPES / "finetune.yaml"
    with pytest.raises(
        EmostreamError, match=r"no recipe fintune \(did you mean finetune\?\); shipped recipes: compact, "
    ):
        find_recipe("fintune")
    with pytest.raises(EmostreamError, match=r"no file mine\.yaml; shipped recipes"):
        find_recipe("mine.yaml")

"""From settings to the ensemble that answers."""

from pathlib import Path

import pytest
import torch
from emostream.choices import Policy
from emostream.exceptions import CheckpointError, ModelError, UnknownModelError, WeightsError
from emostream.loading import chosen_ensemble, find_model, load_recognizer
from emostream.models.factory import create_model
from emostream.models.normalisation import NormalisationSpec
from emostream.models.weight_file import WeightDescription, write_weights
from emostream.models.weights import WeightsStore
from emostream.settings import Settings

COMPACT = "compact-mobilenet-a,compact-mobilenet-b"


def test_the_default_is_the_shipped_ensemble(tmp_path: Path) -> None:
    chosen = chosen_ensemble(Settings(weights_dir=tmp_path))

    assert chosen.name == "default"
    assert len(chosen.members) == 2
    assert chosen.policy is Policy.MEAN


def test_what_is_in_use_answers_where_nobody_names_a_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = WeightsStore(tmp_path)
    store.use("from-scratch-a")

    assert chosen_ensemble(Settings(weights_dir=tmp_path)).name == "from-scratch-a"
    assert chosen_ensemble(Settings(weights_dir=tmp_path, model="from-faces")).name == "from-faces"
    monkeypatch.setenv("EMOSTREAM_MODEL", "default")
    assert chosen_ensemble(Settings(weights_dir=tmp_path)).name == "default"


def test_what_is_in_use_and_gone_is_named_with_the_way_back(tmp_path: Path) -> None:
    (tmp_path / "in-use.toml").write_text('model = "gone"')

    with pytest.raises(
        ModelError, match=r"gone, which .* is not there any more: run `emostream weights use d"
    ):
        chosen_ensemble(Settings(weights_dir=tmp_path))


def test_models_named_with_commas_answer_together(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("EMOSTREAM_MODEL", COMPACT)
    monkeypatch.setenv("EMOSTREAM_MEMBER_WEIGHTS", "3, 1")

    chosen = chosen_ensemble(Settings(weights_dir=tmp_path))

    assert [member.name for member in chosen.members] == COMPACT.split(",")
    assert (chosen.policy, chosen.weights) == (Policy.WEIGHTED, (0.75, 0.25))


@pytest.mark.parametrize("variable", ["MODEL_FILE", "EMOSTREAM_MODEL_FILE"])
def test_a_file_of_ones_own_answers_with_its_labels(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, cache_dir: Path, variable: str
) -> None:
    torch.save(create_model("se_resnet", 3).state_dict(), tmp_path / "mine.pth")
    monkeypatch.setenv(variable, str(tmp_path / "mine.pth"))
    monkeypatch.setenv("EMOSTREAM_ARCH", "se_resnet")
    monkeypatch.setenv("EMOSTREAM_LABELS", "calm, tense,bored")
    monkeypatch.setenv("EMOSTREAM_MEAN", "0.5,0.5,0.5")

    settings = Settings(weights_dir=tmp_path, cache_dir=cache_dir, max_batch=1)
    recognizer = load_recognizer(settings)

    assert recognizer.name == "mine"
    assert recognizer.labels == ("calm", "tense", "bored")
    assert chosen_ensemble(settings).members[0].normalisation.mean == (0.5, 0.5, 0.5)


def test_a_file_without_labels_asks_for_them(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="EMOSTREAM_LABELS"):
        chosen_ensemble(Settings(model_file=tmp_path / "mine.pth"))


def test_a_mean_of_two_numbers_is_an_error_that_names_it(tmp_path: Path) -> None:
    settings = Settings(model_file=tmp_path / "mine.pth", labels="a,b", mean="0.5,0.5")

    with pytest.raises(ModelError, match=r"normalisation\.mean"):
        chosen_ensemble(settings)


def test_an_unknown_model_is_an_error_that_lists_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(UnknownModelError, match="compact-mobilenet-a"):
        chosen_ensemble(Settings(model="nonesuch", weights_dir=tmp_path))


def test_weights_that_are_not_here_are_an_error_that_names_the_command(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="emostream weights pull"):
        load_recognizer(Settings(model="poster-v2-occlusion", weights_dir=tmp_path))


def test_a_file_that_says_what_it_holds_needs_no_settings(tmp_path: Path, cache_dir: Path) -> None:
    normalisation = NormalisationSpec(grayscale=True, per_image=True)
    description = WeightDescription("se_resnet", ("calm", "tense"), normalisation, temperature=0.5)
    file = tmp_path / "trained.safetensors"
    write_weights(file, create_model("se_resnet", 2).state_dict(), description)

    settings = Settings(model_file=file, weights_dir=tmp_path, cache_dir=cache_dir, max_batch=1)
    recognizer = load_recognizer(settings)

    assert recognizer.labels == ("calm", "tense")
    assert chosen_ensemble(settings).members[0].normalisation_spec == normalisation


def test_labels_of_a_file_that_describes_itself_may_be_renamed_and_are_counted(tmp_path: Path) -> None:
    """Everything else is as the file says."""
    normalisation = NormalisationSpec(grayscale=True, per_image=True)
    file = tmp_path / "trained.safetensors"
    description = WeightDescription("se_resnet", ("calm", "tense"), normalisation)
    write_weights(file, create_model("se_resnet", 2).state_dict(), description)

    chosen = chosen_ensemble(Settings(model_file=file, labels="quiet,loud"))
    assert chosen.labels == ("quiet", "loud")
    assert chosen.members[0].architecture == "se_resnet"
    assert chosen.members[0].normalisation_spec == normalisation
    with pytest.raises(CheckpointError, match="2 outputs, and 3 labels"):
        load_recognizer(Settings(model_file=file, labels="a,b,c", weights_dir=tmp_path))


def test_labels_that_are_given_count_more_than_what_a_file_says(tmp_path: Path) -> None:
    description = WeightDescription("se_resnet", ("calm", "tense"), NormalisationSpec())
    file = tmp_path / "trained.safetensors"
    write_weights(file, create_model("se_resnet", 2).state_dict(), description)

    chosen = chosen_ensemble(Settings(model_file=file, arch="se_resnet", labels="quiet,loud"))

    assert chosen.labels == ("quiet", "loud")


@pytest.fixture
def run_folder(tmp_path: Path) -> Path:
    """A run that has ended."""
    folder = tmp_path / "monday"
    folder.mkdir()
    description = WeightDescription("se_resnet", ("calm", "tense"), NormalisationSpec(grayscale=True))
    write_weights(folder / "model.safetensors", create_model("se_resnet", 2).state_dict(), description)
    return folder


def test_a_run_is_named_by_its_folder_or_its_weights(run_folder: Path, tmp_path: Path) -> None:
    for model in (run_folder, run_folder / "model.safetensors"):
        entry, file = find_model(str(model), Settings(weights_dir=tmp_path))
        assert (entry.name, entry.labels) == ("monday", ("calm", "tense"))
        assert entry.members[0].normalisation_spec == NormalisationSpec(grayscale=True)
        assert file == run_folder / "model.safetensors"


def test_a_server_and_commands_that_are_given_no_model_take_the_run_that_the_environment_names(
    run_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMOSTREAM_MODEL", str(run_folder))

    assert chosen_ensemble(Settings(weights_dir=tmp_path)).name == "monday"


def test_other_names_are_those_of_the_catalogue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that happens to have one of them hides nothing, nor does MODEL_FILE."""
    (tmp_path / "default").mkdir()
    monkeypatch.chdir(tmp_path)
    settings = Settings(weights_dir=tmp_path, model_file=tmp_path / "mine.pth", policy=Policy.RANDOM)

    entry, file = find_model("default", settings)

    assert (len(entry.members), entry.policy, file) == (2, Policy.RANDOM, None)
    with pytest.raises(UnknownModelError):
        find_model("nobody", settings)


@pytest.mark.parametrize("name", ["unfinished", "absent.safetensors", "silent.pth"])
def test_weights_that_say_nothing_are_an_error_that_says_what_to_do(tmp_path: Path, name: str) -> None:
    (tmp_path / "unfinished").mkdir()
    torch.save(create_model("se_resnet", 2).state_dict(), tmp_path / "silent.pth")

    with pytest.raises(CheckpointError, match="weights import"):
        find_model(str(tmp_path / name), Settings(weights_dir=tmp_path))

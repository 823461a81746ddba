"""The folder of downloaded and imported weights."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from emostream.exceptions import CheckpointError, ModelError, UnknownModelError, WeightsError
from emostream.inference.ensemble import load_ensemble
from emostream.models.catalogue import ModelEntry, parse_model
from emostream.models.checkpoint import load_checkpoint
from emostream.models.factory import create_model
from emostream.models.normalisation import NormalisationSpec
from emostream.models.weight_file import WeightDescription, read_description, write_weights
from emostream.models.weights import Import, State, WeightsStore
from safetensors.torch import save_file

from tests.models.file_server import FileServer, serving
from tests.support import ROOT

LABELS = ("sad", "glad")


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sound weights of a network with two outputs, as a training script would save them."""
    path = tmp_path_factory.mktemp("weights") / "mine.pth"
    torch.save({"state_dict": create_model("se_resnet", 2).state_dict(), "epoch": 3}, path)
    return path


@pytest.fixture
def store(tmp_path: Path) -> WeightsStore:
    return WeightsStore(tmp_path / "store")


def entry(**source: object) -> ModelEntry:
    return parse_model("remote", {"architecture": "se_resnet", "labels": LABELS, **source}, "a test")


@pytest.mark.parametrize("ensemble", ["default", "from-scratch", "from-faces"])
def test_the_shipped_weights_are_here_without_any_set_up(store: WeightsStore, ensemble: str) -> None:
    for member in store.catalogue().members(ensemble):
        assert store.expected_sha256(member) is not None
        assert store.state(member, check_hash=True) is State.READY
        assert store.require(member).is_file()


def test_every_shipped_file_belongs_to_a_model_that_it_describes(store: WeightsStore) -> None:
    shipped = [model for model in store.catalogue().models.values() if model.shipped]
    paths = {store.path(model): model for model in shipped}

    assert set(paths) == set((ROOT / "server" / "weights").glob("*.safetensors"))
    for path, model in paths.items():
        description = read_description(path)
        assert description is not None
        assert (description.architecture, description.labels) == (model.architecture, model.labels)
        assert description.normalisation == model.normalisation_spec


def test_absent_weights_are_an_error_that_names_the_command(store: WeightsStore) -> None:
    with pytest.raises(WeightsError, match="emostream weights pull poster-v2-raf-db"):
        store.require(store.catalogue().model("poster-v2-raf-db"))


def test_a_first_download_pins_the_hash_and_later_ones_are_held_to_it(
    store: WeightsStore, checkpoint: Path
) -> None:
    content = checkpoint.read_bytes()
    with serving(FileServer({"/w": content})) as server:
        remote = entry(url=f"{server.url}/w")
        assert store.expected_sha256(remote) is None

        path = store.pull(remote)
        assert store.expected_sha256(remote) == hashlib.sha256(content).hexdigest()
        assert store.state(remote, check_hash=True) is State.READY

        path.unlink()
        server.files["/w"] = content + b" "
        with pytest.raises(WeightsError, match="not the expected one"):
            store.pull(remote)


def test_safetensors_are_known_whatever_name_they_are_downloaded_under(
    store: WeightsStore, tmp_path: Path
) -> None:
    file = tmp_path / "theirs.safetensors"
    state = create_model("se_resnet", 2).state_dict()
    save_file(state, file)

    with serving(FileServer({"/w": file.read_bytes()})) as server:
        remote = entry(url=f"{server.url}/w")
        path = store.pull(remote)

    model = create_model("se_resnet", 2)
    load_checkpoint(model, path)
    assert all(torch.equal(value, state[key]) for key, value in model.state_dict().items())


def test_weights_that_are_here_are_not_downloaded_again(store: WeightsStore, checkpoint: Path) -> None:
    with serving(FileServer({"/w": checkpoint.read_bytes()})) as server:
        remote = entry(url=f"{server.url}/w")
        store.pull(remote)
        requests = len(server.ranges)

        store.pull(remote)

    assert len(server.ranges) == requests


def test_a_download_that_does_not_fit_the_network_is_not_kept(store: WeightsStore, checkpoint: Path) -> None:
    with serving(FileServer({"/w": checkpoint.read_bytes()})) as server:
        remote = entry(url=f"{server.url}/w", labels=("one", "two", "three"))
        with pytest.raises(CheckpointError, match="has 2 outputs, and 3 labels are given"):
            store.pull(remote)

    assert store.state(remote) is State.ABSENT
    assert store.expected_sha256(remote) is None


def test_a_file_that_changed_since_it_was_pinned_is_found(store: WeightsStore, checkpoint: Path) -> None:
    with serving(FileServer({"/w": checkpoint.read_bytes()})) as server:
        remote = entry(url=f"{server.url}/w")
        with store.pull(remote).open("ab") as file:
            file.write(b"!")

    assert store.state(remote, check_hash=True) is State.CHANGED


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_an_imported_file_is_usable_by_name(
    store: WeightsStore, checkpoint: Path, tmp_path: Path, suffix: str
) -> None:
    file = tmp_path / f"mine{suffix}"
    if suffix == ".pth":
        file.write_bytes(checkpoint.read_bytes())
    else:
        save_file(create_model("se_resnet", 2).state_dict(), file)

    store.add(Import("mine", file, "se_resnet", LABELS, mean=(0.5, 0.5, 0.5)))
    file.unlink()

    found = WeightsStore(store.folder).catalogue().model("mine")
    assert found.labels == LABELS
    assert found.normalisation_spec.mean == (0.5, 0.5, 0.5)
    assert store.require(found).is_file()


def test_importing_a_second_file_keeps_the_first(store: WeightsStore, checkpoint: Path) -> None:
    store.add(Import("one", checkpoint, "se_resnet", LABELS))
    store.add(Import("two", checkpoint, "se_resnet", LABELS))

    assert {"one", "two"} <= set(store.catalogue().models)


def test_a_file_of_another_network_is_not_imported(store: WeightsStore, checkpoint: Path) -> None:
    with pytest.raises(CheckpointError, match="missing: features"):
        store.add(Import("mine", checkpoint, "dan", LABELS))

    assert "mine" not in store.catalogue().models


@pytest.mark.parametrize("name", ["", "one,two", "../outside", "a\\b"])
def test_an_import_needs_a_name_that_it_can_be_called_by(
    store: WeightsStore, checkpoint: Path, name: str
) -> None:
    with pytest.raises(ModelError, match="choose one with --name"):
        store.add(Import(name, checkpoint, "se_resnet", LABELS))

    assert not store.folder.exists()


@pytest.mark.parametrize(
    ("changed", "problem"),
    [({"labels": ("sad", "sad")}, "a label appears twice"), ({"std": (0.5, 0.0, 0.5)}, "greater than 0")],
    ids=["labels", "deviation"],
)
def test_an_import_that_is_described_wrongly_leaves_nothing_behind(
    store: WeightsStore, checkpoint: Path, changed: dict[str, tuple[object, ...]], problem: str
) -> None:
    """A catalogue with it would stop every later command."""
    with pytest.raises(ModelError, match=problem):
        store.add(replace(Import("mine", checkpoint, "se_resnet", LABELS), **changed))

    assert "mine" not in store.catalogue().models
    assert not store.folder.exists()


def test_an_import_cannot_take_a_built_in_name(store: WeightsStore, checkpoint: Path) -> None:
    with pytest.raises(ModelError, match="built-in"):
        store.add(Import("compact-mobilenet-a", checkpoint, "se_resnet", LABELS))


@pytest.mark.parametrize("architecture", ["resnet152", ""])
def test_an_unknown_architecture_is_refused(store: WeightsStore, checkpoint: Path, architecture: str) -> None:
    with pytest.raises(ModelError, match=f"no architecture '{architecture}'; known are"):
        store.add(Import("mine", checkpoint, architecture, LABELS))


def test_a_temperature_is_kept_for_its_name_and_no_other(store: WeightsStore) -> None:
    store.set_temperature("default", 0.75)
    store.set_temperature("compact-mobilenet-a", 1.5)

    again = WeightsStore(store.folder)
    assert again.find("default").temperature == 0.75
    assert again.find("compact-mobilenet-a").temperature == 1.5
    assert again.find("compact-mobilenet-b").temperature == 1.0


def test_a_temperature_can_be_taken_back_once(store: WeightsStore) -> None:
    store.set_temperature("default", 0.75)
    store.set_temperature("default", 3.0)

    store.restore_temperature("default")

    assert store.find("default").temperature == 0.75
    with pytest.raises(ModelError, match="default has no temperature that a calibration replaced"):
        store.restore_temperature("default")


@pytest.fixture
def trained(tmp_path: Path) -> Path:
    """What ``emostream train`` writes."""
    file = tmp_path / "run" / "model.safetensors"
    file.parent.mkdir()
    normalisation = NormalisationSpec(grayscale=True, per_image=True)
    description = WeightDescription("se_resnet", LABELS, normalisation, temperature=0.5, mirrored=True)
    write_weights(file, create_model("se_resnet", 2).state_dict(), description)
    return file


def test_an_import_of_a_trained_file_keeps_what_it_says_of_itself(store: WeightsStore, trained: Path) -> None:
    found = store.add(Import("mine", trained))

    assert (found.architecture, found.labels, found.mirrored) == ("se_resnet", LABELS, True)
    assert found.normalisation_spec == NormalisationSpec(grayscale=True, per_image=True)
    (member,) = load_ensemble(store.find("mine"), store).module
    assert (member.temperature, member.mirrored) == (0.5, True)


def test_what_is_said_of_an_import_counts_more_than_what_it_says(store: WeightsStore, trained: Path) -> None:
    found = store.add(Import("mine", trained, labels=("low", "high"), mean=(0.5, 0.5, 0.5)))

    assert found.labels == ("low", "high")
    assert found.normalisation_spec == NormalisationSpec(grayscale=True, per_image=True, mean=(0.5, 0.5, 0.5))


def test_labels_that_are_too_many_are_counted(store: WeightsStore, trained: Path) -> None:
    with pytest.raises(CheckpointError, match=r"has 2 outputs, and 3 labels are given for them"):
        store.add(Import("mine", trained, labels=("a", "b", "c")))


def test_an_import_that_says_nothing_needs_labels(store: WeightsStore, checkpoint: Path) -> None:
    with pytest.raises(ModelError, match="name their labels in order, such as --labels anger,"):
        store.add(Import("mine", checkpoint))


def test_an_import_of_a_known_network_under_another_ones_name_is_told_which_it_is(
    store: WeightsStore, checkpoint: Path
) -> None:
    with pytest.raises(CheckpointError, match="tensors are those of the architecture se_resnet"):
        store.add(Import("mine", checkpoint, "mobilenet", LABELS))


def test_a_temperature_of_weights_that_had_the_name_before_is_forgotten(
    store: WeightsStore, trained: Path
) -> None:
    store.add(Import("mine", trained))
    store.set_temperature("mine", 3.0)

    store.add(Import("mine", trained))

    assert store.find("mine").temperature == 1.0
    with pytest.raises(ModelError):
        store.restore_temperature("mine")


def test_what_is_in_use_is_chosen_by_name_and_back(store: WeightsStore, trained: Path) -> None:
    assert store.in_use() == "default"
    store.add(Import("mine", trained))

    assert store.use("mine").labels == LABELS
    assert WeightsStore(store.folder).in_use() == "mine"

    store.use("default")
    assert WeightsStore(store.folder).in_use() == "default"


def test_what_cannot_be_loaded_is_not_put_in_use(store: WeightsStore, trained: Path) -> None:
    store.add(Import("mine", trained))
    store.require(store.catalogue().model("mine")).write_bytes(b"broken")

    with pytest.raises(CheckpointError):
        store.use("mine")
    with pytest.raises(UnknownModelError, match=r"no model 'mien' \(did you mean mine\?\)"):
        store.use("mien")
    with pytest.raises(WeightsError, match="weights pull"):
        store.use("poster-v2-raf-db")
    assert store.in_use() == "default"

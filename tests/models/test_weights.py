"""The folder of downloaded and imported weights."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from emostream.exceptions import CheckpointError, ModelError, WeightsError
from emostream.models.catalogue import ModelEntry, parse_model
from emostream.models.checkpoint import load_checkpoint
from emostream.models.factory import create_model
from emostream.models.weight_file import read_description
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


@pytest.mark.parametrize("ensemble", ["default", "from-faces"])
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
        with pytest.raises(CheckpointError, match="misshapen: head"):
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

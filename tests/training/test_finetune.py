"""Fine-tunes on a few made pictures, from a network that comes with the package."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from emostream.exceptions import DatasetError, ModelError
from emostream.loading import describe_file
from emostream.models.weight_file import read_description
from emostream.models.weights import WeightsStore
from emostream.settings import Settings
from emostream.training.config import FinetuneConfig
from emostream.training.datasets import LABELS, read_split
from emostream.training.finetune import FineTune, FinetuneResult
from emostream.training.own_faces import prepare_own_faces
from emostream.training.starting_point import StartingPoint
from rich.progress import Progress

from tests.training.conftest import write_prepared
from tests.training.own_faces import write_own_faces

CPU = torch.device("cpu")
SILENT = Progress(disable=True)
START = "from-scratch-a"


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(weights_dir=tmp_path_factory.mktemp("weights"))


def config(data: Path, **changes: object) -> FinetuneConfig:
    given = {"kind": "finetune", "train": data, "validation": data, "start_from": START, "views": 1}
    return FinetuneConfig.model_validate(given | changes)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, settings: Settings) -> Path:
    """Twenty pictures a class, prepared: 28 to learn from, 12 held out."""
    folder = tmp_path_factory.mktemp("own")
    source = write_own_faces(folder / "faces", 20)
    return prepare_own_faces(source, folder / "data", False, START, settings, SILENT)


@pytest.fixture(scope="module")
def finished(
    tmp_path_factory: pytest.TempPathFactory, settings: Settings, data: Path
) -> tuple[FinetuneResult, Path]:
    folder = tmp_path_factory.mktemp("runs") / "mine"
    return FineTune(config(data), folder, CPU, settings).run(SILENT), folder


@pytest.mark.slow
def test_twenty_pictures_a_class_are_enough_where_they_differ(
    finished: tuple[FinetuneResult, Path], data: Path
) -> None:
    result, _ = finished

    assert (result.labels, result.learned_from, result.images) == (("bored", "focused"), 28, 12)
    assert result.after.accuracy.value >= 0.9
    assert result.after.accuracy.low < result.after.accuracy.value
    assert set(result.read_as) == set(LABELS)
    truth = read_split(data, "evaluation").targets.argmax(1)
    assert np.bincount(truth).tolist() == [6, 6]


def test_the_weights_serve_as_they_were_measured(
    finished: tuple[FinetuneResult, Path], settings: Settings, data: Path
) -> None:
    """By a network with the new labels, of which everything but the last layer is what it started from."""
    result, folder = finished
    file = folder / "model.safetensors"

    described = describe_file(file)
    assert described is not None
    assert described.labels == ("bored", "focused")
    held_out = read_split(data, "evaluation")
    start = StartingPoint(str(folder), settings, CPU)
    pixels = torch.from_numpy(held_out.images).unsqueeze(1).float()
    answers = start.answers(start.features(pixels))
    right = (answers.argmax(1) == held_out.targets.argmax(1)).mean()
    assert right == pytest.approx(result.after.accuracy.value)
    before = StartingPoint(START, settings, CPU)
    np.testing.assert_allclose(start.features(pixels), before.features(pixels), atol=1e-4)
    facts = json.loads((folder / "finetune.json").read_text())
    assert facts["start_from"] == START
    assert facts["after"]["accuracy"]["value"] == result.after.accuracy.value


def test_what_cannot_be_told_apart_is_said_not_to_have_been_helped(
    tmp_path: Path, settings: Settings
) -> None:
    """The same pictures under both names: no fit does better than chance."""
    generator = np.random.default_rng(0)
    data = write_prepared(
        tmp_path / "noise",
        labels=("a", "b"),
        train=np.eye(2)[np.arange(40) % 2],
        valid=np.eye(2)[np.arange(30) % 2],
    )
    for split, count in (("train", 40), ("valid", 30)):
        images = generator.integers(0, 255, (count, 48, 48)).astype(np.uint8)
        np.savez(
            data / f"{split}.npz", images=images, targets=np.eye(2, dtype=np.float32)[np.arange(count) % 2]
        )

    result = FineTune(config(data), tmp_path / "run", CPU, settings).run(SILENT)

    assert result.paired.verdict != "better"
    assert result.strength is None or result.strength >= 1.0


def test_labels_that_the_network_knows_start_from_its_own_answers(tmp_path: Path, settings: Settings) -> None:
    """Images that it is right about already teach it nothing, and no change is made."""
    known = StartingPoint(START, settings, CPU)
    generator = np.random.default_rng(1)
    images = generator.integers(0, 255, (60, 12, 12)).astype(np.uint8).repeat(4, 1).repeat(4, 2)
    answers = known.answers(known.features(torch.from_numpy(images).unsqueeze(1).float()))
    targets = np.eye(7, dtype=np.float32)[answers.argmax(1)]
    data = write_prepared(tmp_path / "data", train=targets[:40], valid=targets[40:])
    np.savez(data / "train.npz", images=images[:40], targets=answers[:40])
    np.savez(data / "valid.npz", images=images[40:], targets=targets[40:])

    result = FineTune(config(data), tmp_path / "run", CPU, settings).run(SILENT)

    assert result.before.accuracy.value == 1.0
    assert result.paired.lost <= 1
    assert result.read_as == {}


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ((3, 12), "too few training images: a 3; at least 10 of each class"),
        ((15, 0), "too few training images: b 0"),
        ((1, 1), "too few training images: a 1, b 1"),
    ],
)
def test_fewer_than_are_needed_is_an_error_that_counts_them(
    tmp_path: Path, settings: Settings, counts: tuple[int, int], words: str
) -> None:
    truth = [0] * counts[0] + [1] * counts[1]
    data = write_prepared(tmp_path / "few", labels=("a", "b"), train=np.eye(2)[truth], valid=np.eye(2))

    with pytest.raises(DatasetError, match=words):
        FineTune(config(data), tmp_path / "run", CPU, settings)
    assert not (tmp_path / "run").exists()


def test_of_labels_that_are_known_there_need_not_be_some_of_each(tmp_path: Path, settings: Settings) -> None:
    rows = np.eye(7)[np.arange(19) % 3]
    data = write_prepared(tmp_path / "few", train=rows, valid=rows)

    with pytest.raises(DatasetError, match="has 19 images of 3 classes"):
        FineTune(config(data), tmp_path / "run", CPU, settings)
    more = write_prepared(tmp_path / "more", train=np.eye(7)[np.arange(20) % 3], valid=rows)
    FineTune(config(more), tmp_path / "run", CPU, settings)


@pytest.mark.parametrize("name", ["from-scratch", "uneven"])
def test_two_networks_of_one_kind_become_one(settings: Settings, name: str) -> None:
    """Before anything is learned, its one last layer answers nearly as the two networks do."""
    settings.weights_dir.mkdir(exist_ok=True)
    (settings.weights_dir / "catalogue.toml").write_text(
        '[ensembles.uneven]\nmembers = ["from-scratch-a", "from-scratch-b"]\n'
        'policy = "weighted"\nweights = [0.99, 0.01]\n'
    )
    start = StartingPoint(name, settings, CPU)
    layer = start.last_layer(np.eye(7, dtype=np.float32))
    assert layer is not None
    generator = np.random.default_rng(2)
    images = torch.from_numpy(generator.integers(0, 255, (8, 1, 48, 48))).float()
    features = start.features(images)
    logits = torch.from_numpy(features @ layer[0].T + layer[1])

    state = start.with_last_layer(*layer)

    assert start.architecture == "se_resnet_pair"
    assert {"first.stem.weight", "second.stem.weight", "head.weight"} <= set(state)
    assert state["head.weight"].shape == (7, 512)
    expected = start.sharpened(start.answers(features))
    np.testing.assert_allclose(logits.softmax(1).numpy(), expected, atol=0.02)
    assert (logits.argmax(1).numpy() == expected.argmax(1)).mean() >= 0.75


def test_networks_that_are_no_one_are_refused_by_name(settings: Settings) -> None:
    with pytest.raises(ModelError, match="from-scratch-a, compact-mobilenet-a: name one of them"):
        StartingPoint("from-scratch-a,compact-mobilenet-a", settings, CPU)


def test_corrections_of_some_classes_keep_all_labels_of_the_model(tmp_path: Path, settings: Settings) -> None:
    source = write_own_faces(tmp_path / "faces", 4, ("happy", "sadness"))

    folder = prepare_own_faces(source, tmp_path / "data", False, START, settings, SILENT)

    assert read_split(folder, "training").labels == WeightsStore(settings.weights_dir).find(START).labels


def test_a_description_says_that_a_mirrored_network_stays_one(
    tmp_path: Path, settings: Settings, data: Path
) -> None:
    settings.weights_dir.mkdir(exist_ok=True)
    (settings.weights_dir / "catalogue.toml").write_text(
        '[ensembles.both-ways]\nmembers = ["from-scratch-a", "from-scratch-b"]\nmirrored = true\n'
    )
    FineTune(config(data, start_from="both-ways", views=0), tmp_path / "run", CPU, settings).run(SILENT)

    description = read_description(tmp_path / "run/model.safetensors")
    assert description is not None
    assert (description.architecture, description.mirrored) == ("se_resnet_pair", True)
    assert description.labels == ("bored", "focused")

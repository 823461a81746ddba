import json
from pathlib import Path

import numpy as np
import pytest
from emostream.exceptions import DatasetError
from emostream.training.datasets import LABELS, read_prepared, read_split, read_training_and_evaluation

from tests.training.conftest import write_prepared


def target(**shares: float) -> list[float]:
    return [shares.get(label, 0.0) for label in LABELS]


@pytest.fixture
def prepared(tmp_path: Path) -> Path:
    return write_prepared(
        tmp_path / "prepared",
        train=[target(happiness=0.6, neutral=0.4), target(fear=0.5, surprise=0.5), target(anger=1)],
        valid=[target(sadness=1)],
        test=[target(disgust=1), target(fear=1)],
    )


def test_a_prepared_folder_gives_its_training_split_for_training(prepared: Path) -> None:
    for path in (prepared, prepared / "train", prepared / "train.npz"):
        data = read_split(path, "training")

        assert data.images[:, 0, 0].tolist() == [0, 1, 2]
        assert data.targets[0].tolist() == pytest.approx(target(happiness=0.6, neutral=0.4))


def test_a_prepared_folder_gives_its_validation_split_for_evaluation_and_the_test_split_only_by_name(
    prepared: Path,
) -> None:
    assert read_split(prepared, "evaluation").targets.tolist() == [target(sadness=1)]
    assert read_split(prepared / "test", "evaluation").targets.tolist() == [target(disgust=1), target(fear=1)]


def test_evaluation_on_soft_targets_takes_the_images_with_a_majority(prepared: Path) -> None:
    data = read_split(prepared / "train", "evaluation")

    assert data.images[:, 0, 0].tolist() == [0, 2]
    assert data.targets.tolist() == [target(happiness=1), target(anger=1)]


def test_a_path_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"nothing: there is no such file or folder"):
        read_split(tmp_path / "nothing", "training")


@pytest.mark.parametrize("name", ["FER2013Valid", "FER2013Valid.tar"])
def test_what_has_not_been_prepared_is_answered_with_the_command(tmp_path: Path, name: str) -> None:
    raw = tmp_path / name
    raw.touch() if raw.suffix else raw.mkdir()

    with pytest.raises(DatasetError, match=f"{raw} has not been prepared: run `emostream data prepare "):
        read_split(raw, "evaluation")


def test_a_split_that_is_not_there_is_answered_with_those_there_are(tmp_path: Path) -> None:
    folder = write_prepared(tmp_path / "prepared", train=[target(anger=1)], test=[target(anger=1)])

    with pytest.raises(DatasetError, match=r"no split 'valid'; there are: \S+/train, \S+/test$"):
        read_split(folder, "evaluation")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"form": 2}, "has the form 2, not 1"),
        ({"labels": ["sad", "glad"]}, r"targets float32 \(3, 7\): expected .* float32 \(N, 2\)"),
        ({"labels": ["sad"]}, "a network has 2 to 64 labels, not 1"),
        ({"labels": ["sad", "Sad"]}, "a label appears twice"),
        ({"labels": ["sad", "one,two"]}, "lists of labels have commas between"),
        ({"labels": ["sad", " "]}, "' ' is no label"),
        ({"labels": [1, 2]}, "its labels are no words"),
    ],
)
def test_a_prepared_folder_of_another_kind_is_refused(
    prepared: Path, change: dict[str, object], words: str
) -> None:
    manifest = prepared / "dataset.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | change))

    with pytest.raises(DatasetError, match=words):
        read_prepared(prepared, "train")


def test_a_manifest_that_is_none_is_named(prepared: Path) -> None:
    (prepared / "dataset.json").write_text("{")

    with pytest.raises(DatasetError, match=r"dataset\.json cannot be read"):
        read_prepared(prepared, "train")


def test_a_damaged_split_is_named(prepared: Path) -> None:
    file = prepared / "train.npz"
    for content in (b"", file.read_bytes()[:300]):
        file.write_bytes(content)
        with pytest.raises(DatasetError, match=r"train\.npz is damaged"):
            read_prepared(prepared, "train")


def test_objects_in_a_split_are_refused_and_not_unpickled(prepared: Path) -> None:
    np.savez(prepared / "train.npz", images=np.array([object()]), targets=np.zeros((1, 7), np.float32))

    with pytest.raises(DatasetError, match=r"train\.npz is damaged"):
        read_prepared(prepared, "train")


@pytest.mark.parametrize(
    ("images", "targets"),
    [
        (np.zeros((2, 48, 48), np.uint8), np.zeros((1, 7), np.float32)),
        (np.zeros((1, 48, 48), np.float32), np.zeros((1, 7), np.float32)),
        (np.zeros((1, 48, 48, 4), np.uint8), np.zeros((1, 7), np.float32)),
        (np.zeros((1, 48, 48), np.uint8), np.zeros((1, 8), np.float32)),
        (np.zeros((0, 48, 48), np.uint8), np.zeros((0, 7), np.float32)),
    ],
    ids=["fewer targets", "floats", "four channels", "eight labels", "empty"],
)
def test_arrays_that_do_not_fit_are_named_with_their_shapes(
    prepared: Path, images: np.ndarray, targets: np.ndarray
) -> None:
    np.savez(prepared / "train.npz", images=images, targets=targets)

    with pytest.raises(DatasetError, match=r"train\.npz holds images .* expected uint8"):
        read_prepared(prepared, "train")


def test_several_sets_are_learned_from_together_and_share_no_group(tmp_path: Path) -> None:
    first = write_prepared(
        tmp_path / "first", train=[target(anger=1), target(fear=1)], valid=[target(fear=1)]
    )
    second = write_prepared(tmp_path / "second", train=[target(sadness=1)], valid=[target(fear=1)])

    learned, held_out = read_training_and_evaluation((first, second), first)

    assert learned.targets.tolist() == [target(anger=1), target(fear=1), target(sadness=1)]
    assert learned.images[:, 0, 0].tolist() == [0, 1, 0]
    assert learned.groups is not None
    assert len(set(learned.groups.tolist())) == 3
    assert len(held_out) == 1


def test_sets_of_other_labels_or_sides_are_not_learned_from_together(tmp_path: Path) -> None:
    first = write_prepared(tmp_path / "first", train=[target(anger=1)], valid=[target(fear=1)])
    other = write_prepared(tmp_path / "other", labels=("glad", "sad"), train=[[1, 0]], valid=[[0, 1]])
    larger = write_prepared(tmp_path / "larger", side=64, train=[target(anger=1)])

    with pytest.raises(DatasetError, match="other has glad, sad"):
        read_training_and_evaluation((first, other), first)
    with pytest.raises(DatasetError, match=r"larger has images \(64, 64\), .*first \(48, 48\)"):
        read_training_and_evaluation((first, larger), first)

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from emostream.exceptions import DatasetError
from emostream.training.preparing.class_folders import ClassFolders
from emostream.training.preparing.sample import Reason, one_hot

from tests.training.preparing.sources import brightness, write_classes, write_image

SHARES = (0.8, 0.1, 0.1)


def source(root: Path, shares: tuple[float, float, float] = SHARES, seed: int = 0) -> ClassFolders:
    return ClassFolders(root, shares, seed, {}, None)


def test_splits_are_known_by_their_usual_names(tmp_path: Path) -> None:
    write_classes(tmp_path, {"Train/happy": 2, "val/happy": 1, "test/sad": 1})

    found = source(tmp_path)

    assert found.kind == "class folders with splits"
    samples = found.samples()
    assert [(sample.name, sample.split) for sample in samples] == [
        ("Train/happy/0.png", "train"),
        ("Train/happy/1.png", "train"),
        ("test/sad/0.png", "test"),
        ("val/happy/0.png", "valid"),
    ]
    assert np.array_equal(samples[2].label, one_hot("sadness"))
    assert brightness(samples[1].load()) == 1


def test_folders_below_a_class_and_files_of_desktops_are_seen_through(tmp_path: Path) -> None:
    write_image(tmp_path / "happy/studio/a.jpg", file_format="JPEG")
    for name in (".DS_Store", "Thumbs.db"):
        (tmp_path / "happy" / name).write_bytes(b"")
    (tmp_path / "README.txt").write_text("about")

    assert [sample.name for sample in source(tmp_path).samples()] == ["happy/studio/a.jpg"]
    assert source(tmp_path).files == [tmp_path / "happy/studio/a.jpg"]


def test_one_tree_is_dealt_out_in_the_shares_asked_for_class_by_class(tmp_path: Path) -> None:
    write_classes(tmp_path, {"happy": 20, "sad": 10})

    samples = source(tmp_path).samples()

    counts = Counter((sample.name.split("/")[0], sample.split) for sample in samples)
    assert counts == {
        ("happy", "train"): 16,
        ("happy", "valid"): 2,
        ("happy", "test"): 2,
        ("sad", "train"): 8,
        ("sad", "valid"): 1,
        ("sad", "test"): 1,
    }


def test_the_seed_decides_who_is_in_which_split(tmp_path: Path) -> None:
    write_classes(tmp_path, {"happy": 20})

    def splits(seed: int) -> list[str]:
        return [sample.split for sample in source(tmp_path, seed=seed).samples()]

    assert splits(0) == splits(0)
    assert splits(0) != splits(1)


def test_a_share_of_0_makes_no_split(tmp_path: Path) -> None:
    write_classes(tmp_path, {"happy": 10})

    samples = source(tmp_path, (0.9, 0.1, 0.0)).samples()

    assert Counter(sample.split for sample in samples) == {"train": 9, "valid": 1}


def test_images_of_a_class_that_is_left_out_say_so(tmp_path: Path) -> None:
    write_classes(tmp_path, {"contempt": 1, "happy": 1})

    first, _ = source(tmp_path).samples()

    assert first.label is Reason.OTHER_LABEL


def test_a_folder_among_splits_that_is_none_is_named(tmp_path: Path) -> None:
    write_classes(tmp_path, {"train/happy": 1, "happy": 1})

    with pytest.raises(DatasetError, match="holds splits, and beside them happy"):
        source(tmp_path)


def test_a_folder_without_folders_is_no_data_set(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"neither fer2013\.csv, nor FER2013Train"):
        source(tmp_path)

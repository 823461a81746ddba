from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from emostream.exceptions import DatasetError
from emostream.training.preparing.class_folders import ClassFolders, Grouping
from emostream.training.preparing.sample import Reason, one_hot
from PIL import Image

from tests.support import encoded
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


def test_copies_of_a_picture_are_in_one_split(tmp_path: Path) -> None:
    """Forty pictures, each three times: whatever the seed, no picture is in two splits."""
    for number in range(40):
        pixels = np.random.default_rng(number).integers(0, 255, (8, 8)).astype(np.uint8)
        picture = Image.fromarray(pixels).resize((64, 64), Image.Resampling.BICUBIC)
        for copy, side in enumerate((64, 50, 40)):
            file = tmp_path / ("happy" if number % 2 else "sad") / f"{number:02}-{copy}.png"
            file.parent.mkdir(exist_ok=True)
            file.write_bytes(encoded(picture.resize((side, side)), "PNG"))

    for seed in range(3):
        splits: dict[str, set[str]] = {}
        for sample in source(tmp_path, (0.6, 0.4, 0), seed=seed).samples():
            splits.setdefault(Path(sample.name).stem[:2], set()).add(sample.split)
        assert {len(found) for found in splits.values()} == {1}
        assert set().union(*splits.values()) == {"train", "valid"}


@pytest.mark.parametrize(
    ("grouping", "files"),
    [
        ("names", [f"{person}_{n:04}.png" for person in ("ann", "bob", "eve", "joe") for n in range(5)]),
        ("folders", [f"{person}/{n}.png" for person in ("ann", "bob", "eve", "joe") for n in range(5)]),
    ],
)
def test_images_of_one_person_are_in_one_split_in_every_class(
    tmp_path: Path, grouping: Grouping, files: list[str]
) -> None:
    for place, file in enumerate(files):
        for label in ("happy", "sad"):
            write_image(tmp_path / label / file, 10 * place + (label == "sad"))

    samples = ClassFolders(tmp_path, (0.5, 0.5, 0), 0, {}, None, grouping=grouping).samples()

    splits: dict[str, set[str]] = {}
    for sample in samples:
        splits.setdefault(sample.name.split("/")[1][:3], set()).add(sample.split)
    assert sorted(map(tuple, splits.values())) == [("train",)] * 2 + [("valid",)] * 2


def test_two_groups_of_a_class_leave_something_to_measure_with(tmp_path: Path) -> None:
    for number in range(12):
        write_image(tmp_path / "happy" / f"{'ann' if number < 11 else 'bob'}{number}.png", number)

    samples = ClassFolders(tmp_path, (0.7, 0.3, 0), 0, {}, None, grouping="names").samples()

    assert {sample.split for sample in samples} == {"train", "valid"}


def test_of_few_images_more_are_measured_with(tmp_path: Path) -> None:
    write_classes(tmp_path, {"happy": 20, "sad": 20})

    samples = ClassFolders(tmp_path, None, 0, {}, None).samples()

    assert Counter(sample.split for sample in samples) == {"train": 28, "valid": 12}


def test_folders_that_are_called_after_no_emotion_are_labels_of_ones_own(tmp_path: Path) -> None:
    write_classes(tmp_path, {"not smiling": 1, "smiling": 1, "half%2Fhalf": 1})

    found = source(tmp_path)

    assert found.labels == ("half/half", "not smiling", "smiling")
    assert [sample.label.argmax() for sample in found.samples()] == [0, 1, 2]


def test_labels_of_ones_own_are_in_the_order_asked_for(tmp_path: Path) -> None:
    write_classes(tmp_path, {"Negative": 1, "neutral": 1, "glad": 1})

    labels = ("positive", "neutral", "negative")
    found = ClassFolders(tmp_path, SHARES, 0, {"glad": "positive"}, None, labels)

    assert found.labels == labels
    assert {sample.name: sample.label.argmax() for sample in found.samples()} == {
        "Negative/0.png": 2,
        "glad/0.png": 0,
        "neutral/0.png": 1,
    }

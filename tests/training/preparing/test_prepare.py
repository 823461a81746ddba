"""Whole data sets of every form, and folders that are never half written."""

import csv
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from emostream.detection.anchors import Detections
from emostream.exceptions import DatasetError
from emostream.training.columns import read_column
from emostream.training.datasets import LABELS, read_prepared, read_split
from emostream.training.preparing.images import Detector
from emostream.training.preparing.prepare import Options, Prepared, find_source, prepare
from emostream.training.preparing.sample import Reason
from PIL import Image
from rich.progress import Progress

from tests.training.conftest import MakeSplit, face, plain_rows
from tests.training.preparing.sources import write_classes, write_image, write_table, write_votes
from tests.training.preparing.test_labelled_table import write as write_labelled
from tests.training.preparing.test_selection import picture

SILENT = Progress(disable=True)


def run(
    source: Path,
    out: Path,
    options: Options | None = None,
    votes: Path | None = None,
    detector: Detector | None = None,
    force: bool = False,
) -> Prepared:
    options = options or Options()
    return prepare(find_source(source, options, votes), source, out, options, SILENT, detector, force)


def rejects(out: Path) -> list[list[str]]:
    with (out / "rejects.csv").open(newline="") as file:
        return list(csv.reader(file))[1:]


def table(folder: Path) -> Path:
    """fer2013.csv with two images to learn from and one in each other split."""
    return write_table(
        folder / "fer2013.csv",
        [(0, 10, "Training"), (3, 20, "Training"), (4, 30, "PublicTest"), (6, 40, "PrivateTest")],
    )


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "sets/out"


# Each form


def test_fer2013_as_a_file_or_in_its_folder(tmp_path: Path, out: Path) -> None:
    file = table(tmp_path / "fer")

    by_file, by_folder = run(file, out), run(file.parent, tmp_path / "other")

    assert by_file.manifest == by_folder.manifest
    assert (by_file.manifest.name, by_file.manifest.kind) == ("fer", "FER2013")
    train = read_prepared(out, "train")
    assert train.images[:, 0, 0].tolist() == [10, 20]
    assert train.targets.argmax(1).tolist() == [LABELS.index("anger"), LABELS.index("happiness")]
    assert read_split(out, "evaluation").images.mean() == 30
    assert read_split(out / "test", "evaluation").images.mean() == 40


def test_votes_of_ferplus_are_found_beside_fer2013_or_where_they_are_said_to_be(
    tmp_path: Path, out: Path
) -> None:
    rows = [("Training", {"fear": 6, "anger": 4}), ("Training", {"NF": 10})]
    rows += [("PublicTest", {"fear": 9}), ("PrivateTest", {"fear": 9})]
    file = table(tmp_path / "fer")
    aside = write_votes(tmp_path / "votes.csv", rows)

    said = run(file, out, votes=aside)

    assert said.manifest.kind == "FER2013 with the votes of FER+"
    assert read_prepared(out, "train").targets.max() == pytest.approx(0.6)
    assert rejects(out) == [["fer0000001.png", "train", "not a face"]]
    shutil.copy(aside, file.with_name("fer2013new.csv"))
    assert run(file, tmp_path / "beside").manifest.splits == said.manifest.splits


@pytest.mark.parametrize("form", ["folder", "tar"])
def test_ferplus_in_folders_or_tar_files(make_split: MakeSplit, tmp_path: Path, out: Path, form: str) -> None:
    make_split(plain_rows(14), name="fer/FER2013Train", form=form)
    make_split(plain_rows(7, seed=1), name="fer/FER2013Valid", form=form)
    if form == "tar":
        shutil.rmtree(tmp_path / "fer/FER2013Train")

    prepared = run(tmp_path / "fer", out)

    assert prepared.manifest.kind == "FER+"
    assert {name: facts.images for name, facts in prepared.manifest.splits.items()} == {
        "train": 14,
        "valid": 7,
    }
    train = read_prepared(out, "train")
    assert np.array_equal(train.images[0], np.asarray(face("anger", 0)))
    assert train.targets.argmax(1).tolist() == [0, 1, 2, 3, 4, 5, 6] * 2


def test_class_folders_in_colour(tmp_path: Path, out: Path) -> None:
    root = write_classes(
        tmp_path / "raf", {f"{split}/{n}": 1 for split in ("train", "test") for n in range(1, 8)}
    )

    prepared = run(root, out, Options(side=32, colour=True))

    assert prepared.manifest.channels == 3
    assert set(prepared.manifest.splits["train"].counts.values()) == {1}
    data = read_prepared(out, "test")
    assert data.images.shape == (7, 32, 32, 3)
    with np.load(out / "test.npz", allow_pickle=False) as arrays:
        assert arrays["names"][0] == "test/1/0.png"


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("nothing", "there is no such file or folder"),
        ("a.zip", "is no table: name fer2013.csv, or the folder"),
        ("empty", "holds neither fer2013.csv"),
    ],
)
def test_what_is_no_data_set_is_named(tmp_path: Path, path: str, words: str) -> None:
    (tmp_path / "a.zip").write_bytes(b"")
    (tmp_path / "empty").mkdir()

    with pytest.raises(DatasetError, match=words):
        find_source(tmp_path / path, Options())


def test_votes_that_are_not_there_or_belong_to_nothing_are_named(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    votes = write_votes(tmp_path / "votes.csv", [])

    with pytest.raises(DatasetError, match="--votes nothing: there is no such file"):
        find_source(tmp_path, Options(), Path("nothing"))
    with pytest.raises(DatasetError, match=r"belongs to a fer2013\.csv, and \S+ holds none"):
        find_source(tmp_path / "empty", Options(), votes)


# What is left out, and what is told


def test_images_that_are_left_out_are_listed_with_their_reasons(tmp_path: Path, out: Path) -> None:
    root = write_classes(tmp_path / "faces", {"train/happy": 2, "train/contempt": 1, "valid/sad": 1})
    (root / "train/happy/broken.jpg").write_bytes(b"no image")
    write_image(root / "valid/sad/small.png", size_wh=(20, 40))

    prepared = run(root, out)

    assert sorted(rejects(out)) == [
        ["train/contempt/0.png", "train", "a label that is left out"],
        ["train/happy/broken.jpg", "train", "unreadable"],
        ["valid/sad/small.png", "valid", "too few pixels"],
    ]
    assert prepared.manifest.splits["train"].rejects == {"a label that is left out": 1, "unreadable": 1}
    assert prepared.manifest.splits["train"].counts["happiness"] == 2


def test_a_detector_that_finds_no_face_leaves_the_image_out(tmp_path: Path, out: Path) -> None:
    class Blind:
        def detect(self, image: object, max_faces: int) -> Detections:
            return Detections.none()

    root = write_classes(tmp_path / "faces", {"train/happy": 1})

    with pytest.raises(DatasetError, match="not one image of the split train can be used: no face found 1"):
        run(root, out, Options(detect=True), detector=Blind())
    assert not out.exists()
    assert Reason.NO_FACE.value == "no face found"


def test_images_of_other_splits_that_the_training_split_has_too_are_counted(
    tmp_path: Path, out: Path
) -> None:
    root = write_classes(tmp_path / "faces", {"train/happy": 2, "valid/sad": 2})
    shutil.copy(root / "train/happy/0.png", root / "valid/sad/again.png")

    assert run(root, out).manifest.splits["valid"].also_in_train == 1


def test_images_that_the_training_split_has_too_may_be_left_out(tmp_path: Path, out: Path) -> None:
    root = write_classes(tmp_path / "faces", {"train/happy": 2, "valid/sad": 2})
    shutil.copy(root / "train/happy/0.png", root / "train/happy/again.png")
    shutil.copy(root / "train/happy/0.png", root / "valid/sad/0.png")

    splits = run(root, out, Options(drop_repeated=True)).manifest.splits

    assert rejects(out) == [["valid/sad/0.png", "valid", "in the training split, too"]]
    assert (splits["train"].images, splits["valid"].images, splits["valid"].also_in_train) == (3, 1, 0)
    with np.load(out / "valid.npz", allow_pickle=False) as arrays:
        assert arrays["names"].tolist() == ["valid/sad/1.png"]
        assert arrays["images"][0, 0, 0] == 3


def test_the_manifest_is_what_docs_say(tmp_path: Path, out: Path) -> None:
    run(table(tmp_path / "fer"), out)

    manifest = json.loads((out / "dataset.json").read_text())

    assert list(manifest) == [
        "form", "name", "kind", "sha256", "options", "labels", "side", "channels", "splits"
    ]  # fmt: skip
    assert manifest["labels"] == list(LABELS)
    assert sorted(path.name for path in out.iterdir()) == [
        "dataset.json", "rejects.csv", "test.npz", "train.npz", "valid.npz"
    ]  # fmt: skip


# Again, and interrupted


def test_the_same_source_and_options_again_do_nothing(tmp_path: Path, out: Path) -> None:
    file = table(tmp_path / "fer")
    first = run(file, out)
    written = (out / "train.npz").stat().st_mtime_ns

    again = run(file, out)

    assert (first.is_new, again.is_new) == (True, False)
    assert again.manifest == first.manifest
    assert (out / "train.npz").stat().st_mtime_ns == written


@pytest.mark.parametrize(
    "change",
    [
        lambda file: (file, Options(side=32)),
        lambda file: (file, Options(mapping={"a": "b"})),
        lambda file: (write_table(file, [(0, 11, "Training")]), Options()),
    ],
    ids=["another side", "another mapping", "another source"],
)
def test_something_else_in_the_same_folder_needs_force(
    tmp_path: Path, out: Path, change: Callable[[Path], tuple[Path, Options]]
) -> None:
    file = table(tmp_path / "fer")
    before = run(file, out).manifest
    file, options = change(file)

    with pytest.raises(DatasetError, match=r"another source or with other options: .* say --force"):
        run(file, out, options)
    assert json.loads((out / "dataset.json").read_text())["sha256"] == before.sha256

    assert run(file, out, options, force=True).is_new
    assert not run(file, out, options).is_new
    assert [path.name for path in out.parent.iterdir()] == ["out"]


def test_a_folder_of_something_else_is_never_touched(tmp_path: Path, out: Path) -> None:
    out.mkdir(parents=True)
    (out / "thesis.txt").write_text("all of it")

    for force in (False, True):
        with pytest.raises(DatasetError, match="is there and is no prepared data set"):
            run(table(tmp_path / "fer"), out, force=force)
    assert (out / "thesis.txt").read_text() == "all of it"


def test_a_folder_among_the_class_folders_is_refused(tmp_path: Path) -> None:
    root = write_classes(tmp_path / "faces", {"happy": 10})

    with pytest.raises(DatasetError, match=r"lies in .*faces, where it would be taken for a class"):
        run(root, root / "prepared")
    assert [path.name for path in root.iterdir()] == ["happy"]


def test_an_empty_folder_may_be_filled(tmp_path: Path, out: Path) -> None:
    out.mkdir(parents=True)

    assert run(table(tmp_path / "fer"), out).is_new


def test_a_broken_manifest_needs_force(tmp_path: Path, out: Path) -> None:
    file = table(tmp_path / "fer")
    run(file, out)
    (out / "dataset.json").write_text("{")

    with pytest.raises(DatasetError, match="say --force"):
        run(file, out)
    assert run(file, out, force=True).is_new


def test_a_run_that_ends_early_leaves_what_was_there(
    tmp_path: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = table(tmp_path / "fer")
    before = run(file, out).manifest

    def killed(*_: object) -> Image.Image:
        raise KeyboardInterrupt

    monkeypatch.setattr(Image, "frombytes", killed)
    with pytest.raises(KeyboardInterrupt):
        run(file, out, replace(Options(), side=32), force=True)
    with pytest.raises(KeyboardInterrupt):
        run(file, tmp_path / "sets/other")

    assert json.loads((out / "dataset.json").read_text())["sha256"] == before.sha256
    assert read_prepared(out, "train").images.shape == (2, 48, 48)
    assert [path.name for path in out.parent.iterdir()] == ["out"]


# A part to choose on, and what a source says beside labels


def test_a_selection_part_is_a_split_of_its_own(tmp_path: Path, out: Path) -> None:
    source = tmp_path / "faces"
    for number in range(40):
        folder = source / ("train" if number < 30 else "valid") / ("happy" if number % 2 else "sad")
        folder.mkdir(parents=True, exist_ok=True)
        picture(number).save(folder / f"{number}.png")

    run(source, out, Options(selection=0.2))

    sizes = {split: len(read_prepared(out, split)) for split in ("train", "selection", "valid")}
    assert sizes == {"train": 24, "selection": 6, "valid": 10}
    assert len(read_split(out / "selection", "evaluation")) == 6


def test_columns_of_a_table_are_written_beside_the_split(tmp_path: Path, out: Path) -> None:
    source = write_labelled(
        tmp_path / "faces",
        [f"{n}.png,{('happy', 'sad')[n % 2]},{n},{('day', 'night')[n // 20]}" for n in range(40)],
        header="image,emotion,person,light",
    )

    run(source, out, Options(shares=(0.5, 0.5, 0.0)))

    faces = read_split(out, "evaluation")
    light = read_column(out / "valid.csv", "light", faces)
    assert faces.names is not None
    assert [("day", "night")[int(name.split(".")[0]) // 20] for name in faces.names] == light.values.tolist()

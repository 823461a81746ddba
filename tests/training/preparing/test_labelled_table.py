import tarfile
from pathlib import Path

import numpy as np
import pytest
from emostream.exceptions import DatasetError, ImageError
from emostream.training.preparing.labelled_table import LabelledTable, holds_table
from emostream.training.preparing.sample import Reason, one_hot

from tests.support import encoded
from tests.training.preparing.test_selection import picture

EVEN = (0.5, 0.5, 0.0)


def write(root: Path, rows: list[str], header: str = "image,emotion,person", below: str = "images") -> Path:
    """A table, and a picture for each of its lines."""
    (root / below).mkdir(parents=True, exist_ok=True)
    (root / "label.csv").write_text("\n".join([header, *rows]) + "\n")
    for number, row in enumerate(rows):
        (root / below / row.split(",")[0]).write_bytes(encoded(picture(number), "PNG"))
    return root


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write(tmp_path / "faces", ["a.png,Happy,one", "b.png,anger,two", "c.png,contempt,one"])


def table(root: Path, corrections: Path | None = None) -> LabelledTable:
    return LabelledTable(root, EVEN, 0, {}, corrections)


def test_emotions_are_known_by_their_synonyms_and_contempt_is_left_out(root: Path) -> None:
    first, second, third = table(root).samples()

    assert first.name == "a.png"
    assert np.array_equal(first.label, one_hot("happiness"))
    assert np.array_equal(second.label, one_hot("anger"))
    assert third.label is Reason.OTHER_LABEL
    assert first.load().size == (48, 48)


def test_a_folder_and_a_tar_file_of_it_are_alike(root: Path, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "faces.tar", "w") as archive:
        archive.add(root, "faces")

    assert holds_table(root)
    assert holds_table(tmp_path / "faces.tar")
    by_folder, by_tar = table(root).samples(), table(tmp_path / "faces.tar").samples()
    assert [(s.name, s.split, s.group) for s in by_folder] == [(s.name, s.split, s.group) for s in by_tar]


def test_a_person_is_in_one_split(tmp_path: Path) -> None:
    rows = [f"{n}.png,{'happiness' if n % 2 else 'neutral'},person {n // 5}" for n in range(60)]

    samples = table(write(tmp_path / "faces", rows)).samples()

    assert {sample.split for sample in samples} == {"train", "valid"}
    assert all(len({s.split for s in samples[start : start + 5]}) == 1 for start in range(0, 60, 5))
    assert all(len({s.group for s in samples[start : start + 5]}) == 1 for start in range(0, 60, 5))


def test_without_persons_each_image_is_by_itself(tmp_path: Path) -> None:
    rows = [f"{n}.png,fear" for n in range(8)]

    samples = table(write(tmp_path / "faces", rows, header="image,emotion", below=".")).samples()

    assert len({sample.group for sample in samples}) == 8


def test_corrections_replace_labels_or_leave_images_out_and_move_nothing(tmp_path: Path) -> None:
    rows = [f"{n}.png,neutral,person {n}" for n in range(20)]
    root = write(tmp_path / "faces", rows)
    corrections = tmp_path / "corrections.csv"
    corrections.write_text("image,emotion\n3.png,anger\n4.png,\n")

    before, after = table(root).samples(), table(root, corrections).samples()

    assert [s.split for s in before] == [s.split for s in after]
    assert np.array_equal(after[3].label, one_hot("anger"))
    assert after[4].label is Reason.OTHER_LABEL
    assert np.array_equal(after[5].label, one_hot("neutral"))
    assert corrections in table(root, corrections).files


def test_an_image_that_is_not_there_is_its_own_error_only(root: Path) -> None:
    (root / "images/a.png").unlink()

    with pytest.raises(ImageError, match=r"there is no file a\.png"):
        table(root).samples()[0].load()


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "lists no image"),
        (["a.png"], "line 2 lacks image or emotion"),
        (["a.png,anger,x", "a.png,anger,y"], "names an image twice"),
        (["a.png,hapiness,x"], "did you mean"),
    ],
)
def test_a_table_that_cannot_be_used_says_why(tmp_path: Path, rows: list[str], message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        table(write(tmp_path / "faces", rows)).samples()


def test_a_correction_of_no_image_is_named(root: Path, tmp_path: Path) -> None:
    (tmp_path / "corrections.csv").write_text("image,emotion\nz.png,anger\n")

    with pytest.raises(DatasetError, match=r"no image z\.png"):
        table(root, tmp_path / "corrections.csv").samples()


def test_the_table_of_ferplus_which_names_no_columns_is_another_form(tmp_path: Path) -> None:
    (tmp_path / "label.csv").write_text('a.png,"(0, 0, 48, 48)",1,2,3,4,0,0,0,0,0,0\n')

    assert not holds_table(tmp_path)
    assert not holds_table(tmp_path / "nothing")


def test_other_columns_are_kept_and_who_it_is_is_not(tmp_path: Path) -> None:
    root = write(tmp_path / "faces", ["a.png,anger,one,night"], header="image,emotion,person,light")

    (sample,) = table(root).samples()

    assert dict(sample.columns) == {"light": "night"}

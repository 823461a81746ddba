from pathlib import Path

import numpy as np
import pytest
from emostream.exceptions import DatasetError, ImageError
from emostream.training.preparing.ferplus import Ferplus, ferplus_parts
from emostream.training.preparing.sample import one_hot

from tests.training.conftest import MakeSplit, face, plain_rows, votes

WHOLE = "(0, 0, 48, 48)"


def test_folders_and_tar_files_are_found_side_by_side(make_split: MakeSplit, tmp_path: Path) -> None:
    make_split(plain_rows(1), name="FER2013Train")
    valid = make_split(plain_rows(1), name="FER2013Valid", form="tar")
    for path in sorted((tmp_path / "FER2013Valid").iterdir()):
        path.unlink()
    (tmp_path / "FER2013Valid").rmdir()

    assert ferplus_parts(tmp_path) == {"train": tmp_path / "FER2013Train", "valid": valid}
    assert ferplus_parts(tmp_path / "FER2013Train") == {}


@pytest.mark.parametrize("form", ["folder", "tar"])
def test_lines_have_their_split_their_votes_and_the_part_that_their_box_cuts_out(
    make_split: MakeSplit, form: str
) -> None:
    rows = [("a.png", "(8, 4, 40, 36)", votes(anger=6, fear=4)), ("b.png", WHOLE, votes(happiness=10))]
    train = make_split(rows, form=form)

    first, second = Ferplus({"train": train}).samples()

    assert (first.name, first.split) == ("a.png", "train")
    assert first.label == pytest.approx(0.6 * one_hot("anger") + 0.4 * one_hot("fear"))
    assert np.array_equal(np.asarray(first.load().convert("L")), np.asarray(face("anger", 0))[4:36, 8:40])
    assert np.array_equal(second.label, one_hot("happiness"))


def test_a_image_that_is_missing_or_broken_is_its_own_error_only(make_split: MakeSplit) -> None:
    train = make_split(plain_rows(3))
    (train / "fer000000.png").unlink()
    (train / "fer000001.png").write_bytes(b"no image")

    samples = Ferplus({"train": train}).samples()

    for sample in samples[:2]:
        with pytest.raises(ImageError):
            sample.load()
    assert samples[2].load().size == (48, 48)


def test_files_are_all_that_the_samples_depend_on(make_split: MakeSplit, tmp_path: Path) -> None:
    train = make_split(plain_rows(1), name="FER2013Train")
    valid = make_split(plain_rows(1), name="FER2013Valid", form="tar")

    assert Ferplus({"train": train, "valid": valid}).files == [
        train / "fer000000.png",
        train / "label.csv",
        valid,
    ]


def test_a_folder_without_labels_is_no_split(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"holds no label\.csv: is it a split of FER\+\?"):
        Ferplus({"train": tmp_path}).samples()


def test_what_is_neither_folder_nor_tar_is_named(tmp_path: Path) -> None:
    (tmp_path / "faces.tar").write_bytes(b"no tar file")

    for path in (tmp_path / "faces.tar", tmp_path / "nothing.tar"):
        with pytest.raises(DatasetError, match=str(path)):
            Ferplus({"train": path}).samples()


BROKEN_LINES = {
    "no box": "fer000000.png",
    "a box of words": "fer000000.png,whole,1,2,3,4,5,6,7,8,9,10",
    "a box of three": 'fer000000.png,"(0, 0, 48)",1,2,3,4,5,6,7,8,9,10',
    "a box that is a program": "fer000000.png,\"__import__('os')\",1,2,3,4,5,6,7,8,9,10",
    "votes in words": 'fer000000.png,"(0, 0, 48, 48)",one,2,3,4,5,6,7,8,9,10',
    "an empty line": "",
    "too few votes": 'fer000000.png,"(0, 0, 48, 48)",1,2,3',
    "too many votes": 'fer000000.png,"(0, 0, 48, 48)",1,2,3,4,5,6,7,8,9,10,11',
}


@pytest.mark.parametrize("line", BROKEN_LINES.values(), ids=BROKEN_LINES.keys())
def test_a_line_that_cannot_be_used_is_named_by_its_number(make_split: MakeSplit, line: str) -> None:
    sound = 'fer000000.png,"(0, 0, 48, 48)",1,2,3,4,5,6,7,8,9,10'
    split = make_split(plain_rows(1), labels=f"{sound}\n{line}\n{sound}\n")

    with pytest.raises(DatasetError, match=r"line 2 of label\.csv"):
        Ferplus({"train": split}).samples()


def test_an_empty_list_is_no_split(make_split: MakeSplit) -> None:
    with pytest.raises(DatasetError):
        Ferplus({"train": make_split([])}).samples()

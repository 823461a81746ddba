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


def test_a_picture_that_is_missing_or_broken_is_its_own_error_only(make_split: MakeSplit) -> None:
    train = make_split(plain_rows(3))
    (train / "fer000000.png").unlink()
    (train / "fer000001.png").write_bytes(b"no picture")

    samples = Ferplus({"train": train}).samples()

    for sample in samples[:2]:
        with pytest.raises(ImageError):
            sample.load()
    assert samples[2].load().size == (48, 48)


def test_a_line_that_cannot_be_used_is_named(make_split: MakeSplit) -> None:
    train = make_split(plain_rows(1), labels='fer000000.png,"(0, 0, 48, 48)",1,2\n')

    with pytest.raises(DatasetError, match=r"FER2013Train: line 1 of label\.csv"):
        Ferplus({"train": train}).samples()


def test_files_are_all_that_the_samples_depend_on(make_split: MakeSplit, tmp_path: Path) -> None:
    train = make_split(plain_rows(1), name="FER2013Train")
    valid = make_split(plain_rows(1), name="FER2013Valid", form="tar")

    assert Ferplus({"train": train, "valid": valid}).files == [
        train / "fer000000.png",
        train / "label.csv",
        valid,
    ]

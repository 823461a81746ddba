from pathlib import Path

import numpy as np
import pytest
from emostream.exceptions import DatasetError, ImageError
from emostream.training.preparing.fer2013 import Fer2013
from emostream.training.preparing.sample import Reason, one_hot

from tests.training.preparing.sources import brightness, grey, write_table, write_votes

ROWS = [(0, 10, "Training"), (3, 20, "PublicTest"), (6, 30, "PrivateTest")]


def test_rows_have_their_split_their_label_and_their_pixels(tmp_path: Path) -> None:
    samples = Fer2013(write_table(tmp_path / "fer2013.csv", ROWS), None).samples()

    assert [(sample.name, sample.split) for sample in samples] == [
        ("fer0000000.png", "train"),
        ("fer0000001.png", "valid"),
        ("fer0000002.png", "test"),
    ]
    for sample, label, level in zip(samples, ("anger", "happiness", "neutral"), (10, 20, 30), strict=True):
        assert np.array_equal(sample.label, one_hot(label))
        assert sample.load().size == (48, 48)
        assert brightness(sample.load()) == level


def test_pixels_run_row_by_row(tmp_path: Path) -> None:
    pixels = " ".join(str(index // 48) for index in range(48**2))
    (sample,) = Fer2013(write_table(tmp_path / "fer2013.csv", [(0, pixels, "Training")]), None).samples()

    assert np.asarray(sample.load())[:, 0].tolist() == list(range(48))


def test_blanks_before_the_headings_and_other_orders_are_read(tmp_path: Path) -> None:
    table = tmp_path / "icml_face_data.csv"
    table.write_text(f"emotion, Usage, pixels\n3,Training,{grey(9)}\n")

    (sample,) = Fer2013(table, None).samples()

    assert np.array_equal(sample.label, one_hot("happiness"))


@pytest.mark.parametrize("pixels", ["", "1 2 3", grey(256), grey(-1), grey(1) + " 1", "black " * 48**2])
def test_pixels_that_are_none_make_a_image_that_cannot_be_read(tmp_path: Path, pixels: str) -> None:
    rows = [(0, 1, "Training"), (0, pixels, "Training"), (0, 3, "Training")]

    samples = Fer2013(write_table(tmp_path / "fer2013.csv", rows), None).samples()

    with pytest.raises(ImageError):
        samples[1].load()
    assert [brightness(samples[index].load()) for index in (0, 2)] == [1, 3]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ((7, 1, "Training"), "line 3: the emotion is '7', not 0 to 6"),
        (("sad", 1, "Training"), "line 3: the emotion is 'sad'"),
        ((0, 1, "Test"), "line 3: the Usage is 'Test', none of Training, PublicTest, PrivateTest"),
    ],
)
def test_a_line_that_cannot_be_used_is_named(
    tmp_path: Path, row: tuple[object, int, str], words: str
) -> None:
    table = write_table(tmp_path / "fer2013.csv", [ROWS[0], row])

    with pytest.raises(DatasetError, match=words):
        Fer2013(table, None).samples()


def test_a_line_that_ends_early_is_named(tmp_path: Path) -> None:
    table = write_table(tmp_path / "fer2013.csv", ROWS)
    table.write_text(table.read_text() + "3,1 2 3\n")

    with pytest.raises(DatasetError, match="line 5 is too short"):
        Fer2013(table, None).samples()


def test_a_table_of_something_else_is_named_by_what_it_lacks(tmp_path: Path) -> None:
    table = write_table(tmp_path / "fer2013.csv", ROWS, headings="label,pixels,split")

    with pytest.raises(DatasetError, match=r"fer2013\.csv: the first line has no column emotion, Usage"):
        Fer2013(table, None).samples()


# FER+'s votes


def test_votes_replace_the_labels_row_by_row(tmp_path: Path) -> None:
    table = write_table(tmp_path / "fer2013.csv", [*ROWS, (0, 40, "Training")])
    votes = write_votes(
        tmp_path / "fer2013new.csv",
        [
            ("Training", {"sadness": 5, "fear": 5}),
            ("PublicTest", {"surprise": 7, "neutral": 3}),
            ("PrivateTest", {"neutral": 5, "sadness": 5}),
            ("Training", {"NF": 10}),
        ],
    )

    soft, valid, test, last = (sample.label for sample in Fer2013(table, votes).samples())

    assert np.array_equal(soft, 0.5 * (one_hot("sadness") + one_hot("fear")))
    assert np.array_equal(valid, one_hot("surprise"))
    assert test is Reason.NO_MAJORITY
    assert last is Reason.NOT_A_FACE


def test_votes_of_other_rows_are_refused(tmp_path: Path) -> None:
    table = write_table(tmp_path / "fer2013.csv", ROWS)
    file = tmp_path / "fer2013new.csv"

    write_votes(file, [("Training", {"fear": 9}), ("Training", {"fear": 9}), ("PrivateTest", {"fear": 9})])
    with pytest.raises(DatasetError, match=r"new\.csv: line 3 is of Training .* do not belong together"):
        Fer2013(table, file).samples()
    for count in (2, 4):
        write_votes(file, [(usage, {"fear": 9}) for _, _, usage in (*ROWS, ROWS[0])][:count])
        with pytest.raises(DatasetError, match=rf"has {count} rows and \S+ 3: they do not belong together"):
            Fer2013(table, file).samples()


def test_a_vote_that_is_no_number_is_named(tmp_path: Path) -> None:
    table = write_table(tmp_path / "fer2013.csv", ROWS[:1])
    file = write_votes(tmp_path / "fer2013new.csv", [("Training", {"fear": 9})])
    file.write_text(file.read_text().replace(",9,", ",nine,"))

    with pytest.raises(DatasetError, match="line 2: a vote is not a number"):
        Fer2013(table, file).samples()

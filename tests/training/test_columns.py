from pathlib import Path

import numpy as np
import pytest
from emostream.exceptions import DatasetError
from emostream.training.columns import LEAST_IMAGES, Column, read_column, table_of
from emostream.training.datasets import FaceDataset

FACES = FaceDataset(
    np.zeros((3, 48, 48), np.uint8),
    np.eye(7, dtype=np.float32)[:3],
    names=np.array(["c.png", "a.png", "b.png"]),
)


def write(folder: Path, text: str) -> Path:
    file = folder / "valid.csv"
    file.write_text(text)
    return file


def test_cells_come_in_the_order_of_the_images(tmp_path: Path) -> None:
    file = write(tmp_path, "image,light\na.png,day\nb.png, night \nc.png,\nz.png,day\n")

    column = read_column(file, "light", FACES)

    assert column.values.tolist() == ["", "day", "night"]
    assert column.names == ["day", "night"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("image,light\na.png,day\n", "no line for 2 of the images, such as c.png"),
        ("image,lights\na.png,day\n", "did you mean lights"),
        ("picture,light\na.png,day\n", "has no columns image and light"),
        ("", "has no columns image and light"),
    ],
)
def test_a_table_that_does_not_fit_says_why(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        read_column(write(tmp_path, text), "light", FACES)


def test_a_table_that_is_not_there_is_described(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="a table with the columns image and light, a line for each image"):
        read_column(tmp_path / "valid.csv", "light", FACES)


def test_images_without_names_cannot_be_looked_up(tmp_path: Path) -> None:
    nameless = FaceDataset(FACES.images, FACES.targets)

    with pytest.raises(DatasetError, match="have no names"):
        read_column(write(tmp_path, "image,light\n"), "light", nameless)


def test_small_groups_are_refused_by_name_and_with_their_size() -> None:
    values = ["day"] * LEAST_IMAGES + ["night"] * (LEAST_IMAGES - 1) + [""]

    with pytest.raises(DatasetError, match=r"fewer than 50 images of night \(49\)\. Take more, or empty"):
        Column("light", np.array(values)).check()
    Column("light", np.array(["day"] * LEAST_IMAGES + [""])).check()


def test_an_empty_column_is_refused() -> None:
    with pytest.raises(DatasetError, match="the column is empty"):
        Column("light", np.array(["", ""])).check()


def test_the_table_lies_beside_its_split(tmp_path: Path) -> None:
    assert table_of(tmp_path) == tmp_path / "valid.csv"
    assert table_of(tmp_path / "test") == table_of(tmp_path / "test.npz") == tmp_path / "test.csv"

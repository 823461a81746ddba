import tarfile
from pathlib import Path

import pytest
from emostream.exceptions import DatasetError
from emostream.training.preparing.contents import contents


def test_a_folder_and_a_tar_file_of_it_have_the_same_files_by_their_base_names(tmp_path: Path) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    (folder / "a.txt").write_bytes(b"one")
    (folder / "b.txt").write_bytes(b"two")
    with tarfile.open(tmp_path / "set.tar", "w") as archive:
        archive.add(folder, "deep/set")

    expected = {"a.txt": b"one", "b.txt": b"two"}
    assert dict(contents(folder)) == dict(contents(tmp_path / "set.tar")) == expected


def test_what_is_neither_is_named(tmp_path: Path) -> None:
    (tmp_path / "set.tar").write_bytes(b"no archive")

    with pytest.raises(DatasetError, match=r"set\.tar is neither a folder nor a tar file"):
        list(contents(tmp_path / "set.tar"))

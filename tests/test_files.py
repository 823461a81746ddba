import os
import time
from pathlib import Path

import pytest
from emostream.files import replacing, sha256_of


def test_a_files_hash_is_that_of_its_content(tmp_path: Path) -> None:
    (tmp_path / "abc").write_bytes(b"abc")  # the example of FIPS 180-2

    assert sha256_of(tmp_path / "abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_a_file_is_replaced_when_all_of_it_is_written(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("old")

    with replacing(file) as temporary:
        temporary.write_text("new")
        assert file.read_text() == "old"
        assert temporary.suffix == ".txt"  # which decides the format for many libraries

    assert file.read_text() == "new"
    assert list(tmp_path.iterdir()) == [file]


def test_a_block_that_fails_leaves_the_old_file_and_nothing_beside_it(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("old")

    def write_half() -> None:
        with replacing(file) as temporary:
            temporary.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_half()

    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]


def test_a_folder_is_replaced_as_a_whole(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "old").touch()

    with replacing(folder) as temporary:
        temporary.mkdir()
        (temporary / "new").touch()

    assert [path.name for path in folder.iterdir()] == ["new"]
    assert list(tmp_path.iterdir()) == [folder]


def test_a_folder_that_is_left_half_written_is_removed(tmp_path: Path) -> None:
    def write_half() -> None:
        with replacing(tmp_path / "data") as temporary:
            temporary.mkdir()
            (temporary / "half").touch()
            raise ValueError("no image")

    with pytest.raises(ValueError, match="no image"):
        write_half()

    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_is_cleared_away_a_day_later(tmp_path: Path) -> None:
    stale, fresh = tmp_path / ".data.1234abcd.partial", tmp_path / ".data.5678abcd.partial"
    for leftover in (stale, fresh):
        leftover.mkdir()
        (leftover / "half").touch()
    two_days_ago = time.time() - 48 * 3600
    os.utime(stale, (two_days_ago, two_days_ago))

    with replacing(tmp_path / "data") as temporary:
        temporary.mkdir()

    assert not stale.exists()
    assert fresh.exists()  # another process may be writing it now


def test_two_may_write_the_same_file_at_once(tmp_path: Path) -> None:
    with replacing(tmp_path / "notes.txt") as first:
        first.write_text("first")
        with replacing(tmp_path / "notes.txt") as second:
            second.write_text("second")

    assert (tmp_path / "notes.txt").read_text() == "first"

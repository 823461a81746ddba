import os
import resource
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from emostream.exceptions import FolderFullError
from emostream.kept_files import KeptFiles


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def files_below(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_files_and_folders_are_for_their_owner_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        kept = KeptFiles(tmp_path / "new" / "kept", 100).keep("happiness/one.jpg", b"image")
    finally:
        os.umask(before)

    assert kept == tmp_path / "new" / "kept" / "happiness" / "one.jpg"
    assert kept.read_bytes() == b"image"
    assert mode(kept) == 0o600
    assert mode(kept.parent) == mode(kept.parent.parent) == 0o700


def test_a_folder_that_is_there_keeps_its_mode(tmp_path: Path) -> None:
    tmp_path.chmod(0o750)

    KeptFiles(tmp_path, 100).keep("one", b"x")

    assert mode(tmp_path) == 0o750


def test_what_would_be_too_much_is_refused_and_what_was_there_counts(tmp_path: Path) -> None:
    (tmp_path / "earlier").mkdir()
    (tmp_path / "earlier" / "one").write_bytes(bytes(60))
    files = KeptFiles(tmp_path, 100)
    files.keep("two", bytes(40))

    with pytest.raises(FolderFullError, match="holds 100 of the 100 bytes"):
        files.keep("three", b"x")

    assert files_below(tmp_path) == ["earlier/one", "two"]


def test_there_is_room_again_where_files_were_deleted(tmp_path: Path) -> None:
    now = [0.0]
    files = KeptFiles(tmp_path, 100, lambda: now[0])
    files.keep("one", bytes(100)).unlink()

    with pytest.raises(FolderFullError):
        files.keep("two", b"x")  # not counted again for every file
    now[0] = 61

    assert files.keep("two", b"x").read_bytes() == b"x"


@contextmanager
def full_disk(left: int) -> Iterator[None]:
    """No file of this process may grow beyond so many bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (left, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_disk_that_does_not_take_it_leaves_nothing(tmp_path: Path) -> None:
    files = KeptFiles(tmp_path, 10**6)
    files.keep("old", b"old")

    with full_disk(1000):
        with pytest.raises(OSError, match="too large"):
            files.keep("new", bytes(2000))
        with pytest.raises(OSError, match="too large"):
            files.keep("old", bytes(2000))

    assert files_below(tmp_path) == ["old"]
    assert (tmp_path / "old").read_bytes() == b"old"


@pytest.mark.parametrize(
    "name", ["", "/etc/passwd", "../up", "a/../../up", ".hidden", "a//b", "a\\b", "nul\0"]
)
def test_no_name_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="no name of a kept file"):
        KeptFiles(tmp_path / "in", 100).keep(name, b"x")

    assert files_below(tmp_path) == []


def test_a_link_in_the_files_place_is_replaced_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("of somebody else")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "one").symlink_to(tmp_path / "outside")

    KeptFiles(tmp_path / "in", 100).keep("one", b"x")

    assert (tmp_path / "outside").read_text() == "of somebody else"
    assert (tmp_path / "in" / "one").read_bytes() == b"x"


def test_what_a_killed_process_left_is_deleted_after_a_day_and_not_before(tmp_path: Path) -> None:
    for name, age_s in ((".old.partial", 2 * 86400), (".new.partial", 0)):
        (tmp_path / name).write_bytes(b"half")
        past = (tmp_path / name).stat().st_mtime - age_s
        os.utime(tmp_path / name, (past, past))

    KeptFiles(tmp_path, 100).keep("one", b"x")

    assert files_below(tmp_path) == [".new.partial", "one"]

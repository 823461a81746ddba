"""Files: told apart by their content, found in folders, and written whole or not at all."""

import errno
import glob
import hashlib
import os
import secrets
import shutil
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .exceptions import WriteError

#: What has not been written to for so long was left by a process that was killed.
_ABANDONED_S = 24 * 3600.0


def sha256_of(path: Path) -> str:
    """A file's SHA-256 in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_ending(option: str, path: Path, endings: Collection[str]) -> None:
    """Raises WriteError unless the name of ``path``, which ``option`` gives, has one of the endings.

    Case does not matter.
    """
    if path.suffix.lower() not in endings:
        raise WriteError(f"{option} {path}: the name must end in {', '.join(endings)}")


def check_target(option: str, path: Path | None, endings: Collection[str] | None = None) -> None:
    """Before any work: raises WriteError unless ``path``, which ``option`` names, has one of the endings and
    can be written to."""
    if path is None:
        return
    if endings is not None:
        check_ending(option, path, endings)
    folder = path.parent
    if path.is_dir():
        reason = os.strerror(errno.EISDIR)
    elif not folder.is_dir():
        reason = os.strerror(errno.ENOTDIR if folder.exists() else errno.ENOENT)
    elif not os.access(path if path.exists() else folder, os.W_OK):
        reason = os.strerror(errno.EACCES)
    else:
        return
    raise WriteError(f"{option} {path} cannot be written: {reason}")


def media_location(path: Path) -> str:
    """What FFmpeg is to open. It takes what stands before a colon for a protocol (``12:30.mp4``)."""
    return f"file:{path.absolute()}"


def files_below(folder: Path, recursive: bool) -> tuple[list[Path], int]:
    """The files in a folder that are not hidden, and how many folders in it were not looked into.

    With ``recursive`` those of the folders in it, too, without following links to folders.
    """
    files: list[Path] = []
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found = (Path(place, name) for name in names if not name.startswith("."))
        files += [path for path in found if path.is_file()]
        if not recursive:
            return files, len(folders)
    return files, 0


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path beside ``path`` that takes its place if the block succeeds, and else is removed.

    The block writes a file there, or makes a folder. It has the same ending. Others see the old content or
    the new one, after a kill, too. (A folder cannot be replaced in one step: between the two there is none.)
    """
    # A name has 255 bytes at most, and this one is longer than the file's own.
    stem = os.fsdecode(os.fsencode(path.stem)[:200])
    pattern = f".{glob.escape(stem)}.*.partial{glob.escape(path.suffix)}"
    for leftover in path.parent.glob(pattern):
        with suppress(FileNotFoundError):  # another process clears up as well
            if time.time() - leftover.stat().st_mtime > _ABANDONED_S:
                _remove(leftover)
    temporary = path.with_name(f".{stem}.{secrets.token_hex(4)}.partial{path.suffix}")
    old = temporary.with_name(f"{temporary.name}.old")
    try:
        yield temporary
        if temporary.is_dir() and path.exists():
            path.rename(old)
        temporary.replace(path)
        _remove(old)
    finally:
        _remove(temporary)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)

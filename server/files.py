"""Files: told apart by their content, and written whole or not at all."""

import glob
import hashlib
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

#: What has not been written to for so long was left by a process that was killed.
_ABANDONED_S = 24 * 3600.0


def sha256_of(path: Path) -> str:
    """A file's SHA-256 in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path beside ``path`` that takes its place if the block succeeds, and else is removed.

    The block writes a file there, or makes a folder. It has the same ending. Others see the old content or
    the new one, after a kill, too. (A folder cannot be replaced in one step: between the two there is none.)
    """
    pattern = f".{glob.escape(path.stem)}.*.partial{glob.escape(path.suffix)}"
    for leftover in path.parent.glob(pattern):
        with suppress(FileNotFoundError):  # another process clears up as well
            if time.time() - leftover.stat().st_mtime > _ABANDONED_S:
                _remove(leftover)
    temporary = path.with_name(f".{path.stem}.{secrets.token_hex(4)}.partial{path.suffix}")
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

"""Folders in which a server keeps people's images: for their owner only, each file whole, and no more than so
many bytes in all."""

import os
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from .exceptions import FolderFullError

#: A file on its way has this ending; what has it after a day was left by a process that was killed.
_PARTIAL = ".partial"
_ABANDONED_S = 24 * 3600.0

#: What is deleted by others makes room again after so long: large folders are not counted for every file.
_COUNT_AGAIN_S = 60.0


class KeptFiles:
    """A folder (0700 where it is made here) of files (0600) with at most ``max_bytes`` in it, subfolders
    included. May be used from several threads at once."""

    def __init__(self, folder: Path, max_bytes: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.folder = folder.expanduser()
        self._max_bytes = max_bytes
        self._clock = clock
        self._used = 0
        self._counted_at: float | None = None
        self._turn = threading.Lock()

    def keep(self, name: str, content: bytes) -> Path:
        """Writes one file, all of it or none, and returns its path; a file of that name is replaced.

        ``name`` is a plain file name, or one in a subfolder ("happiness/0001.jpg"). Raises FolderFullError
        where it would be too much, OSError where the disk does not take it, and ValueError for a name that
        leads elsewhere.
        """
        parts = name.split("/")
        if any(not part or part.startswith(".") or "\\" in part or "\0" in part for part in parts):
            raise ValueError(f"{name!r} is no name of a kept file")
        path = self.folder.joinpath(*parts)
        with self._turn:
            self._make_room(len(content))
            _make_folders(self.folder, path.parent)
            _write(path, content)
            self._used += len(content)
        return path

    def _make_room(self, size: int) -> None:
        now = self._clock()
        if self._counted_at is None or (
            self._used + size > self._max_bytes and now - self._counted_at >= _COUNT_AGAIN_S
        ):
            self._used, self._counted_at = _bytes_in(self.folder), now
        if self._used + size > self._max_bytes:
            raise FolderFullError(
                f"{self.folder} holds {self._used} of the {self._max_bytes} bytes that it may"
            )


def _make_folders(top: Path, folder: Path) -> None:
    top.parent.mkdir(parents=True, exist_ok=True)
    for each in (top, *reversed([part for part in (folder, *folder.parents) if top in part.parents])):
        each.mkdir(mode=0o700, exist_ok=True)


def _write(path: Path, content: bytes) -> None:
    # Made for its owner only, under a name that nobody can have put a link in the place of.
    descriptor, temporary = tempfile.mkstemp(_PARTIAL, ".", path.parent)
    try:
        with open(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(temporary)
        raise


def _bytes_in(folder: Path) -> int:
    """Of all files below, without what killed processes have left, which is deleted."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            path = Path(place, name)
            with suppress(FileNotFoundError):  # somebody deletes it at this moment
                facts = path.lstat()
                if name.endswith(_PARTIAL) and time.time() - facts.st_mtime > _ABANDONED_S:
                    path.unlink()
                else:
                    total += facts.st_size
    return total

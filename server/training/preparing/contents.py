"""Reads the files of a data set from a folder or a tar file."""

import tarfile
from collections.abc import Iterator
from pathlib import Path

from ...exceptions import DatasetError


def contents(source: Path) -> Iterator[tuple[str, bytes]]:
    """Each file's base name and content: those directly in a folder, or all of a tar file.

    Raises DatasetError if ``source`` is neither.
    """
    if source.is_dir():
        for path in source.iterdir():
            if path.is_file():
                yield path.name, path.read_bytes()
        return
    try:
        with tarfile.open(source) as archive:
            for member in archive:
                content = archive.extractfile(member)
                if content is not None:
                    yield Path(member.name).name, content.read()
    except (OSError, tarfile.TarError) as error:
        raise DatasetError(
            f"{source} is neither a folder nor a tar file that can be read: {error}"
        ) from error

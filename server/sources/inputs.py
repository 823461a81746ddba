"""From the files that a person names to their frames. What cannot be read fails alone."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from natsort import natsorted, ns

from ..exceptions import EmostreamError, SourceError
from ..imaging.reading import read_file
from . import Frame, Source, open_source
from .images import is_image

#: What is taken for a video in a folder; a file that is named may be called anything.
VIDEO_SUFFIXES = frozenset(
    f".{ending}"
    for ending in (
        *("3gp", "avi", "flv", "gif", "m2ts", "m4v", "mjpeg", "mkv", "mov", "mp4"),
        *("mpeg", "mpg", "mts", "ogv", "ts", "webm", "wmv"),
    )
)


@dataclass(frozen=True)
class InputFile:
    """An image or a video; ``path`` is None where it is no file. ``frame_rate`` and ``frame_count`` are None
    where nobody knows."""

    index: int
    path: Path | None
    is_image: bool
    frame_rate: float | None = None
    frame_count: int | None = 1


@dataclass(frozen=True)
class InputFrame:
    """One frame of a file. ``is_analyzed`` is false for what ``every`` leaves out."""

    file: InputFile
    frame: Frame
    is_analyzed: bool = True

    @property
    def source(self) -> str | None:
        """The file's path as it was given; None for an image that came from no file."""
        return None if self.file.path is None else str(self.file.path)


@dataclass(frozen=True)
class Failure:
    """An input that cannot be read, or not to its end."""

    path: Path
    error: EmostreamError


def list_files(paths: Sequence[Path]) -> list[Path]:
    """The files themselves: folders are replaced by the images and videos directly in them.

    Raises SourceError for a folder without any.
    """
    files: list[Path] = []
    for path in paths:
        if not path.is_dir():
            files.append(path)
            continue
        inside = [child for child in path.iterdir() if child.is_file() and not child.name.startswith(".")]
        usable = [child for child in inside if is_image(child) or is_video(child)]
        if not usable:
            raise SourceError(f"{path}: there are no images or videos in this folder")
        files += natsorted(usable, key=str, alg=ns.IGNORECASE)
    return files


def is_video(path: Path) -> bool:
    """Whether a file's name says that it is a video."""
    return path.suffix.lower() in VIDEO_SUFFIXES


def read_files(files: Sequence[Path], every: int = 1) -> Iterator[InputFrame | Failure]:
    """The frames of all files in order. Of a video each ``every``-th one is analysed."""
    for index, path in enumerate(files):
        try:
            yield from _read(index, path, every)
        except EmostreamError as error:
            yield Failure(path, error)


def _read(index: int, path: Path, every: int) -> Iterator[InputFrame | Failure]:
    if not path.exists():
        raise SourceError(f"there is no file {path}")
    if is_image(path):
        file = InputFile(index, path, is_image=True)
        yield InputFrame(file, Frame(0, 0.0, read_file(path), path.name))
        return
    # Absolute: a file may be called 0, which would be a camera.
    with open_source(str(path.absolute())) as source:
        yield from read_source(source, path, index, every)


def read_source(
    source: Source, path: Path | None, index: int = 0, every: int = 1
) -> Iterator[InputFrame | Failure]:
    """The frames of an open source, and what ended them too early, if anything did."""
    try:
        yield from _frames(source, path, index, every)
    except EmostreamError as error:
        yield Failure(path or Path(source.description), error)


def _frames(source: Source, path: Path | None, index: int, every: int) -> Iterator[InputFrame]:
    video = InputFile(index, path, False, source.frame_rate, source.frame_count)
    first: int | None = None
    for frame in source:
        first = frame.index if first is None else first
        # Each image is a file of its own: the same place in two of them is not the same person.
        is_image = frame.name is not None
        file = InputFile(index + frame.index, path, is_image=True) if is_image else video
        yield InputFrame(file, frame, is_image or (frame.index - first) % every == 0)
    if first is None:
        raise SourceError(f"{path or source.description} has no images that can be read")

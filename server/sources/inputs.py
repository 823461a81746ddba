"""Reads the frames of named files and folders. An unreadable input does not stop the others."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from natsort import natsorted, ns

from ..exceptions import EmostreamError, SourceError
from ..files import files_below
from ..imaging.reading import read_file
from . import Frame, Source
from .images import is_image
from .opening import open_file

#: Extensions of videos in folders; a file that is named itself may have any extension.
VIDEO_SUFFIXES = frozenset(
    f".{ending}"
    for ending in (
        *("3gp", "avi", "flv", "gif", "m2ts", "m4v", "mjpeg", "mkv", "mov", "mp4"),
        *("mpeg", "mpg", "mts", "ogv", "ts", "webm", "wmv"),
    )
)


@dataclass(frozen=True)
class InputFile:
    """An image or a video; ``path`` is None if it is not a file. ``frame_rate`` and ``frame_count`` are None
    if unknown."""

    index: int
    path: Path | None
    is_image: bool
    frame_rate: float | None = None
    frame_count: int | None = 1


@dataclass(frozen=True)
class InputFrame:
    """One frame of a file. ``is_analyzed`` is false for frames that ``every`` skips."""

    file: InputFile
    frame: Frame
    is_analyzed: bool = True

    @property
    def source(self) -> str | None:
        """The file's path as given; None for an image that is not from a file."""
        return None if self.file.path is None else str(self.file.path)


@dataclass(frozen=True)
class Failure:
    """An input that could not be read, or not to its end."""

    path: Path
    error: EmostreamError


@dataclass(frozen=True)
class Listing:
    """The inputs that some names stand for.

    ``places`` has each file's path relative to the named folder, or its bare name. ``left_out`` has one
    message for each kind of entry that is not an input."""

    files: list[Path]
    places: list[Path]
    failures: list[Failure]
    left_out: list[str]


def list_files(paths: Sequence[Path], recursive: bool = False) -> Listing:
    """Replaces folders by the images and videos in them, with ``recursive`` also in their subfolders.

    Raises SourceError for a folder without any, and if none of the files exists.
    """
    listing = Listing([], [], [], [])
    for path in paths:
        if path.is_dir():
            _list_folder(path, recursive, listing)
        elif path.exists():
            listing.files.append(path)
            listing.places.append(Path(path.name))
        else:
            listing.failures.append(Failure(path, SourceError(f"there is no file {path}")))
    if not listing.files:
        raise listing.failures[0].error
    return listing


def _list_folder(folder: Path, recursive: bool, listing: Listing) -> None:
    inside, closed_folders = files_below(folder, recursive)
    usable = [child for child in inside if is_image(child) or is_video(child)]
    if not usable:
        hint = f", except in {_counted(closed_folders, 'subfolder')} (--recursive)" if closed_folders else ""
        raise SourceError(f"{folder}: there are no images or videos in this folder{hint}")
    for child in natsorted(usable, key=str, alg=ns.IGNORECASE):
        listing.files.append(child)
        listing.places.append(child.relative_to(folder))
    others = Counter(child.suffix.lower() or "no extension" for child in set(inside) - set(usable))
    if others:
        kinds = ", ".join(f"{count} {ending}" for ending, count in others.most_common(5))
        listing.left_out.append(
            f"{folder}: {_counted(others.total(), 'file')} skipped, neither images nor videos ({kinds})"
        )
    if closed_folders:
        listing.left_out.append(
            f"{folder}: {_counted(closed_folders, 'subfolder')} skipped; --recursive includes them"
        )


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def is_video(path: Path) -> bool:
    """Whether the file's extension is that of a video."""
    return path.suffix.lower() in VIDEO_SUFFIXES


def read_files(files: Sequence[Path], every: int = 1) -> Iterator[InputFrame | Failure]:
    """The frames of all files in order. Every ``every``-th frame of a video is analysed."""
    for index, path in enumerate(files):
        try:
            yield from _read(index, path, every)
        except EmostreamError as error:
            yield Failure(path, error)
        except Exception as error:  # an unexpected error of a library: this file fails, the others go on
            yield Failure(path, SourceError(f"{path} cannot be read: {type(error).__name__}: {error}"))


def _read(index: int, path: Path, every: int) -> Iterator[InputFrame | Failure]:
    if not path.exists():
        raise SourceError(f"there is no file {path}")
    if is_image(path):
        file = InputFile(index, path, is_image=True)
        yield InputFrame(file, Frame(0, 0.0, read_file(path), path.name))
        return
    with open_file(path) as source:
        yield from read_source(source, path, index, every)


def read_source(
    source: Source, path: Path | None, index: int = 0, every: int = 1
) -> Iterator[InputFrame | Failure]:
    """The frames of an open source, and the error that ended them early, if any."""
    try:
        yield from _frames(source, path, index, every)
    except EmostreamError as error:
        yield Failure(path or Path(source.description), error)


def _frames(source: Source, path: Path | None, index: int, every: int) -> Iterator[InputFrame]:
    video = InputFile(index, path, False, source.frame_rate, source.frame_count)
    first: int | None = None
    for frame in source:
        first = frame.index if first is None else first
        # Images are separate files: the same position in two of them may be two persons.
        is_image = frame.name is not None
        file = InputFile(index + frame.index, path, is_image=True) if is_image else video
        yield InputFrame(file, frame, is_image or (frame.index - first) % every == 0)
    if first is None:
        raise SourceError(f"{path or source.description} has no images that can be read")

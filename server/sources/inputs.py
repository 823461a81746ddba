"""From what a person names to pictures, one after the other; what cannot be read fails alone."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..exceptions import EmostreamError, SourceError
from . import Frame, open_source
from .images import PictureFiles, is_picture, natural_order, read_picture

#: What is taken for a video in a folder; a file that is named may be called anything.
VIDEO_SUFFIXES = frozenset(
    f".{ending}"
    for ending in (
        *("3gp", "avi", "flv", "gif", "m2ts", "m4v", "mjpeg", "mkv", "mov", "mp4"),
        *("mpeg", "mpg", "mts", "ogv", "ts", "webm", "wmv"),
    )
)


@dataclass(frozen=True)
class Clip:
    """One input: a picture or a video. ``frame_rate`` and ``frame_count`` are None where nobody knows."""

    index: int
    path: Path
    is_still: bool
    frame_rate: float | None = None
    frame_count: int | None = 1


@dataclass(frozen=True)
class Shot:
    """One picture of a clip. ``is_analysed`` is false for what ``every`` leaves out."""

    clip: Clip
    frame: Frame
    is_analysed: bool = True


@dataclass(frozen=True)
class Failure:
    """An input that cannot be read, or not to its end."""

    path: Path
    error: EmostreamError


def listed(paths: Sequence[Path]) -> list[Path]:
    """The files themselves: folders are replaced by the pictures and videos directly in them.

    Raises SourceError for a folder without any.
    """
    files: list[Path] = []
    for path in paths:
        if not path.is_dir():
            files.append(path)
            continue
        inside = [child for child in path.iterdir() if child.is_file() and not child.name.startswith(".")]
        usable = [child for child in inside if is_picture(child) or is_video(child)]
        if not usable:
            raise SourceError(f"{path}: there are no pictures or videos in this folder")
        files += sorted(usable, key=natural_order)
    return files


def is_video(path: Path) -> bool:
    """Whether a file's name says that it is a video."""
    return path.suffix.lower() in VIDEO_SUFFIXES


def read_all(files: Sequence[Path], every: int = 1) -> Iterator[Shot | Failure]:
    """The pictures of all files in order. Of a video each ``every``-th one is analysed."""
    for index, path in enumerate(files):
        try:
            yield from _read(index, path, every)
        except EmostreamError as error:
            yield Failure(path, error)


def _read(index: int, path: Path, every: int) -> Iterator[Shot]:
    if not path.exists():
        raise SourceError(f"there is no file {path}")
    if is_picture(path):
        yield Shot(Clip(index, path, is_still=True), Frame(0, 0.0, read_picture(path), path.name))
        return
    # Absolute: a file may be called 0, which would be a camera.
    with open_source(str(path.absolute())) as source:
        is_still = isinstance(source, PictureFiles)
        clip = Clip(index, path, is_still, source.frame_rate, source.frame_count)
        frames = 0
        for frame in source:
            frames += 1
            yield Shot(clip, frame, is_still or frame.index % every == 0)
        if not frames:
            raise SourceError(f"{path} has no pictures that can be read")

"""What a person may write for SOURCE, and which source that is."""

import glob
import io
import os
import re
import sys
from pathlib import Path
from urllib.parse import urlsplit

from ..addresses import without_secrets
from ..exceptions import SourceError
from .camera import CameraSource
from .images import PICTURE_SUFFIXES, FetchedPicture, PictureFiles, is_picture, natural_order
from .reopening import ReopenedSource
from .source import Source
from .video import JpegPipe, VideoSource

_CAMERA = "camera:"
_SCHEMES = frozenset({"rtsp", "rtsps", "rtmp", "http", "https"})


def open_source(source: str, start: int = 0) -> Source:
    """Opens what a person may mean.

    A camera's index or device path, or ``camera:`` and whatever else OpenCV knows it by; a video file; an
    rtsp, http or https address (a video, an MJPEG stream or one picture); a picture; a folder or pattern of
    pictures; or ``-`` for JPEGs on standard input.

    ``start`` is the index of the first frame to yield; live sources always start now, and are opened again
    when they break off. Raises SourceError.
    """
    if source == "-":
        # Unbuffered: a pipe's picture should not wait for the next ones to fill a buffer.
        return JpegPipe(io.FileIO(sys.stdin.fileno(), closefd=False), start)
    if re.fullmatch(r"[0-9]{1,3}", source):
        return _open_camera(int(source))
    if source.startswith(_CAMERA):
        device = source.removeprefix(_CAMERA)
        return _open_camera(int(device)) if device.isdecimal() else CameraSource(device)
    if "://" in source:
        return _open_address(source, start)
    path = Path(source).expanduser()
    if source.startswith("/dev/") and not path.is_file():
        return _open_camera(source)
    if path.is_dir():
        pictures = [child for child in path.iterdir() if child.is_file()]
        return _open_many(pictures, f"folder {source}", start)
    if path.exists():
        return _open_file(path, start)
    if glob.has_magic(source):
        found = [Path(name) for name in glob.iglob(os.path.expanduser(source), recursive=True)]
        return _open_many(found, source, start)
    raise SourceError(
        f"there is no file {source}; a source is a camera (0), a video, a picture, a folder, "
        "an address, or - for standard input"
    )


def _open_camera(device: int | str) -> Source:
    return ReopenedSource(lambda: CameraSource(device), CameraSource(device))


def _open_address(address: str, start: int) -> Source:
    parts = urlsplit(address)
    if parts.scheme not in _SCHEMES:
        shown, known = without_secrets(address), ", ".join(sorted(_SCHEMES))
        raise SourceError(f"{shown}: cannot read {parts.scheme}://, only {known}")
    if parts.scheme.startswith("http") and is_picture(Path(parts.path)):
        return FetchedPicture(address, start)
    video = VideoSource(address, start)
    if video.is_picture:
        video.close()
        return FetchedPicture(address, start)
    return ReopenedSource(lambda: VideoSource(address), video) if video.is_live else video


def _open_file(path: Path, start: int) -> Source:
    if is_picture(path):
        return PictureFiles([path], str(path), start)
    video = VideoSource(str(path), start)
    if video.is_picture:  # whatever it is called
        video.close()
        return PictureFiles([path], str(path), start)
    return video


def _open_many(paths: list[Path], what: str, start: int) -> Source:
    pictures = sorted((path for path in paths if is_picture(path)), key=natural_order)
    if not pictures:
        raise SourceError(f"{what}: no pictures there ({', '.join(sorted(PICTURE_SUFFIXES))})")
    return PictureFiles(pictures, f"{what} ({len(pictures)} pictures)", start)

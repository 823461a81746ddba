"""Opens the source that a SOURCE argument stands for."""

import glob
import io
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from natsort import natsorted, ns

from ..addresses import without_secrets
from ..exceptions import SourceError
from ..extras import needed_for
from ..files import files_below
from ..imaging.reading import IMAGE_SUFFIXES
from .images import FetchedImage, ImageFiles, is_image
from .reopening import ReopenedSource
from .source import Source

if TYPE_CHECKING:  # PyAV, which comes with the extra "video"
    from .video import VideoSource

_CAMERA = "camera:"
_SCHEMES = frozenset({"rtsp", "rtsps", "rtmp", "http", "https"})


def open_source(source: str, recursive: bool = False) -> Source:
    """Opens a source by its name.

    A name is a camera's index or device path, or ``camera:`` and any other name that OpenCV accepts; a video
    file; an rtsp, http or https address (a video, an MJPEG stream or one image); an image; a folder or
    pattern of images, with ``recursive`` including subfolders; or ``-`` for JPEGs on standard input.

    Live sources are reopened when they break off. Raises SourceError, and MissingExtraError for a video
    or camera if the libraries that read it are not installed.
    """
    if source == "-":
        with needed_for("reading JPEGs from standard input"):
            from .video import JpegPipe

        # Unbuffered: an image in a pipe must not wait until others fill a buffer.
        return JpegPipe(io.FileIO(sys.stdin.fileno(), closefd=False))
    if re.fullmatch(r"[0-9]{1,3}", source):
        return _open_camera(int(source), reopens=True)
    if source.startswith(_CAMERA) and not Path(source).is_file():
        device = source.removeprefix(_CAMERA)
        is_index = device.isdecimal()
        return _open_camera(int(device) if is_index else device, reopens=is_index)
    if "://" in source:
        return _open_address(source)
    path = Path(source).expanduser()
    if source.startswith("/dev/") and not path.is_file():
        return _open_camera(source, reopens=True)
    if path.is_dir():
        return _open_many(files_below(path, recursive)[0], f"folder {source}")
    if path.exists():
        return open_file(path)
    if glob.has_magic(source):
        found = [Path(name) for name in glob.iglob(os.path.expanduser(source), recursive=True)]
        return _open_many(found, source)
    raise SourceError(
        f"there is no file {source}; a source is a camera (0), a video, an image, a folder, "
        "an address, or - for standard input"
    )


def _open_camera(device: int | str, reopens: bool) -> Source:
    with needed_for("opening a camera"):
        from .camera import CameraSource

    camera = CameraSource(device)
    return ReopenedSource(lambda: CameraSource(device), camera) if reopens else camera


def _open_video(location: str | Path) -> "VideoSource":
    with needed_for("reading a video"):
        from .video import VideoSource

    return VideoSource(location)


def _open_address(address: str) -> Source:
    parts = urlsplit(address)
    if parts.scheme not in _SCHEMES:
        shown, known = without_secrets(address), ", ".join(sorted(_SCHEMES))
        raise SourceError(f"{shown}: cannot read {parts.scheme}://, only {known}")
    if parts.scheme.startswith("http") and is_image(Path(parts.path)):
        return FetchedImage(address)
    video = _open_video(address)
    if video.is_image:
        video.close()
        return FetchedImage(address)
    return ReopenedSource(lambda: _open_video(address), video) if video.is_live else video


def open_file(path: Path) -> Source:
    """Opens an image or a video, whatever its extension. Raises like ``open_source``."""
    if is_image(path):
        return ImageFiles([path], str(path))
    video = _open_video(path)
    if video.is_image:  # whatever its extension
        video.close()
        return ImageFiles([path], str(path))
    return video


def _open_many(paths: list[Path], what: str) -> Source:
    images = natsorted((path for path in paths if is_image(path)), key=str, alg=ns.IGNORECASE)
    if not images:
        raise SourceError(f"{what}: no images there ({', '.join(sorted(IMAGE_SUFFIXES))})")
    return ImageFiles(images, f"{what} ({len(images)} images)")

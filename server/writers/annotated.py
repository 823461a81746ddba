"""Annotated copies: images as files of their own type, videos as MP4."""

from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from ..analysis.pipeline import AnalyzedFrame
from ..annotation import Annotator
from ..exceptions import WriteError
from ..sources.images import IMAGE_SUFFIXES, is_image
from ..sources.inputs import InputFile
from .video import SUFFIXES, VideoWriter

_IMAGE_OPTIONS: dict[str, dict[str, int]] = {
    "JPEG": {"quality": 92},
    "PNG": {"compress_level": 3},
    "WEBP": {"quality": 90},
}


def targets(files: Sequence[Path], out: Path, is_folder: bool) -> list[Path]:
    """Where each file's annotated copy goes; the folder is made if it is one.

    ``is_folder`` says that ``out`` is to be a folder: for several files, or for a folder of them. Raises
    WriteError where a copy would lie on an input, or have an ending that nothing can be written to.
    """
    if not is_folder and not out.is_dir():
        allowed = IMAGE_SUFFIXES if is_image(files[0]) else SUFFIXES
        if out.suffix.lower() not in allowed:
            raise WriteError(f"--annotate {out}: the name must end in {', '.join(sorted(allowed))}")
        chosen = [out]
    else:
        names = [_copy_name(path, path.stem) for path in files]
        # Inputs of one name keep their endings, or get their folders' names.
        for stems in ([path.name for path in files], [f"{path.parent.name}-{path.name}" for path in files]):
            names = [
                _copy_name(path, stem) if names.count(name) > 1 else name
                for path, stem, name in zip(files, stems, names, strict=True)
            ]
        if len(set(names)) < len(names):
            raise WriteError(f"--annotate {out}: a file is named twice; give each input once")
        chosen = [out / name for name in names]
    inputs = {path.resolve() for path in files}
    for path in chosen:
        if path.resolve() in inputs:
            raise WriteError(f"--annotate {out}: {path} would be overwritten; choose another place")
    try:
        (out if is_folder else out.parent).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(f"--annotate {out} cannot be written: {error.strerror}") from error
    return chosen


def _copy_name(path: Path, stem: str) -> str:
    ending = path.suffix if is_image(path) else ".mp4"
    return stem if stem.endswith(ending) else stem + ending


class CopyWriter:
    """Writes the annotated copies of one run, file after file. ``paths`` are by the files' index."""

    def __init__(self, paths: Sequence[Path], labels: Sequence[str]) -> None:
        self._paths = paths
        self._labels = labels
        self._annotator: tuple[tuple[int, int], Annotator] | None = None
        self._video: tuple[InputFile, VideoWriter] | None = None

    def draw(self, analyzed: AnalyzedFrame) -> None:
        """Draws into the frame's own pixels, which have to be writable."""
        image_rgb = analyzed.input.frame.image_rgb
        size_wh = (image_rgb.shape[1], image_rgb.shape[0])
        if self._annotator is None or self._annotator[0] != size_wh:
            self._annotator = (size_wh, Annotator(size_wh, self._labels))
        self._annotator[1].draw(image_rgb, analyzed.faces)

    def write(self, analyzed: AnalyzedFrame) -> None:
        """Writes a frame that has been drawn into. Raises WriteError."""
        file, frame = analyzed.input.file, analyzed.input.frame
        out = self._paths[file.index]
        if self._video is not None and self._video[0].index != file.index:
            self.finish(is_complete=True)
        if file.is_image:
            _save(Image.fromarray(frame.image_rgb), file.path, out)
            return
        if self._video is None:
            height, width, _ = frame.image_rgb.shape
            self._video = (file, VideoWriter(out, (width, height), file.frame_rate, sound_of=file.path))
        self._video[1].write(frame.image_rgb, frame.time_s)

    def finish(self, is_complete: bool) -> None:
        """Makes the video in progress whole, if there is one. Raises WriteError."""
        video, self._video = self._video, None
        if video is not None:
            video[1].finish(is_complete)


def _save(image: Image.Image, source: Path | None, out: Path) -> None:
    file_format = {".png": "PNG", ".webp": "WEBP"}.get(out.suffix.lower(), "JPEG")
    options: dict[str, object] = dict(_IMAGE_OPTIONS[file_format])
    if source is not None:
        with Image.open(source) as original:
            if profile := original.info.get("icc_profile"):
                options["icc_profile"] = profile  # or a telephone's colours turn pale
    try:
        image.save(out, file_format, **options)
    except OSError as error:
        raise WriteError(f"{out} cannot be written: {error.strerror or error}") from error

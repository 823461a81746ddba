"""Annotated copies: images as files of their own type, videos as MP4."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from ..analysis.pipeline import AnalyzedFrame
from ..annotation import Annotator
from ..exceptions import WriteError
from ..files import check_ending, replacing
from ..sources.images import is_image
from .video import SUFFIXES, VideoWriter

#: Format and options of a copy by its extension. HEIC and AVIF become JPEG.
_FORMATS: dict[str, tuple[str, dict[str, object]]] = {
    **dict.fromkeys((".jpg", ".jpeg"), ("JPEG", {"quality": 92})),
    ".png": ("PNG", {"compress_level": 3}),
    ".webp": ("WEBP", {"quality": 90}),
    **dict.fromkeys((".bmp", ".dib"), ("BMP", {})),
    **dict.fromkeys((".tif", ".tiff"), ("TIFF", {"compression": "tiff_lzw"})),
}


def targets(files: Sequence[Path], out: Path, is_folder: bool, places: Sequence[Path] = ()) -> list[Path]:
    """The path of each file's annotated copy; creates the folder if ``out`` is one.

    ``is_folder`` says that ``out`` is a folder: for several files, or for a folder of them. ``places``
    are the files' paths relative to the named folders; their copies get the same paths below ``out``. Raises
    WriteError if a copy would overwrite an input, or has an unsupported extension.
    """
    if not is_folder and not out.is_dir():
        check_ending("--annotate", out, sorted(_FORMATS if is_image(files[0]) else SUFFIXES))
        chosen = [out]
    else:
        places = places or [Path(path.name) for path in files]
        names = [
            str(place.parent / _copy_name(path, path.stem)) for path, place in zip(files, places, strict=True)
        ]
        # Inputs with the same name keep their extensions, or get their folders' names.
        for stems in ([path.name for path in files], [f"{path.parent.name}-{path.name}" for path in files]):
            counts = Counter(names)
            names = [
                str(place.parent / _copy_name(path, stem)) if counts[name] > 1 else name
                for path, place, stem, name in zip(files, places, stems, names, strict=True)
            ]
        if len(set(names)) < len(names):
            raise WriteError(f"--annotate {out}: a file is given twice; give each input once")
        chosen = [out / name for name in names]
    inputs = {path.resolve() for path in files}
    for path in chosen:
        if path.resolve() in inputs:
            raise WriteError(f"--annotate {out}: {path} would be overwritten; choose another place")
    try:
        for folder in {path.parent for path in chosen}:
            folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(f"--annotate {out} cannot be written: {error.strerror}") from error
    return chosen


def _copy_name(path: Path, stem: str) -> str:
    ending = ".mp4"
    if is_image(path):
        ending = path.suffix if path.suffix.lower() in _FORMATS else ".jpg"
    return stem if stem.endswith(ending) else stem + ending


class CopyWriter:
    """Writes the annotated copies of one run, file by file. ``paths`` maps file indices to paths."""

    def __init__(self, paths: Sequence[Path], labels: Sequence[str]) -> None:
        self._paths = paths
        self._labels = labels
        self._annotator: tuple[tuple[int, int], Annotator] | None = None
        self._video: VideoWriter | None = None

    def draw(self, analyzed: AnalyzedFrame) -> None:
        """Draws into the frame's own pixels, which have to be writable."""
        image_rgb = analyzed.input.frame.image_rgb
        size_wh = (image_rgb.shape[1], image_rgb.shape[0])
        if self._annotator is None or self._annotator[0] != size_wh:
            self._annotator = (size_wh, Annotator(size_wh, self._labels))
        self._annotator[1].draw(image_rgb, analyzed.faces)

    def write(self, analyzed: AnalyzedFrame) -> None:
        """Writes an annotated frame. The previous video must be finished. Raises WriteError."""
        file, frame = analyzed.input.file, analyzed.input.frame
        out = self._paths[file.index]
        if file.is_image:
            _save(Image.fromarray(frame.image_rgb), out)
            return
        if self._video is None:
            height, width, _ = frame.image_rgb.shape
            self._video = VideoWriter(out, (width, height), file.frame_rate, sound_of=file.path)
        self._video.write(frame.image_rgb, frame.time_s)

    def finish(self, is_complete: bool) -> None:
        """Completes the video in progress, if there is one. Raises WriteError."""
        video, self._video = self._video, None
        if video is not None:
            video.finish(is_complete)

    def discard(self) -> None:
        """Deletes the video in progress, after an error."""
        video, self._video = self._video, None
        if video is not None:
            video.discard()


def _save(image: Image.Image, out: Path) -> None:
    """The copy's name: an image without an image's extension gets one."""
    if out.suffix.lower() not in _FORMATS:
        out = out.with_suffix(".jpg")
    file_format, options = _FORMATS[out.suffix.lower()]
    try:
        with replacing(out) as temporary:
            image.save(temporary, file_format, **options)
    except OSError as error:
        raise WriteError(f"{out} cannot be written: {error.strerror or error}") from error

"""Annotated copies: pictures as files of their own type, videos as MP4."""

from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from ..analysis.pipeline import SeenShot
from ..annotation.overlay import Overlay, OverlayFace
from ..exceptions import RecordError
from ..sources.images import PICTURE_SUFFIXES, is_picture
from ..sources.inputs import Clip
from .video import SUFFIXES, FilmWriter

_PICTURE_OPTIONS: dict[str, dict[str, int]] = {
    "JPEG": {"quality": 92},
    "PNG": {"compress_level": 3},
    "WEBP": {"quality": 90},
}


def targets(files: Sequence[Path], out: Path, is_folder: bool) -> list[Path]:
    """Where each file's annotated copy goes; the folder is made if it is one.

    ``is_folder`` says that ``out`` is to be a folder: for several files, or for a folder of them. Raises
    RecordError where a copy would lie on an input, or have an ending that nothing can be written to.
    """
    if not is_folder and not out.is_dir():
        allowed = PICTURE_SUFFIXES if is_picture(files[0]) else SUFFIXES
        if out.suffix.lower() not in allowed:
            raise RecordError(f"--annotate {out}: the name must end in {', '.join(sorted(allowed))}")
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
            raise RecordError(f"--annotate {out}: a file is named twice; give each input once")
        chosen = [out / name for name in names]
    inputs = {path.resolve() for path in files}
    for path in chosen:
        if path.resolve() in inputs:
            raise RecordError(f"--annotate {out}: {path} would be overwritten; choose another place")
    try:
        (out if is_folder else out.parent).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RecordError(f"--annotate {out} cannot be written: {error.strerror}") from error
    return chosen


def _copy_name(path: Path, stem: str) -> str:
    ending = path.suffix if is_picture(path) else ".mp4"
    return stem if stem.endswith(ending) else stem + ending


class Annotator:
    """Writes the copies of one run, clip after clip. ``paths`` are by the clips' index."""

    def __init__(self, paths: Sequence[Path], labels: Sequence[str]) -> None:
        self._paths = paths
        self._labels = labels
        self._clip: Clip | None = None
        self._overlay: Overlay | None = None
        self._film: FilmWriter | None = None
        self._size_wh = (0, 0)

    def draw(self, seen: SeenShot) -> None:
        """Draws into the shot's own pixels, which have to be writable."""
        pixels = seen.shot.frame.image_rgb
        size_wh = (pixels.shape[1], pixels.shape[0])
        if self._overlay is None or size_wh != self._size_wh:
            self._overlay, self._size_wh = Overlay(size_wh, self._labels), size_wh
        self._overlay.draw(
            pixels, [OverlayFace(face.face_id, face.box_xywh, face.probabilities) for face in seen.faces]
        )

    def write(self, seen: SeenShot) -> None:
        """Writes a shot that has been drawn into. Raises RecordError."""
        shot = seen.shot
        if shot.clip.is_still:
            self.finish_clip(is_complete=True)
            _save(Image.fromarray(shot.frame.image_rgb), shot.clip.path, self._paths[shot.clip.index])
            return
        if self._clip is None or self._clip.index != shot.clip.index:
            self.finish_clip(is_complete=True)
            height, width, _ = shot.frame.image_rgb.shape
            path = self._paths[shot.clip.index]
            self._film = FilmWriter(path, (width, height), shot.clip.frame_rate, sound_of=shot.clip.path)
            self._clip = shot.clip
        assert self._film is not None  # made with the clip's first shot
        self._film.write(shot.frame.image_rgb, shot.frame.time_s)

    def finish_clip(self, is_complete: bool) -> None:
        """Makes the video under way whole, if there is one. Raises RecordError."""
        film, self._film, self._clip = self._film, None, None
        if film is not None:
            film.finish(is_complete)


def _save(picture: Image.Image, source: Path, out: Path) -> None:
    file_format = {".png": "PNG", ".webp": "WEBP"}.get(out.suffix.lower(), "JPEG")
    options: dict[str, object] = dict(_PICTURE_OPTIONS[file_format])
    with Image.open(source) as original:
        if profile := original.info.get("icc_profile"):
            options["icc_profile"] = profile  # or a telephone's colours turn pale
    try:
        picture.save(out, file_format, **options)
    except OSError as error:
        raise RecordError(f"{out} cannot be written: {error.strerror or error}") from error

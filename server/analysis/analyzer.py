"""``emostream.analyze`` and ``emostream.Analyzer``: which emotions are in this image, from Python."""

import logging
import os
import threading
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self

import numpy as np
import numpy.typing as npt
from PIL import Image

from ..exceptions import EmostreamError
from ..extras import needed_for
from ..faces import Faces
from ..imaging.reading import ImageInput, read_pixels
from ..sources import Frame, Source, open_source
from ..sources.inputs import Failure, InputFile, InputFrame, read_source
from ..sources.pace import realtime

if TYPE_CHECKING:  # loaded by the first Analyzer: the class itself can be named without its extra
    from .pipeline import Pipeline
    from .video import FrameAnalysis

logger = logging.getLogger(__name__)

#: Whatever a video can be called by: a path, an address, a camera's number, an open source, or images.
VideoInput = str | Path | int | Source | Iterable[ImageInput]

#: Held while ``analyze`` loads a model, so that threads that start together load it once.
_loading = threading.Lock()


class Analyzer:
    """A model and a face detector in this process, loaded once and closed by ``with`` or ``close``.

    Safe to use from several threads, and inside a running event loop, which it keeps waiting. It does not
    survive a fork: a child process makes its own.
    """

    def __init__(
        self,
        model: str | Path | None = None,
        *,
        device: str | None = None,
        max_faces: int = 32,
        min_face_px: int | None = None,
        smoothing: float = 0.0,
    ) -> None:
        """``model`` is a name of ``emostream weights list`` (several with commas between), a run's folder or
        a weights file; None: what the server and the command line take, as settings and ``emostream weights
        use`` say. ``device`` is "auto", "cpu", "cuda" or "cuda:N".

        At most ``max_faces`` faces of an image are analysed, the largest ones. ``min_face_px`` is the side of
        the smallest face to look for; None: 24 in images, and in videos a thirtieth of the frame's shorter
        side if that is more. ``smoothing`` in [0, 1) is the weight of a face's past, in videos. Other
        settings come from the environment (EMOSTREAM_*), as for the command line.

        Raises ModelError, DetectorError, SettingsError, ValueError for a number out of its range, and
        MissingExtraError without ``emostream[server]``.
        """
        if not 0 <= smoothing < 1:
            raise ValueError(f"smoothing is from 0 to below 1, not {smoothing}")
        _check_whole("max_faces", max_faces, 1)
        _check_whole("min_face_px", 12 if min_face_px is None else min_face_px, 12)
        with needed_for("analysis in this process", extra="server"):
            from ..detection.detector import FaceDetector
            from ..loading import chosen_ensemble, find_model, load_recognizer
            from ..process import configure_process
            from ..settings import read_settings
            from .finder import FaceFinder
            from .video import AnalysisOptions
        configure_process()
        settings = read_settings(device=device)
        entry = chosen_ensemble(settings) if model is None else find_model(str(model), settings)[0]
        self._options = AnalysisOptions(max_faces, min_face_px, smoothing)
        self._recognizer = load_recognizer(settings, entry)
        detector = FaceDetector.load(settings.faces_dir, settings.min_face_px)
        self._finder = FaceFinder(detector, self._recognizer.input_sizes)
        self._is_closed = False
        self._process = os.getpid()
        #: Name of the model.
        self.model: str = self._recognizer.name
        #: Labels of every face's probabilities, in their order.
        self.labels: tuple[str, ...] = self._recognizer.labels

    def analyze(self, image: ImageInput) -> Faces:
        """The faces of one image, largest first.

        ``image`` is a path, a JPEG, PNG or WebP file's bytes, a PIL image, or an array uint8 (H, W, 3) RGB.
        Files and PIL images are turned upright as their EXIF orientation says. Raises SourceError for a file
        that cannot be read, ImageError for bytes that are no image, TypeError or ValueError for another
        object.
        """
        (faces,) = self.analyze_many([image])
        return faces

    def analyze_many(
        self, images: Iterable[ImageInput], *, errors: Literal["raise", "skip"] = "raise"
    ) -> Iterator[Faces]:
        """The faces of each image, in their order. Images are decoded while others are recognised, and their
        faces are recognised together.

        Raises as ``analyze`` does, at the image that cannot be read; with ``errors="skip"`` it is logged and
        left out, and ``Faces.source`` says which images the others are.
        """
        if isinstance(images, str | bytes | Path | Image.Image):
            raise TypeError(f"analyze_many takes several images, not one {type(images).__name__}")
        if errors not in ("raise", "skip"):
            raise ValueError(f'errors is "raise" or "skip", not {errors!r}')
        self._check_open()
        items = (_still(index, image, errors == "skip") for index, image in enumerate(images))
        return self._run(items, skips=errors == "skip")

    def track(self, video: VideoInput, *, every: int = 1, frame_rate: float = 25.0) -> Iterator[Faces]:
        """The faces of each frame: the same ids, smoothing and times as ``emostream predict``.

        ``video`` is a path, an address, a camera's number, a ``Source``, which stays open, or an iterable of
        images, which are ``frame_rate`` a second. Each ``every``-th frame is analysed and yielded; of a
        camera or live address it is the newest frame each time, and there is no end. Images of a folder or
        pattern are no video: each counts its faces from 1. Raises SourceError when the source cannot be read,
        or not to its end.
        """
        _check_whole("every", every, 1)
        if not 0 < frame_rate < float("inf"):
            raise ValueError(f"frame_rate is more than 0, not {frame_rate}")
        self._check_open()
        return self._track(video, every, frame_rate)

    def _track(self, video: VideoInput, every: int, frame_rate: float) -> Iterator[Faces]:
        if not isinstance(video, str | Path | int | Source):
            yield from self._run(_frames(video, every, frame_rate))
            return
        with ExitStack() as stack:
            path = None
            if isinstance(video, Source):
                source = video
            else:
                # A Path is never a camera or an address.
                name = str(video.absolute()) if isinstance(video, Path) else str(video)
                source = stack.enter_context(open_source(name))
                path = Path(str(video)) if Path(name).is_file() else None
            if not source.is_live:
                yield from self._run(read_source(source, path, every=every))
                return
            analysis, frames = self.frame_analysis(), realtime(source)
            stack.callback(frames.close)
            for frame in frames:
                yield analysis.analyze(frame)

    def frame_analysis(self) -> "FrameAnalysis":
        """For one video's frames, one at a time."""
        from .video import FrameAnalysis

        self._check_open()
        return FrameAnalysis(self._finder, self._recognizer, self._options)

    def pipeline(self, items: Iterator[InputFrame | Failure]) -> "Pipeline":
        """All stages at work at once, for several files; see ``Pipeline``."""
        from .pipeline import Pipeline

        self._check_open()
        return Pipeline(items, self._finder, self._recognizer, self._options)

    def close(self) -> None:
        """Nothing can be analysed any more. The model's memory is free once nothing else refers to it."""
        self._is_closed = True
        vars(self).pop("_recognizer", None)
        vars(self).pop("_finder", None)

    def __enter__(self) -> Self:
        self._check_open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _check_open(self) -> None:
        if self._is_closed:
            raise EmostreamError("this analyzer is closed")
        if self._process != os.getpid():
            raise EmostreamError(
                "an Analyzer's threads do not survive a fork: make one in the child process, or let "
                'multiprocessing start it by "spawn"'
            )

    def _run(self, items: Iterator[InputFrame | Failure], skips: bool = False) -> Iterator[Faces]:
        with self.pipeline(items) as pipeline:
            for item in pipeline:
                if isinstance(item, Failure):
                    if not skips:
                        raise item.error
                    logger.warning("skipped: %s", item.error)
                elif item.input.is_analyzed:
                    yield item.faces


def analyze(image: ImageInput, model: str | Path | None = None) -> Faces:
    """The faces of one image, largest first: ``Analyzer(model).analyze(image)``.

    The model is loaded by the first call, in seconds, and kept for the next ones. An ``Analyzer`` of your own
    says when it is let go.
    """
    with _loading:
        analyzer = _kept_analyzer(model)
    return analyzer.analyze(image)


@cache
def _kept_analyzer(model: str | Path | None) -> Analyzer:
    return Analyzer(model)


def _check_whole(name: str, value: object, least: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise ValueError(f"{name} is a whole number of at least {least}, not {value!r}")


def _still(index: int, image: ImageInput, skips: bool) -> InputFrame | Failure:
    try:
        pixels, name = _own_pixels(image)
    except EmostreamError as error:
        if not skips:
            raise
        return Failure(Path(f"image {index}"), error)
    file = InputFile(index, None if name is None else Path(name), is_image=True)
    return InputFrame(file, Frame(0, 0.0, pixels, name))


def _frames(images: Iterable[ImageInput], every: int, frame_rate: float) -> Iterator[InputFrame]:
    file = InputFile(0, None, is_image=False, frame_rate=frame_rate, frame_count=None)
    for index, image in enumerate(images):
        pixels, _ = _own_pixels(image)
        yield InputFrame(file, Frame(index, index / frame_rate, pixels, None), index % every == 0)


def _own_pixels(image: ImageInput) -> tuple[npt.NDArray[np.uint8], str | None]:
    """As ``read_pixels``. Images are read ahead and kept, and a program may fill its array anew meanwhile."""
    return read_pixels(image.copy() if isinstance(image, np.ndarray) else image)

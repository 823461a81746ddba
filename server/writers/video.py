"""Videos as files: H.264 in MP4, with the sound of the video that the frames came from."""

import logging
from contextlib import ExitStack, suppress
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import numpy.typing as npt
from av.container import OutputContainer
from av.error import FFmpegError
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace

from ..exceptions import WriteError
from ..files import media_location, replacing
from ..sources.video import reason_of
from .sound import Sound

logger = logging.getLogger(__name__)

SUFFIXES = frozenset({".mp4", ".m4v"})

#: Fine enough for every common frame rate, and the time base of transport streams.
_TIME_BASE = Fraction(1, 90_000)

#: Visually lossless and fast: 7 ms per frame of 1280 × 720. "veryfast" at 20 takes 12 ms and makes files two
#: thirds as large, at lower fidelity (measured).
_ENCODER = {"preset": "superfast", "crf": "21"}


class VideoWriter:
    """Writes one video; ``finish`` completes the file, whatever happened before.

    The file gets its name when it is complete; until then it is a hidden file in the same folder.
    """

    def __init__(
        self, out: Path, size_wh: tuple[int, int], frame_rate: float | None, sound_of: Path | None = None
    ) -> None:
        """``size_wh`` is the frames' size; an odd side is padded by repeating its last pixels.
        ``sound_of`` names the video whose sound is copied; sound that cannot be written is left out, with a
        warning. Raises WriteError."""
        self._out = out
        self._size_wh = size_wh
        self._frame_rate = frame_rate
        self._sound: Sound | None = None
        self._last_pts = -1
        with ExitStack() as opening:
            self._temporary = opening.enter_context(replacing(out))
            try:
                self._temporary.touch()  # PyAV only opens it with the first packet
                self._start(sound_of)
            except (FFmpegError, OSError, ValueError) as error:
                raise _cannot_write(out, error) from error
            self._renaming = opening.pop_all()

    def _start(self, sound_of: Path | None) -> None:
        """Writes the file's header, without the sound if necessary."""
        try:
            self._open_streams(sound_of)
        except (FFmpegError, ValueError) as error:
            if self._sound is None:
                raise
            logger.warning("%s: the copy has no sound: %s", sound_of, reason_of(error))
            self._sound.close()
            self._sound = None
            self._open_streams(None)

    def _open_streams(self, sound_of: Path | None) -> None:
        self._file: OutputContainer = av.open(
            media_location(self._temporary), "w", format="mp4", options={"movflags": "+faststart"}
        )
        rate = Fraction(self._frame_rate or 30.0).limit_denominator(1001)
        self._images = self._file.add_stream("libx264", rate=rate, options=_ENCODER)
        self._images.width, self._images.height = (side + side % 2 for side in self._size_wh)
        self._images.pix_fmt = "yuv420p"
        context = self._images.codec_context
        # Threads encode whole frames: PyAV's default, slices of a frame, makes files 5 % larger.
        context.thread_type = "FRAME"
        context.time_base = _TIME_BASE
        context.colorspace = Colorspace.ITU709
        context.color_primaries = context.color_trc = 1  # BT.709, which players assume
        context.color_range = ColorRange.MPEG
        if sound_of is not None:
            self._sound = Sound.of(sound_of)
        if self._sound is not None:
            self._sound.add_to(self._file)
        self._file.start_encoding()

    def write(self, image_rgb: npt.NDArray[np.uint8], time_s: float) -> None:
        """The next frame, uint8 (H, W, 3) RGB, of the size given, at its time in seconds from the start.

        A frame whose time does not increase is moved after the previous one. Raises WriteError.
        """
        if (image_rgb.shape[1], image_rgb.shape[0]) != self._size_wh:  # a video may change its size
            image_rgb = np.asarray(
                cv2.resize(image_rgb, self._size_wh, interpolation=cv2.INTER_AREA), np.uint8
            )
        height, width, _ = image_rgb.shape
        if height % 2 or width % 2:
            image_rgb = np.asarray(
                cv2.copyMakeBorder(image_rgb, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE), np.uint8
            )
        # The frame shares the pixels' memory until it is converted, by one thread: several take as long, with
        # a quarter more processor time.
        frame = VideoFrame.from_numpy_buffer(np.ascontiguousarray(image_rgb), format="rgb24").reformat(
            format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG, threads=1
        )
        frame.pts = max(self._last_pts + 1, round(time_s / _TIME_BASE))
        frame.time_base = _TIME_BASE
        self._last_pts = frame.pts
        try:
            if self._sound:
                self._sound.copy_until(float(frame.pts * _TIME_BASE))
            self._file.mux(self._images.encode(frame))
        except (FFmpegError, OSError) as error:
            raise _cannot_write(self._out, error) from error

    def finish(self, is_complete: bool = True) -> None:
        """Completes the file. Sound after the last frame is kept if the video ``is_complete``.

        Raises WriteError.
        """
        try:
            with self._renaming:
                if self._sound:
                    self._sound.finish(is_complete)
                self._file.mux(self._images.encode(None))
                self._file.close()
        except (FFmpegError, OSError) as error:
            raise _cannot_write(self._out, error) from error
        finally:
            if self._sound:
                self._sound.close()

    def discard(self) -> None:
        """Deletes the file, after an error."""
        with suppress(_Discarded), self._renaming:
            with suppress(FFmpegError, OSError, ValueError):
                self._file.close()
            if self._sound:
                self._sound.close()
            raise _Discarded


class _Discarded(Exception):  # noqa: N818 -- control flow, not an error
    """Leaves the block in which a file was being written."""


def _cannot_write(out: Path, error: Exception) -> WriteError:
    return WriteError(f"{out} cannot be written: {reason_of(error)}")

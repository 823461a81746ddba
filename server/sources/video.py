"""Video files, streams by address, and JPEGs from a pipe, through PyAV."""

import logging
import time
from collections.abc import Iterator
from typing import BinaryIO

import av
import numpy as np
import numpy.typing as npt
from av.error import FFmpegError
from av.video.frame import VideoFrame

from ..addresses import without_secrets
from ..exceptions import SourceError
from .source import Frame, Source, check_size

logger = logging.getLogger(__name__)

#: A server that says nothing for so long is given up, in seconds: (to open, to read).
_TIMEOUT_S = (15.0, 15.0)


class VideoSource(Source):
    """Every frame of the first video stream. Frames that cannot be decoded are skipped."""

    def __init__(self, location: str) -> None:
        """``location`` is a path or an address. Raises SourceError."""
        is_address = "://" in location
        self._what = without_secrets(location) if is_address else location
        # Over UDP, FFmpeg's default, a lossy network tears the frames.
        options = {"rtsp_transport": "tcp"} if location.startswith("rtsp") else {}
        self._open(location, None, options, is_address)
        # Whatever has no end is live: MJPEG, RTSP. A video file on a web server has one.
        self.is_live = is_address and self._container.duration is None
        self.frame_rate = float(self._stream.average_rate) if self._stream.average_rate else None
        self.frame_count = self._stream.frames or None
        context = self._stream.codec_context
        parts = [f"{context.width} × {context.height}"]
        if self.frame_rate:
            parts.append(f"{self.frame_rate:.4g} frames/s")
        if self.frame_count:
            parts.append(f"{self.frame_count} frames")
        self.description = f"{self._what} ({', '.join(parts)})"

    @property
    def is_image(self) -> bool:
        """Whether it is no video, but one encoded image."""
        return self._container.format.name.endswith("_pipe")

    def _open(
        self, file: str | BinaryIO, file_format: str | None, options: dict[str, str], is_address: bool
    ) -> None:
        self._opened = time.monotonic()
        timeout = _TIMEOUT_S if is_address else None
        try:
            self._container = av.open(file, "r", format=file_format, options=options, timeout=timeout)
        except (FFmpegError, OSError, ValueError) as error:
            raise SourceError(f"{self._what} cannot be opened: {_reason(error)}") from error
        try:
            if not self._container.streams.video:
                raise SourceError(f"{self._what} has no video in it")
            self._stream = self._container.streams.video[0]
            context = self._stream.codec_context
            check_size(context.width, context.height, self._what)
        except SourceError:
            self._container.close()
            raise
        self._stream.thread_type = "AUTO"

    def __iter__(self) -> Iterator[Frame]:
        for index, frame in enumerate(self._decoded()):
            check_size(frame.width, frame.height, self._what)
            yield Frame(index, self._time_s(frame, index), upright(frame), None)

    def _decoded(self) -> Iterator[VideoFrame]:
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except (FFmpegError, OSError) as error:
                raise SourceError(f"{self._what} broke off: {_reason(error)}") from error
            try:
                frames = packet.decode()
            except FFmpegError as error:
                self.skipped += 1
                logger.warning("%s: a part cannot be decoded and is skipped: %s", self._what, _reason(error))
                continue
            yield from frames

    def _time_s(self, frame: VideoFrame, index: int) -> float:
        if self.is_live:
            return time.monotonic() - self._opened
        if frame.pts is None or frame.time_base is None:
            return index / (self.frame_rate or 25.0)
        # Transport streams, for one, do not start at 0.
        return float((frame.pts - (self._stream.start_time or 0)) * frame.time_base)

    def close(self) -> None:
        self._container.close()


class JpegPipe(VideoSource):
    """JPEGs one after the other, as ``ffmpeg -f image2pipe`` and many cameras' programs write them.

    An image is known to be whole when the next one starts.
    """

    def __init__(self, pipe: BinaryIO) -> None:
        """``pipe`` should be unbuffered, or images wait until its buffer is full. Raises SourceError."""
        self._what = self.description = "standard input"
        # Else FFmpeg reads seconds of images to guess a frame rate, before it hands out the first one.
        options = {"probesize": "32", "analyzeduration": "0"}
        self._open(pipe, "mjpeg", options, is_address=False)

    def _time_s(self, frame: VideoFrame, index: int) -> float:
        return time.monotonic() - self._opened


def upright(frame: VideoFrame) -> npt.NDArray[np.uint8]:
    """A decoded frame as uint8 (H, W, 3), RGB, turned as its rotation says."""
    pixels = np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
    # Both count counter-clockwise.
    return np.ascontiguousarray(np.rot90(pixels, round(frame.rotation / 90)))


def _reason(error: Exception) -> str:
    """Without FFmpeg's number and the location, which the message starts with."""
    return getattr(error, "strerror", None) or str(error)

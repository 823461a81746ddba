"""Video files, streams by address, and JPEGs from a pipe, through PyAV."""

import logging
import math
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO, cast

import av
import numpy as np
import numpy.typing as npt
from av.container import InputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from ..addresses import without_secrets
from ..exceptions import SourceError
from ..files import media_location
from ..imaging.metadata import jpeg_orientation
from .source import Frame, Source, check_size

logger = logging.getLogger(__name__)

#: Time-outs for a silent server, in seconds: (to open, to read).
_TIMEOUT_S = (15.0, 15.0)


#: Largest believable ratio of a pixel's sides; a larger one is ignored.
_MAX_PIXEL_ASPECT = 4


class VideoSource(Source):
    """Every frame of the first video stream, with its display aspect ratio. Frames that cannot be decoded
    are skipped. A sound file's cover art is no video."""

    def __init__(self, location: str | Path) -> None:
        """``location`` is an address or, as a Path, a file. Raises SourceError."""
        is_address = isinstance(location, str)
        self._what = without_secrets(location) if isinstance(location, str) else str(location)
        # Over UDP, FFmpeg's default, a lossy network tears the frames.
        options = {"rtsp_transport": "tcp"} if is_address and str(location).startswith("rtsp") else {}
        opened = location if isinstance(location, str) else media_location(location)
        self._open(opened, None, options, is_address)
        # A stream without an end is live: MJPEG, RTSP. A video file on a web server has an end.
        self.is_live = is_address and self._container.duration is None
        self.frame_rate = float(self._stream.average_rate) if self._stream.average_rate else None
        self.frame_count = self._stream.frames or None
        context = self._stream.codec_context
        width, height = shown_size((context.width, context.height), self._pixel_aspect)
        parts = [f"{width} × {height}"]
        if self.frame_rate:
            parts.append(f"{self.frame_rate:.4g} frames/s")
        if self.frame_count:
            parts.append(f"{self.frame_count} frames")
        self.description = f"{self._what} ({', '.join(parts)})"

    @property
    def is_image(self) -> bool:
        """Whether it is one encoded image, not a video."""
        return self._container.format.name.endswith("_pipe")

    def _open(
        self, file: str | BinaryIO, file_format: str | None, options: dict[str, str], is_address: bool
    ) -> None:
        self._opened = time.monotonic()
        timeout = _TIMEOUT_S if is_address else None
        try:
            self._container = av.open(file, "r", format=file_format, options=options, timeout=timeout)
        except (FFmpegError, OSError, ValueError) as error:
            raise SourceError(f"{self._what} cannot be opened: {reason_of(error)}") from error
        try:
            self._stream = film_in(self._container, self._what)
            self._pixel_aspect = Fraction(self._stream.sample_aspect_ratio or 1)
            self._start = start_of(self._container, self._stream)
            context = self._stream.codec_context
            check_size(*shown_size((context.width, context.height), self._pixel_aspect), self._what)
        except SourceError:
            self._container.close()
            raise
        self._stream.thread_type = "AUTO"

    def __iter__(self) -> Iterator[Frame]:
        for index, (frame, packet) in enumerate(self._decoded()):
            check_size(*shown_size((frame.width, frame.height), self._pixel_aspect), self._what)
            image_rgb = upright(frame, packet, self._pixel_aspect)
            yield Frame(index, self._time_s(frame, index), image_rgb, None)

    def _decoded(self) -> Iterator[tuple[VideoFrame, "Packet[VideoStream]"]]:
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except (FFmpegError, OSError) as error:
                raise SourceError(f"{self._what} broke off: {reason_of(error)}") from error
            try:
                frames = packet.decode()
            except FFmpegError as error:
                self.skipped += 1
                logger.warning(
                    "%s: a part cannot be decoded and is skipped: %s", self._what, reason_of(error)
                )
                continue
            for frame in frames:
                yield frame, packet

    def _time_s(self, frame: VideoFrame, index: int) -> float:
        if self.is_live:
            return time.monotonic() - self._opened
        if frame.pts is None or frame.time_base is None:
            return index / (self.frame_rate or 25.0)
        return float(frame.pts * frame.time_base - self._start)

    def close(self) -> None:
        self._container.close()


class JpegPipe(VideoSource):
    """JPEGs one after the other, as ``ffmpeg -f image2pipe`` and many cameras' programs write them.

    An image is known to be complete when the next one starts.
    """

    def __init__(self, pipe: BinaryIO) -> None:
        """``pipe`` should be unbuffered, or images wait until its buffer is full. Raises SourceError."""
        self._what = self.description = "standard input"
        # Otherwise FFmpeg reads seconds of images to guess a frame rate before it returns the first one.
        options = {"probesize": "32", "analyzeduration": "0"}
        self._open(pipe, "mjpeg", options, is_address=False)

    def _time_s(self, frame: VideoFrame, index: int) -> float:
        return time.monotonic() - self._opened


def film_in(container: InputContainer, what: str) -> VideoStream:
    """The first video stream that is not cover art or a thumbnail. Raises SourceError."""
    for stream in container.streams.video:
        if not stream.disposition & Disposition.attached_pic:
            return stream
    cover = ", only sound and a cover" if container.streams.video else ""
    raise SourceError(f"{what} has no video in it{cover}")


def start_of(container: InputContainer, film: VideoStream) -> Fraction:
    """Where a player's clock is 0, in seconds of the file's own time stamps: where sound or images start.

    Transport streams start anywhere, and either may start later than the other.
    """
    whole = Fraction(container.start_time or 0, av.time_base)
    starts = [
        # Some formats only have it for the whole file.
        whole if stream.start_time is None else stream.start_time * Fraction(stream.time_base or 0)
        for stream in (film, *container.streams.audio)
    ]
    # Sound before 0 is an encoder's padding, and is not played.
    return max(min(starts), min(starts[0], Fraction(0)))


def shown_size(size_wh: tuple[int, int], pixel_aspect: Fraction) -> tuple[int, int]:
    """Width and height with square pixels; neither is less than before."""
    width, height = size_wh
    if not Fraction(1, _MAX_PIXEL_ASPECT) <= pixel_aspect <= _MAX_PIXEL_ASPECT:
        return size_wh
    if pixel_aspect >= 1:
        return round(width * pixel_aspect), height
    return width, round(height / pixel_aspect)


def upright(
    frame: VideoFrame, packet: "Packet[VideoStream]", pixel_aspect: Fraction = Fraction(1)
) -> npt.NDArray[np.uint8]:
    """A decoded frame as uint8 (H, W, 3), RGB, with square pixels, rotated and mirrored as its metadata says.

    ``packet`` is what it was decoded from, ``pixel_aspect`` a stored pixel's width, in heights of one.
    """
    width, height = shown_size((frame.width, frame.height), pixel_aspect)
    pixels = np.asarray(frame.reformat(width, height, "rgb24").to_ndarray(), np.uint8)
    # A stored point (x, y), y downwards, is shown at (a x + c y, b x + d y). Of the eight ways to lay a
    # rectangle the nearest is taken.
    a, b, c, d = _display_matrix(frame, packet)
    if math.hypot(b, c) > math.hypot(a, d):
        pixels = pixels.transpose(1, 0, 2)
        flips_x, flips_y = c < 0, b < 0
    else:
        flips_x, flips_y = a < 0, d < 0
    return np.ascontiguousarray(pixels[:: -1 if flips_y else 1, :: -1 if flips_x else 1])


def _display_matrix(frame: VideoFrame, packet: "Packet[VideoStream]") -> tuple[int, int, int, int]:
    """a, b, c and d of FFmpeg's display matrix (libavutil/display.h)."""
    try:
        matrix = frame.side_data.get("DISPLAYMATRIX")
    except ValueError:  # PyAV 18.1 does not support EXIF of frames, which JPEGs have
        return _EXIF_MATRICES[jpeg_orientation(bytes(packet)) - 1]
    if matrix is None:
        return _EXIF_MATRICES[0]
    a, b, _, c, d = np.frombuffer(memoryview(cast("bytes", matrix)), np.int32).tolist()[:5]
    return a, b, c, d


#: EXIF's orientations 1 to 8 as such matrices.
_EXIF_MATRICES = (
    *((1, 0, 0, 1), (-1, 0, 0, 1), (-1, 0, 0, -1), (1, 0, 0, -1)),
    *((0, 1, 1, 0), (0, 1, -1, 0), (0, -1, -1, 0), (0, -1, 1, 0)),
)


def reason_of(error: Exception) -> str:
    """FFmpeg's message without the number and the location at its start."""
    return getattr(error, "strerror", None) or str(error)

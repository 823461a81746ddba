"""Videos as files: H.264 in MP4, with the sound of the video that the frames came from."""

from collections.abc import Iterator
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import numpy.typing as npt
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace

from ..exceptions import WriteError
from ..files import replacing

SUFFIXES = frozenset({".mp4", ".m4v"})

#: Fine enough for every frame rate in use, and what transport streams count in.
_TIME_BASE = Fraction(1, 90_000)

#: Visually the same as what came in, and quick: 7 ms a frame of 1280 × 720. "veryfast" at 20 takes 12 ms and
#: makes files two thirds as large, at a lower fidelity (measured).
_ENCODER = {"preset": "superfast", "crf": "21"}

#: What players find in MP4 files; the format's letter allows more, which hardly any of them can play.
_COPIED_SOUND = frozenset({"aac", "ac3", "alac", "eac3", "flac", "mp3", "opus"})


class VideoWriter:
    """Writes one video; ``finish`` makes the file whole, whatever happened before.

    The file gets its name when it is whole; until then it lies beside, hidden.
    """

    def __init__(
        self, out: Path, size_wh: tuple[int, int], frame_rate: float | None, sound_of: Path | None = None
    ) -> None:
        """``size_wh`` is the frames' size; an odd side is written with its last pixels repeated once.
        ``sound_of`` names the video whose sound goes along. Raises WriteError."""
        self._out = out
        self._size_wh = size_wh
        self._sound: _Sound | None = None
        self._last_pts = -1
        with ExitStack() as opening:
            temporary = opening.enter_context(replacing(out))
            try:
                temporary.touch()  # PyAV opens it with the first packet only
                self._file: OutputContainer = av.open(
                    str(temporary), "w", format="mp4", options={"movflags": "+faststart"}
                )
            except (FFmpegError, OSError) as error:
                raise _cannot_write(out, error) from error
            self._renaming = opening.pop_all()
        rate = Fraction(frame_rate or 30.0).limit_denominator(1001)
        self._images = self._file.add_stream("libx264", rate=rate, options=_ENCODER)
        self._images.width, self._images.height = (side + side % 2 for side in size_wh)
        self._images.pix_fmt = "yuv420p"
        context = self._images.codec_context
        # Whole frames beside each other: PyAV's choice, slices of one, makes files a twentieth larger.
        context.thread_type = "FRAME"
        context.time_base = _TIME_BASE
        context.colorspace = Colorspace.ITU709
        context.color_primaries = context.color_trc = (
            1  # BT.709, as players take it for where nothing is said
        )
        context.color_range = ColorRange.MPEG
        if sound_of is not None:
            self._sound = _Sound.of(sound_of, self._file)

    def write(self, image_rgb: npt.NDArray[np.uint8], time_s: float) -> None:
        """The next frame, uint8 (H, W, 3) RGB, of the size given, at its time in seconds from the first.

        Frames whose times do not rise are moved behind the one before. Raises WriteError.
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
        # The frame shares the pixels' memory until it is converted. By one thread: several take as long, with
        # a quarter more of the processor.
        frame = VideoFrame.from_numpy_buffer(np.ascontiguousarray(image_rgb), format="rgb24").reformat(
            format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG, threads=1
        )
        offset_s = self._sound.video_start_s if self._sound else 0.0
        frame.pts = max(self._last_pts + 1, round((time_s + offset_s) / _TIME_BASE))
        frame.time_base = _TIME_BASE
        self._last_pts = frame.pts
        try:
            if self._sound:
                self._sound.copy_until(float(frame.pts * _TIME_BASE))
            self._file.mux(self._images.encode(frame))
        except (FFmpegError, OSError) as error:
            raise _cannot_write(self._out, error) from error

    def finish(self, is_complete: bool = True) -> None:
        """Makes the file whole. Sound behind the last frame is kept if the video ``is_complete``.

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


class _Sound:
    """The sound of another video on its way into a new one, in step with the images."""

    def __init__(self, source: InputContainer, out: OutputContainer) -> None:
        self._source = source
        self._file = out
        # Both streams' times count from when the first of them starts: transport streams start anywhere.
        self._start_s = max(0.0, (source.start_time or 0) / 1e6)
        images = source.streams.video[0]
        starts_at = float((images.start_time or 0) * (images.time_base or 0))
        #: Seconds into the file at which the video's images start: sound may start before them.
        self.video_start_s = max(0.0, starts_at - self._start_s)
        self._tracks = {stream.index: _track(stream, out) for stream in source.streams.audio}
        self._packets = self._demuxed()
        self._next = next(self._packets, None)

    @classmethod
    def of(cls, path: Path, out: OutputContainer) -> "_Sound | None":
        """None where there is nothing to hear."""
        source = av.open(str(path))
        if not source.streams.audio:
            source.close()
            return None
        return cls(source, out)

    def _demuxed(self) -> "Iterator[Packet[AudioStream]]":
        packets = self._source.demux(self._source.streams.audio)
        while True:
            try:
                packet = next(packets, None)
            except FFmpegError:
                return  # a broken end: the images end there as well
            if packet is None:
                return
            if packet.dts is None:
                packet.dts = packet.pts  # formats without decoding times
            if packet.dts is not None:
                yield packet

    def copy_until(self, time_s: float) -> None:
        """Writes what is heard before ``time_s``."""
        while (packet := self._next) is not None and self._time_s(packet) <= time_s:
            self._tracks[packet.stream.index].write(packet, self._start_s)
            self._next = next(self._packets, None)

    def _time_s(self, packet: "Packet[AudioStream]") -> float:
        return float((packet.dts or 0) * packet.time_base) - self._start_s

    def finish(self, is_complete: bool) -> None:
        if is_complete:
            self.copy_until(float("inf"))
        for track in self._tracks.values():
            track.finish()

    def close(self) -> None:
        self._source.close()


class _CopiedTrack:
    """Packets as they are."""

    def __init__(self, stream: AudioStream, out: OutputContainer) -> None:
        self._file = out
        self._stream = out.add_stream_from_template(stream)

    def write(self, packet: "Packet[AudioStream]", start_s: float) -> None:
        shift = round(start_s / packet.time_base)
        packet.dts = (packet.dts or 0) - shift
        packet.pts = (packet.pts or 0) - shift if packet.pts is not None else packet.dts
        packet.stream = self._stream
        self._file.mux(packet)

    def finish(self) -> None:
        """Nothing is held back."""


class _EncodedTrack:
    """Sound in a format of its own, as AAC."""

    def __init__(self, stream: AudioStream, out: OutputContainer) -> None:
        self._file = out
        self._stream = out.add_stream("aac", rate=stream.rate, layout=_layout(stream))
        self._resampler = AudioResampler(format="fltp", layout=_layout(stream), rate=stream.rate)
        self._written = 0
        self._starts_at: int | None = None

    def write(self, packet: "Packet[AudioStream]", start_s: float) -> None:
        try:
            frames = packet.decode()
        except FFmpegError:
            return  # a moment without sound, rather than no video
        for frame in frames:
            if self._starts_at is None:
                self._starts_at = round(max(0.0, (frame.time or 0.0) - start_s) * self._stream.rate)
            self._encode(self._resampler.resample(frame))

    def _encode(self, frames: list[AudioFrame]) -> None:
        for frame in frames:
            frame.time_base = Fraction(1, self._stream.rate)
            frame.pts = (self._starts_at or 0) + self._written
            self._written += frame.samples
            self._file.mux(self._stream.encode(frame))

    def finish(self) -> None:
        if self._starts_at is not None:
            self._encode(self._resampler.resample(None))
        self._file.mux(self._stream.encode(None))


def _track(stream: AudioStream, out: OutputContainer) -> _CopiedTrack | _EncodedTrack:
    # Not the decoder's own name: libopus is Opus as well.
    is_copied = stream.codec_context.codec.canonical_name in _COPIED_SOUND
    return _CopiedTrack(stream, out) if is_copied else _EncodedTrack(stream, out)


def _layout(stream: AudioStream) -> str:
    return "mono" if stream.channels == 1 else "stereo"


def _cannot_write(out: Path, error: Exception) -> WriteError:
    reason = getattr(error, "strerror", None) or str(error)
    return WriteError(f"{out} cannot be written: {reason}")

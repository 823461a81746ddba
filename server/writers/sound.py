"""Copies the sound of a video into its annotated copy, in sync with the images."""

import logging
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.error import FFmpegError
from av.packet import Packet

from ..exceptions import SourceError
from ..files import media_location
from ..sources.video import film_in, reason_of, start_of

logger = logging.getLogger(__name__)

#: Codecs that players support in MP4 files; the format allows more, which few can play.
_COPIED = frozenset({"aac", "ac3", "alac", "eac3", "flac", "mp3", "opus"})

#: Most seconds of inaudible packets at a decoder's start.
_PREROLL_S = 0.1

#: The sample rates of AAC, in Hz.
_AAC_RATES = (8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 64_000, 88_200, 96_000)


class Sound:
    """Every audio stream of a video. A stream that breaks is silent from there on, with a warning; the images
    and the other streams continue."""

    def __init__(self, source: InputContainer, name: str) -> None:
        self._source = source
        self._name = name
        self._start_s = float(start_of(source, film_in(source, name)))
        self._tracks: dict[int, _CopiedTrack | _EncodedTrack] = {}
        self._packets = self._demuxed()
        self._next = next(self._packets, None)

    @classmethod
    def of(cls, path: Path) -> "Sound | None":
        """The video's sound; None if it has none, or none that can be read."""
        source: InputContainer | None = None
        try:
            source = av.open(media_location(path))
            if source.streams.audio:
                return cls(source, str(path))
        except (FFmpegError, OSError, ValueError, SourceError) as error:
            logger.warning("%s: the copy has no sound: %s", path, reason_of(error))
        if source is not None:
            source.close()
        return None

    def add_to(self, out: OutputContainer) -> None:
        """Adds its streams to a file that has no header yet. Raises FFmpegError and ValueError."""
        self._tracks = {stream.index: _track(stream, out) for stream in self._source.streams.audio}

    def _demuxed(self) -> "Iterator[Packet[AudioStream]]":
        packets = self._source.demux(self._source.streams.audio)
        while True:
            try:
                packet = next(packets, None)
            except FFmpegError:
                return  # a broken end: the images end there, too
            if packet is None:
                return
            if packet.dts is None:
                packet.dts = packet.pts  # formats without decoding times
            is_cut_off = packet.is_discard and abs(self._time_s(packet)) > _PREROLL_S  # by an edit list
            if packet.dts is not None and not is_cut_off:
                yield packet

    def copy_until(self, time_s: float) -> None:
        """Writes the sound before ``time_s``."""
        while (packet := self._next) is not None and self._time_s(packet) <= time_s:
            index = packet.stream.index
            if index in self._tracks:
                try:
                    self._tracks[index].write(packet, self._start_s)
                except (FFmpegError, ValueError) as error:
                    self._leave_out(index, error)
            self._next = next(self._packets, None)

    def _leave_out(self, index: int, error: Exception) -> None:
        del self._tracks[index]
        logger.warning("%s: the copy has no sound after an error: %s", self._name, reason_of(error))

    def _time_s(self, packet: "Packet[AudioStream]") -> float:
        return float((packet.dts or 0) * packet.time_base) - self._start_s

    def finish(self, is_complete: bool) -> None:
        """Writes the rest, if the video ``is_complete``, and the encoders' buffered packets."""
        if is_complete:
            self.copy_until(float("inf"))
        for index, track in list(self._tracks.items()):
            try:
                track.finish()
            except (FFmpegError, ValueError) as error:
                self._leave_out(index, error)

    def close(self) -> None:
        self._source.close()


class _CopiedTrack:
    """Copies packets unchanged."""

    def __init__(self, stream: AudioStream, out: OutputContainer) -> None:
        self._file = out
        self._stream = out.add_stream_from_template(stream)
        self._last_dts: int | None = None

    def write(self, packet: "Packet[AudioStream]", start_s: float) -> None:
        shift = round(start_s / packet.time_base)
        dts = (packet.dts or 0) - shift
        if self._last_dts is not None and dts <= self._last_dts:
            return  # a damaged file: players need the time of a packet
        self._last_dts = packet.dts = dts
        packet.pts = (packet.pts or 0) - shift if packet.pts is not None else packet.dts
        packet.stream = self._stream
        self._file.mux(packet)

    def finish(self) -> None:
        """Nothing is buffered."""


class _EncodedTrack:
    """Encodes sound of any format as AAC."""

    def __init__(self, stream: AudioStream, out: OutputContainer) -> None:
        self._file = out
        self._rate = next((rate for rate in _AAC_RATES if rate >= stream.rate), _AAC_RATES[-1])
        layout = "mono" if stream.channels == 1 else "stereo"
        self._stream = out.add_stream("aac", rate=self._rate, layout=layout)
        self._resampler = AudioResampler(format="fltp", layout=layout, rate=self._rate)
        self._written = 0
        self._starts_at: int | None = None

    def write(self, packet: "Packet[AudioStream]", start_s: float) -> None:
        try:
            frames = packet.decode()
        except FFmpegError:
            return  # a moment without sound is better than no video
        for frame in frames:
            if self._starts_at is None:
                self._starts_at = round(max(0.0, (frame.time or 0.0) - start_s) * self._rate)
            self._encode(self._resampler.resample(frame))

    def _encode(self, frames: list[AudioFrame]) -> None:
        for frame in frames:
            frame.time_base = Fraction(1, self._rate)
            frame.pts = (self._starts_at or 0) + self._written
            self._written += frame.samples
            self._file.mux(self._stream.encode(frame))

    def finish(self) -> None:
        if self._starts_at is not None:
            self._encode(self._resampler.resample(None))
        self._file.mux(self._stream.encode(None))


def _track(stream: AudioStream, out: OutputContainer) -> _CopiedTrack | _EncodedTrack:
    # Not the decoder's name: libopus is Opus, too.
    is_copied = stream.codec_context.codec.canonical_name in _COPIED
    return _CopiedTrack(stream, out) if is_copied else _EncodedTrack(stream, out)

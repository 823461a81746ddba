"""Videos written, and read again with PyAV."""

import os
from pathlib import Path

import av
import numpy as np
import pytest
from av.error import FFmpegError
from emostream.exceptions import WriteError
from emostream.sources.video import VideoSource
from emostream.writers.video import VideoWriter

from tests.writers.videos import make_video


def rewritten(
    source: Path, out: Path, size_wh: tuple[int, int] = (480, 360), times_s: list[float] | None = None
) -> Path:
    """Grey frames with the sound of ``source``."""
    writer = VideoWriter(out, size_wh, 20.0, sound_of=source)
    for time_s in times_s or [index / 20 for index in range(20)]:
        writer.write(np.full((size_wh[1], size_wh[0], 3), (200, 60, 30), np.uint8), time_s)
    writer.finish()
    return out


def packets(path: Path, kind: str) -> list[tuple[float, bytes]]:
    """Time in seconds and content of each packet."""
    with av.open(str(path)) as file:
        stream = next(stream for stream in file.streams if stream.type == kind)
        return [(float(p.pts * p.time_base), bytes(p)) for p in file.demux(stream) if p.size]  # type: ignore[arg-type,operator]


def shown_at(path: Path) -> list[float]:
    with av.open(str(path)) as file:
        return [round(frame.time, 4) for frame in file.decode(video=0)]


def test_sound_is_copied_packet_by_packet_at_its_times(tmp_path: Path) -> None:
    source = make_video(tmp_path / "source.mp4")

    out = rewritten(source, tmp_path / "out.mp4")

    before, after = packets(source, "audio"), packets(out, "audio")
    assert [content for _, content in after] == [content for _, content in before]
    assert [time for time, _ in after] == pytest.approx([time for time, _ in before])


def test_sound_that_mp4_players_do_not_know_becomes_aac_of_the_same_length(tmp_path: Path) -> None:
    source = make_video(tmp_path / "source.mkv", sound="pcm_s16le", sound_delay_s=0.2)

    out = rewritten(source, tmp_path / "out.mp4")

    with av.open(str(out)) as file:
        assert file.streams.audio[0].codec_context.name == "aac"
        frames = list(file.decode(audio=0))
        assert sum(frame.samples for frame in frames) / 48_000 == pytest.approx(1.0, abs=0.05)
        assert np.abs(np.concatenate([frame.to_ndarray()[0] for frame in frames])).max() > 0.1
    assert packets(out, "audio")[1][0] == pytest.approx(0.2, abs=0.025)  # after the encoder's own start


def test_a_transport_streams_sound_stays_in_step_with_its_pictures(tmp_path: Path) -> None:
    """Its times start at 1.4 s, and its pictures later than its sound."""
    source = make_video(tmp_path / "source.ts", times_s=[0.3 + index / 20 for index in range(20)])
    with av.open(str(source)) as file:
        pictures, sound = (
            float((stream.start_time or 0) * (stream.time_base or 0))
            for stream in (file.streams.video[0], file.streams.audio[0])
        )

    out = rewritten(
        source, tmp_path / "out.mp4", times_s=[pictures - sound + index / 20 for index in range(20)]
    )

    first_sound = min(time for time, _ in packets(out, "audio"))
    assert shown_at(out)[0] - first_sound == pytest.approx(pictures - sound, abs=0.002)
    with VideoSource(source) as film:
        assert next(iter(film)).time_s == pytest.approx(pictures - sound, abs=0.002)


def old_camera(path: Path) -> Path:
    """Sound at 11,024 Hz, which AAC does not know."""
    with av.open(str(path), "w") as file:
        images = file.add_stream("mjpeg", rate=20, width=64, height=48, pix_fmt="yuvj420p")
        sound = file.add_stream("pcm_u8", rate=11_024, layout="mono")
        for index in range(20):
            image = av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), format="rgb24")
            image.pts = index
            file.mux(images.encode(image))
        tone = 100 * np.sin(2 * np.pi * 440 * np.arange(11_024) / 11_024) + 128
        part = av.AudioFrame.from_ndarray(tone.astype(np.uint8)[None], "u8", "mono")
        part.sample_rate, part.pts = 11_024, 0
        for stream, frame in ((images, None), (sound, part), (sound, None)):
            file.mux(stream.encode(frame))  # type: ignore[attr-defined]
    return path


def test_sound_of_a_rate_that_aac_does_not_know_is_resampled(tmp_path: Path) -> None:
    out = rewritten(old_camera(tmp_path / "old.avi"), tmp_path / "out.mp4")

    with av.open(str(out)) as file:
        assert (file.streams.audio[0].codec_context.name, file.streams.audio[0].rate) == ("aac", 11_025)
        frames = list(file.decode(audio=0))
    assert sum(frame.samples for frame in frames) / 11_025 == pytest.approx(1.0, abs=0.2)
    assert np.abs(np.concatenate([frame.to_ndarray()[0] for frame in frames])).max() > 0.1


@pytest.mark.parametrize("place", ["add_to", "copy_until", "finish"])
def test_sound_that_cannot_be_written_is_left_out_and_the_images_are_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, place: str
) -> None:
    """An encoder that gives up, before the first sample, at one of them, or at the end."""

    def give_up(*arguments: object) -> None:
        raise FFmpegError(22, "cannot be encoded")

    if place == "add_to":
        monkeypatch.setattr("emostream.writers.sound.Sound.add_to", give_up)
    else:
        name = "write" if place == "copy_until" else "finish"
        monkeypatch.setattr(f"emostream.writers.sound._CopiedTrack.{name}", give_up)

    out = rewritten(make_video(tmp_path / "source.mp4"), tmp_path / "out.mp4")

    assert len(shown_at(out)) == 20
    assert f"{tmp_path / 'source.mp4'}: the copy has no sound" in caplog.text


def test_nothing_is_left_of_a_video_that_is_discarded(tmp_path: Path) -> None:
    writer = VideoWriter(tmp_path / "out.mp4", (64, 48), 20.0)
    writer.write(np.zeros((48, 64, 3), np.uint8), 0.0)

    writer.discard()

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "name", [b"12:30.mp4", b"caf\xe9.mp4", b"n" * 251 + b".mp4"], ids=["colon", "bytes", "long"]
)
def test_a_copy_may_be_called_as_any_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: bytes
) -> None:
    monkeypatch.chdir(tmp_path)
    source = make_video(tmp_path / "source.mp4").rename(tmp_path / "10:15.mp4")

    out = rewritten(Path(source.name), Path(os.fsdecode(name)))

    with out.open("rb") as file, av.open(file) as copy:
        assert [stream.type for stream in copy.streams] == ["video", "audio"]


def test_frames_are_shown_at_their_own_times(tmp_path: Path) -> None:
    times = [0.0, 0.05, 0.3, 0.31, 1.0]

    out = rewritten(make_video(tmp_path / "silent.mp4", sound=None), tmp_path / "out.mp4", times_s=times)

    assert shown_at(out) == pytest.approx(times, abs=1e-3)


def test_times_that_do_not_rise_are_written_all_the_same(tmp_path: Path) -> None:
    out = rewritten(
        make_video(tmp_path / "silent.mp4", sound=None), tmp_path / "out.mp4", times_s=[0.0, 0.1, 0.1, 0.05]
    )

    assert len(shown_at(out)) == 4


def test_it_is_h264_that_every_player_shows_and_colours_stay(tmp_path: Path) -> None:
    out = rewritten(make_video(tmp_path / "silent.mp4", sound=None), tmp_path / "out.mp4", (481, 361))

    with av.open(str(out)) as file:
        context = file.streams.video[0].codec_context
        assert (context.name, context.pix_fmt) == ("h264", "yuv420p")
        assert (context.width, context.height) == (482, 362)
        pixels = next(file.decode(video=0)).to_ndarray(format="rgb24")
    assert np.abs(pixels.astype(int) - (200, 60, 30)).max() < 6


def test_a_frame_of_another_size_is_fitted(tmp_path: Path) -> None:
    writer = VideoWriter(tmp_path / "out.mp4", (64, 48), 20.0)
    writer.write(np.zeros((48, 64, 3), np.uint8), 0.0)
    writer.write(np.zeros((96, 128, 3), np.uint8), 0.05)
    writer.finish()

    assert len(shown_at(tmp_path / "out.mp4")) == 2


def test_nothing_has_the_files_name_until_it_is_whole(tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    writer = VideoWriter(out, (64, 48), 20.0)
    writer.write(np.zeros((48, 64, 3), np.uint8), 0.0)

    assert not out.exists()
    writer.finish()

    assert [path.name for path in tmp_path.iterdir()] == ["out.mp4"]


def test_a_run_that_was_broken_off_has_sound_up_to_its_last_picture(tmp_path: Path) -> None:
    source = make_video(tmp_path / "source.mp4", 40)
    writer = VideoWriter(tmp_path / "out.mp4", (64, 48), 20.0, sound_of=source)
    for index in range(10):
        writer.write(np.zeros((48, 64, 3), np.uint8), index / 20)
    writer.finish(is_complete=False)

    assert max(time for time, _ in packets(tmp_path / "out.mp4", "audio")) == pytest.approx(0.45, abs=0.03)


def test_a_folder_that_is_not_there_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(WriteError, match=r"nowhere/out\.mp4 cannot be written"):
        VideoWriter(tmp_path / "nowhere" / "out.mp4", (64, 48), 20.0)

"""Videos written, and read again with PyAV."""

from pathlib import Path

import av
import numpy as np
import pytest
from emostream.exceptions import WriteError
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

    out = rewritten(source, tmp_path / "out.mp4")

    first_sound = min(time for time, _ in packets(out, "audio"))
    assert shown_at(out)[0] - first_sound == pytest.approx(pictures - sound, abs=0.002)


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

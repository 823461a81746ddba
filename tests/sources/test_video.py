import io
import itertools
import os
import threading
from pathlib import Path

import numpy as np
import pytest
from emostream.exceptions import SourceError
from emostream.sources.video import JpegPipe, VideoSource
from PIL import Image

from tests.sample_videos import moving_portrait, web_server, write_video
from tests.support import encoded


def halves() -> np.ndarray:
    """Red above, blue below; 64 wide, 48 high."""
    pixels = np.zeros((48, 64, 3), np.uint8)
    pixels[:24], pixels[24:] = (255, 0, 0), (0, 0, 255)
    return pixels


def test_frames_have_their_numbers_and_the_files_own_times(tmp_path: Path) -> None:
    path = write_video(tmp_path / "film.mp4", moving_portrait(5, 64))

    with VideoSource(str(path)) as source:
        frames = list(source)

    assert [frame.index for frame in frames] == [0, 1, 2, 3, 4]
    assert [frame.time_s for frame in frames] == pytest.approx([0, 0.1, 0.2, 0.3, 0.4])
    assert frames[0].image_rgb.shape == (64, 64, 3)
    assert (source.is_live, source.frame_rate, source.frame_count) == (False, 10, 5)
    assert "64 × 64, 10 frames/s, 5 frames" in source.description


def test_times_count_from_the_start_where_the_file_does_not(tmp_path: Path) -> None:
    path = write_video(tmp_path / "film.ts", moving_portrait(3, 64))  # transport streams start at 1.4 s

    with VideoSource(str(path)) as source:
        assert [frame.time_s for frame in source] == pytest.approx([0, 0.1, 0.2])


@pytest.mark.parametrize(("rotation", "red_is"), [(90, "left"), (-90, "right"), (180, "below")])
def test_a_video_is_turned_as_it_says(tmp_path: Path, rotation: int, red_is: str) -> None:
    path = write_video(tmp_path / "film.mp4", [halves()] * 2, rotation=rotation)

    with VideoSource(str(path)) as source:
        pixels = next(iter(source)).image_rgb

    part = {"left": np.s_[:, :8], "right": np.s_[:, -8:], "below": np.s_[-8:]}[red_is]
    assert pixels.shape == ((48, 64, 3) if rotation == 180 else (64, 48, 3))
    assert pixels[part][..., 0].min() > 200


def test_a_broken_part_is_skipped_and_the_rest_is_there(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = write_video(tmp_path / "film.mov", moving_portrait(4, 64), codec="png")
    whole = path.read_bytes()
    second = whole.index(b"\x89PNG", whole.index(b"\x89PNG") + 1)
    path.write_bytes(whole[:second] + b"oops" + whole[second + 4 :])

    with VideoSource(str(path)) as source:
        frames = list(source)

    assert len(frames) == 3
    assert source.skipped == 1
    assert "skipped" in caplog.text


def test_a_video_on_a_web_server_is_no_live_one(tmp_path: Path) -> None:
    write_video(tmp_path / "film.mp4", moving_portrait(3, 64))

    with web_server(tmp_path) as address, VideoSource(f"{address}/film.mp4") as source:
        assert not source.is_live
        assert len(list(source)) == 3


def test_a_network_cameras_pictures_are_live(tmp_path: Path) -> None:
    for index, pixels in enumerate(moving_portrait(3, 64)):
        (tmp_path / f"{index}.jpg").write_bytes(encoded(Image.fromarray(pixels), "JPEG"))

    with web_server(tmp_path) as address, VideoSource(f"{address}/live") as source:
        frames = list(itertools.islice(source, 4))

    assert source.is_live
    assert source.frame_count is None
    assert [frame.index for frame in frames] == [0, 1, 2, 3]
    assert 0 < frames[0].time_s < frames[3].time_s


def test_what_is_no_video_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no pictures here\n" * 20)

    with pytest.raises(SourceError, match=r"notes\.txt cannot be opened: Invalid data"):
        VideoSource(str(tmp_path / "notes.txt"))
    with pytest.raises(SourceError, match="cannot be opened: Connection refused"):
        VideoSource("rtsp://127.0.0.1:9/camera")


def test_jpegs_come_out_of_a_pipe_upright_and_as_they_arrive() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise
    picture = encoded(Image.fromarray(halves()), "JPEG", exif=exif)
    read_end, write_end = os.pipe()
    with io.FileIO(read_end) as pipe:
        os.write(write_end, picture + picture)
        with JpegPipe(pipe) as source:
            frames = iter(source)
            first = next(frames)  # though the pipe is still open
            threading.Thread(target=lambda: (os.write(write_end, picture), os.close(write_end))).start()
            rest = list(frames)

    assert [frame.index for frame in (first, *rest)] == [0, 1, 2]
    assert first.image_rgb.shape == (64, 48, 3)
    assert first.image_rgb[:, -8:, 0].min() > 200

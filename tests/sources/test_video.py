import io
import itertools
import os
import threading
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.stream import Disposition
from emostream.exceptions import SourceError
from emostream.sources import open_source
from emostream.sources.video import JpegPipe, VideoSource
from PIL import Image

from tests.sample_videos import moving_portrait, web_server, write_video
from tests.support import encoded
from tests.writers.videos import make_video


def halves() -> np.ndarray:
    """Red above, blue below; 64 wide, 48 high."""
    pixels = np.zeros((48, 64, 3), np.uint8)
    pixels[:24], pixels[24:] = (255, 0, 0), (0, 0, 255)
    return pixels


def test_frames_have_their_numbers_and_the_files_own_times(tmp_path: Path) -> None:
    path = write_video(tmp_path / "film.mp4", moving_portrait(5, 64))

    with VideoSource(path) as source:
        frames = list(source)

    assert [frame.index for frame in frames] == [0, 1, 2, 3, 4]
    assert [frame.time_s for frame in frames] == pytest.approx([0, 0.1, 0.2, 0.3, 0.4])
    assert frames[0].image_rgb.shape == (64, 64, 3)
    assert (source.is_live, source.frame_rate, source.frame_count) == (False, 10, 5)
    assert "64 × 64, 10 frames/s, 5 frames" in source.description


def test_times_count_from_the_start_where_the_file_does_not(tmp_path: Path) -> None:
    path = write_video(tmp_path / "film.ts", moving_portrait(3, 64))  # transport streams start at 1.4 s

    with VideoSource(path) as source:
        assert [frame.time_s for frame in source] == pytest.approx([0, 0.1, 0.2])


@pytest.mark.parametrize(("rotation", "red_is"), [(90, "left"), (-90, "right"), (180, "below")])
def test_a_video_is_turned_as_it_says(tmp_path: Path, rotation: int, red_is: str) -> None:
    path = write_video(tmp_path / "film.mp4", [halves()] * 2, rotation=rotation)

    with VideoSource(path) as source:
        pixels = next(iter(source)).image_rgb

    part = {"left": np.s_[:, :8], "right": np.s_[:, -8:], "below": np.s_[-8:]}[red_is]
    assert pixels.shape == ((48, 64, 3) if rotation == 180 else (64, 48, 3))
    assert pixels[part][..., 0].min() > 200


CORNERS = {"top left": (255, 0, 0), "top right": (0, 255, 0), "bottom left": (0, 0, 255)}

#: What a display matrix (a, b, c, d) shows top left and top right; in EXIF's order, 1 to 8.
LAYOUTS = {
    (1, 0, 0, 1): ("top left", "top right"),
    (-1, 0, 0, 1): ("top right", "top left"),
    (-1, 0, 0, -1): (None, "bottom left"),
    (1, 0, 0, -1): ("bottom left", None),
    (0, 1, 1, 0): ("top left", "bottom left"),
    (0, 1, -1, 0): ("bottom left", "top left"),
    (0, -1, -1, 0): (None, "top right"),
    (0, -1, 1, 0): ("top right", None),
}


def corners() -> np.ndarray:
    """64 wide, 48 high, three corners in three colours."""
    pixels = np.full((48, 64, 3), 255, np.uint8)
    pixels[:24, :32], pixels[:24, 32:], pixels[24:, :32] = CORNERS.values()
    return pixels


def assert_laid_out(pixels: np.ndarray, shown: tuple[str | None, str | None], is_turned: bool) -> None:
    expected = [CORNERS.get(name or "", (255, 255, 255)) for name in shown]

    assert pixels.shape == ((64, 48, 3) if is_turned else (48, 64, 3))
    assert np.abs(pixels[[4, 4], [4, -5]].astype(int) - expected).max() < 60


@pytest.mark.parametrize(("matrix", "shown"), LAYOUTS.items(), ids=map(str, LAYOUTS))
def test_a_video_is_laid_out_as_its_matrix_says_mirrored_or_not(
    tmp_path: Path, matrix: tuple[int, int, int, int], shown: tuple[str | None, str | None]
) -> None:
    path = write_video(tmp_path / "film.mp4", [corners()] * 2, matrix=matrix)

    with VideoSource(path) as source:
        assert_laid_out(next(iter(source)).image_rgb, shown, is_turned=matrix[0] == 0)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_jpegs_of_a_pipe_are_laid_out_as_their_exif_says(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(Image.fromarray(corners()), "JPEG", exif=exif, quality=95, subsampling=0)

    pixels = next(iter(JpegPipe(io.BytesIO(2 * data)))).image_rgb

    assert_laid_out(pixels, list(LAYOUTS.values())[orientation - 1], is_turned=orientation > 4)


@pytest.mark.parametrize(
    ("pixel_aspect", "size_wh"),
    [
        (Fraction(64, 45), (91, 48)),
        (Fraction(2), (128, 48)),
        (Fraction(1, 2), (64, 96)),
        (Fraction(100), (64, 48)),
    ],
    ids=["PAL 16:9", "twice as wide", "twice as high", "nonsense"],
)
def test_frames_have_the_shape_in_which_they_are_shown(
    tmp_path: Path, pixel_aspect: Fraction, size_wh: tuple[int, int]
) -> None:
    path = write_video(tmp_path / "film.mkv", [halves()] * 2, pixel_aspect=pixel_aspect)

    with VideoSource(path) as source:
        height, width, _ = next(iter(source)).image_rgb.shape
        assert f"{size_wh[0]} × {size_wh[1]}" in source.description

    assert (width, height) == size_wh


def test_a_shown_shape_of_too_many_pixels_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_video(tmp_path / "film.mkv", [halves()], pixel_aspect=Fraction(2))
    monkeypatch.setattr("emostream.sources.source.MAX_PIXELS", 64 * 48)

    with pytest.raises(SourceError, match="128 × 48 pixels are too many"):
        VideoSource(path)


def test_times_are_a_players_where_images_start_later_than_sound(tmp_path: Path) -> None:
    path = make_video(tmp_path / "film.mp4", times_s=[1.5 + index / 20 for index in range(4)])

    with VideoSource(path) as source:
        times = [frame.time_s for frame in source]

    assert times == pytest.approx([1.5, 1.55, 1.6, 1.65], abs=0.025)  # the encoder's own start


def test_times_count_from_the_first_image_where_there_is_nothing_else(tmp_path: Path) -> None:
    path = make_video(tmp_path / "film.mp4", times_s=[1.5, 1.55], sound=None)

    with VideoSource(path) as source:
        assert [frame.time_s for frame in source] == pytest.approx([0, 0.05])


def with_cover(path: Path) -> Path:
    """A second of sound and a JPEG that is no film."""
    with av.open(str(path), "w") as file:
        sound = file.add_stream("libmp3lame", rate=44_100, layout="mono")
        cover = file.add_stream("mjpeg", rate=1)
        cover.width, cover.height, cover.pix_fmt = 64, 48, "yuvj420p"
        cover.disposition = Disposition.attached_pic
        file.start_encoding()
        file.mux(cover.encode(av.VideoFrame.from_ndarray(halves(), format="rgb24")))
        tone = av.AudioFrame.from_ndarray(np.zeros((1, 44_100), np.float32), "fltp", "mono")
        tone.sample_rate, tone.pts = 44_100, 0
        file.mux(sound.encode(tone))
        file.mux(sound.encode(None))
    return path


def test_a_sound_files_cover_is_no_video(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"no video in it, only sound and a cover"):
        VideoSource(with_cover(tmp_path / "song.mp3"))


@pytest.mark.parametrize(
    "name", [b"12:30.mp4", b"caf\xe9.mp4", b"%03d [1].mp4", b"a\nb.mp4", b"http:x.mp4"], ids=repr
)
def test_a_file_is_a_file_whatever_it_is_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: bytes
) -> None:
    monkeypatch.chdir(tmp_path)
    path = Path(os.fsdecode(name))
    write_video(tmp_path / "film.mp4", [halves()]).rename(path)

    with open_source(str(path)) as source:
        assert len(list(source)) == 1


def test_a_broken_part_is_skipped_and_the_rest_is_there(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = write_video(tmp_path / "film.mov", moving_portrait(4, 64), codec="png")
    whole = path.read_bytes()
    second = whole.index(b"\x89PNG", whole.index(b"\x89PNG") + 1)
    path.write_bytes(whole[:second] + b"oops" + whole[second + 4 :])

    with VideoSource(path) as source:
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
        VideoSource(tmp_path / "notes.txt")
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

import os
import subprocess
import sys
from pathlib import Path

import pytest
from emostream.exceptions import MissingExtraError, SourceError
from emostream.sources import open_source
from emostream.sources.images import FetchedImage
from emostream.sources.video import VideoSource

from tests.sample_videos import moving_portrait, web_server, write_video
from tests.support import PATIENCE_S, ROOT, jpeg


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("b10.jpg", "B9.jpg", "notes.txt", "unnamed"):
        (tmp_path / name).write_bytes(jpeg())
    write_video(tmp_path / "film.mp4", moving_portrait(2, 64))
    return tmp_path


def names(source: str) -> list[str | None]:
    with open_source(source) as opened:
        return [frame.name for frame in opened]


def test_a_folder_is_its_images_in_natural_order(folder: Path) -> None:
    assert names(str(folder)) == ["B9.jpg", "b10.jpg"]


def test_a_pattern_is_the_images_that_match(folder: Path) -> None:
    assert names(f"{folder}/*1?.jpg") == ["b10.jpg"]
    assert names(f"{folder}/**/*.jpg") == ["B9.jpg", "b10.jpg"]


def test_a_file_is_an_image_or_a_video_whatever_it_is_called(folder: Path) -> None:
    assert names(str(folder / "B9.jpg")) == ["B9.jpg"]
    assert names(str(folder / "unnamed")) == ["unnamed"]
    assert names(str(folder / "film.mp4")) == [None, None]


def test_an_address_is_an_image_or_a_video_whatever_it_is_called(folder: Path) -> None:
    with web_server(folder) as address:
        kinds = {"B9.jpg": FetchedImage, "unnamed": FetchedImage, "film.mp4": VideoSource}
        for name, kind in kinds.items():
            with open_source(f"{address}/{name}") as source:
                assert type(source) is kind
                assert list(source)


def test_a_cameras_password_is_shown_to_nobody() -> None:
    for address in ("rtsp://admin:secret@127.0.0.1:9/cam", "http://admin:secret@127.0.0.1:9/face.jpg"):
        with pytest.raises(SourceError) as caught:
            open_source(address)
        assert "127.0.0.1:9" in str(caught.value)
        assert "secret" not in str(caught.value)


def test_a_dash_is_standard_input() -> None:
    counting = "from emostream.sources import open_source; print(sum(1 for _ in open_source('-')))"
    done = subprocess.run(
        [sys.executable, "-c", counting],
        input=jpeg() * 3,
        capture_output=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        timeout=PATIENCE_S,
        check=True,
    )

    assert done.stdout == b"3\n"


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("98", "camera 98 cannot be opened"),
        ("/dev/video98", "camera /dev/video98 cannot be opened"),
        ("nowhere.mp4", r"there is no file nowhere\.mp4; a source is a camera"),
        ("nowhere*.jpg", "no images there"),
        ("gopher://somewhere", "cannot read gopher://, only http"),
        ("server", "folder server: no images there"),
    ],
)
def test_what_cannot_be_opened_is_said_in_one_line(
    source: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)

    with pytest.raises(SourceError, match=words):
        open_source(source)


def test_a_camera_may_be_named_by_whatever_opencv_knows_it_by(tmp_path: Path) -> None:
    path = write_video(tmp_path / "camera.avi", moving_portrait(2, 64))

    with open_source(f"camera:{path}") as camera:
        assert camera.is_live
        assert len(list(camera)) == 2
    with pytest.raises(SourceError, match="camera 97 cannot be opened"):
        open_source("camera:97")


@pytest.mark.parametrize(
    ("source", "library", "words"),
    [("film.mp4", "av", "reading a video needs PyAV"), ("0", "cv2", "opening a camera needs OpenCV")],
)
def test_videos_and_cameras_name_the_extra_that_they_need(
    source: str, library: str, words: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    for module in ("emostream.sources.video", "emostream.sources.camera"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    monkeypatch.setitem(sys.modules, library, None)  # its import fails

    with pytest.raises(MissingExtraError, match=rf"{words}: .*pip install 'emostream\[video\]'"):
        open_source(source)
    assert names(".") == ["B9.jpg", "b10.jpg"]

from pathlib import Path

import pytest
from emostream.exceptions import SourceError
from emostream.sources import open_source
from emostream.sources.inputs import Failure, InputFrame, list_files, read_files, read_source

from tests.portraits import portrait_file
from tests.support import jpeg
from tests.writers.videos import make_video


def test_a_folder_stands_for_its_images_and_videos_in_the_order_that_people_count(tmp_path: Path) -> None:
    for name in ("10.jpg", "9.mp4", "notes.txt", ".hidden.jpg"):
        (tmp_path / name).touch()
    (tmp_path / "deeper.jpg").mkdir()

    assert [path.name for path in list_files([tmp_path, Path("other.dat")])] == [
        "9.mp4",
        "10.jpg",
        "other.dat",
    ]


def test_a_folder_without_any_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=str(tmp_path)):
        list_files([tmp_path])


def test_what_cannot_be_read_fails_alone(tmp_path: Path) -> None:
    (tmp_path / "good.jpg").write_bytes(jpeg(48, 32))
    (tmp_path / "bad.jpg").write_bytes(b"nonsense")
    (tmp_path / "bad.mp4").write_bytes(b"nonsense")
    names = ["bad.jpg", "good.jpg", "bad.mp4", "missing.mp4", "good.jpg"]

    items = list(read_files([tmp_path / name for name in names]))

    assert [type(item) for item in items] == [Failure, InputFrame, Failure, Failure, InputFrame]
    assert [item.file.index for item in items if isinstance(item, InputFrame)] == [1, 4]
    assert all(str(item.path) in str(item.error) for item in items if isinstance(item, Failure))


def test_of_a_video_each_nth_frame_is_analyzed_and_none_is_left_out(tmp_path: Path) -> None:
    video = make_video(tmp_path / "video.mp4", 7)

    frames = [item for item in read_files([video], every=3) if isinstance(item, InputFrame)]

    assert [frame.is_analyzed for frame in frames] == [True, False, False, True, False, False, True]
    assert [frame.frame.index for frame in frames] == list(range(7))
    assert (frames[0].file.is_image, frames[0].file.frame_count) == (False, 7)


def test_an_image_is_an_image_whatever_it_is_called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """ "0" would be a camera to ``open_source``."""
    monkeypatch.chdir(tmp_path)
    Path("0").write_bytes(portrait_file("PNG"))

    (frame,) = read_files([Path("0")])

    assert isinstance(frame, InputFrame)
    assert frame.file.is_image
    assert frame.frame.image_rgb.shape == (512, 512, 3)


def test_images_of_one_source_are_files_of_their_own(tmp_path: Path) -> None:
    for name in ("1.jpg", "2.jpg"):
        (tmp_path / name).write_bytes(jpeg())

    with open_source(str(tmp_path / "*.jpg")) as source:
        frames = [item for item in read_source(source, None) if isinstance(item, InputFrame)]

    assert [(frame.file.index, frame.file.is_image, frame.frame.name) for frame in frames] == [
        (0, True, "1.jpg"),
        (1, True, "2.jpg"),
    ]

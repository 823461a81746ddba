from pathlib import Path

import pytest
from emostream.exceptions import SourceError
from emostream.sources import open_source
from emostream.sources.inputs import Failure, InputFrame, list_files, read_files, read_source

from tests.portraits import portrait_file
from tests.support import jpeg
from tests.writers.videos import make_video


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    others = ("notes.txt", "list.txt", "data", ".hidden.jpg")
    for name in ("10.jpg", "9.mp4", *others, "in/2.HEIC", "in/to/1.tif"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (tmp_path / "deeper.jpg").mkdir()
    return tmp_path


def test_a_folder_stands_for_its_images_and_videos_in_the_order_that_people_count(folder: Path) -> None:
    listing = list_files([folder, folder / "data"])

    assert listing.files == [folder / "9.mp4", folder / "10.jpg", folder / "data"]
    assert listing.failures == []


def test_what_is_left_out_of_a_folder_is_told(folder: Path) -> None:
    assert list_files([folder]).left_out == [
        f"{folder}: 3 files skipped, neither images nor videos (2 .txt, 1 no extension)",
        f"{folder}: 2 subfolders skipped; --recursive includes them",
    ]


def test_folders_within_folders_are_taken_where_that_is_asked_for(folder: Path) -> None:
    listing = list_files([folder], recursive=True)

    assert [str(place) for place in listing.places] == ["9.mp4", "10.jpg", "in/2.HEIC", "in/to/1.tif"]
    assert listing.files == [folder / place for place in listing.places]
    assert len(listing.left_out) == 1
    with open_source(str(folder / "in"), recursive=True) as source:
        assert source.frame_count == 2


def test_a_folder_without_any_is_an_error_that_names_it(folder: Path) -> None:
    with pytest.raises(SourceError, match=r"deeper\.jpg: there are no images or videos"):
        list_files([folder / "deeper.jpg"])
    (folder / "outer" / "inner").mkdir(parents=True)
    with pytest.raises(SourceError, match=r"except in 1 subfolder \(--recursive\)"):
        list_files([folder / "outer"])


def test_a_file_that_is_not_there_is_a_failure_of_its_own_unless_it_is_the_only_one(folder: Path) -> None:
    listing = list_files([folder / "no.jpg", folder / "10.jpg"])

    assert (listing.files, [failure.path for failure in listing.failures]) == (
        [folder / "10.jpg"],
        [folder / "no.jpg"],
    )
    with pytest.raises(SourceError, match="there is no file"):
        list_files([folder / "no.jpg"])


def test_whatever_a_library_raises_is_that_files_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def surprised(path: Path) -> None:
        raise OverflowError("never heard of")

    monkeypatch.setattr("emostream.sources.inputs.open_file", surprised)
    (tmp_path / "odd.mp4").touch()
    (tmp_path / "good.jpg").write_bytes(jpeg())

    failure, frame = read_files([tmp_path / "odd.mp4", tmp_path / "good.jpg"])

    assert isinstance(failure, Failure)
    assert "odd.mp4 cannot be read: OverflowError: never heard of" in str(failure.error)
    assert isinstance(frame, InputFrame)


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

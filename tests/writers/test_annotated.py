import io
from pathlib import Path

import av
import numpy as np
import pytest
from emostream.analysis.pipeline import AnalyzedFrame
from emostream.exceptions import WriteError
from emostream.faces import Face, Faces
from emostream.sources import Frame
from emostream.sources.inputs import InputFile, InputFrame
from emostream.writers.annotated import CopyWriter, targets
from PIL import Image

from tests.portraits import portrait

LABELS = ("calm", "happiness")


def analyzed(path: Path, index: int = 0, *, is_image: bool = True, frame_index: int = 0) -> AnalyzedFrame:
    file = InputFile(index, path, is_image, 20.0)
    frame = Frame(frame_index, frame_index / 20, np.array(portrait()), None)
    face = Face((174, 68, 106, 106), {"calm": 0.1, "happiness": 0.9}, 0.9, 1)
    return AnalyzedFrame(InputFrame(file, frame), Faces((face,), (512, 512), LABELS))


def test_one_input_has_a_file_and_several_have_a_folder(tmp_path: Path) -> None:
    out = tmp_path / "new" / "folder"

    assert targets([Path("in/a.mov")], tmp_path / "b.mp4", is_folder=False) == [tmp_path / "b.mp4"]
    assert targets([Path("in/a.mov"), Path("in/a.png")], out, is_folder=True) == [
        out / "a.mp4",
        out / "a.png",
    ]
    assert out.is_dir()


def test_copies_of_one_name_do_not_overwrite_each_other(tmp_path: Path) -> None:
    files = [Path("x/a.mov"), Path("x/a.mkv"), Path("x/b.jpg"), Path("y/b.jpg")]

    names = [path.name for path in targets(files, tmp_path, is_folder=True)]

    assert names == ["a.mov.mp4", "a.mkv.mp4", "x-b.jpg", "y-b.jpg"]


def test_copies_lie_as_their_originals_do_below_the_folders_that_were_named(tmp_path: Path) -> None:
    files = [Path("in/a.jpg"), Path("in/x/a.jpg"), Path("in/x/b.heic")]
    places = [Path("a.jpg"), Path("x/a.jpg"), Path("x/b.heic")]

    chosen = targets(files, tmp_path, is_folder=True, places=places)

    assert chosen == [tmp_path / "a.jpg", tmp_path / "x" / "a.jpg", tmp_path / "x" / "b.jpg"]
    assert (tmp_path / "x").is_dir()


@pytest.mark.parametrize(("file", "out"), [("a.mov", "b.avi"), ("a.jpg", "b.mp4"), ("a.jpg", "b")])
def test_an_ending_that_nothing_can_be_written_to_is_refused(tmp_path: Path, file: str, out: str) -> None:
    with pytest.raises(WriteError, match="the name must end in"):
        targets([Path(file)], tmp_path / out, is_folder=False)


def test_an_input_is_never_overwritten(tmp_path: Path) -> None:
    with pytest.raises(WriteError, match="would be overwritten"):
        targets([tmp_path / "a.jpg", tmp_path / "b.jpg"], tmp_path, is_folder=True)


def test_the_same_file_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WriteError, match="given twice"):
        targets([Path("a.jpg"), Path("a.jpg")], tmp_path, is_folder=True)


@pytest.mark.parametrize(
    ("ending", "file_format"),
    [("jpg", "JPEG"), ("PNG", "PNG"), ("webp", "WEBP"), ("bmp", "BMP"), ("tif", "TIFF"), ("mp4", "JPEG")],
)
def test_an_images_copy_is_of_its_own_type_without_the_profile_of_other_pixels(
    tmp_path: Path, ending: str, file_format: str
) -> None:
    """One whose name is no image's, since what it is was found out later, gets one that is."""
    source, out = tmp_path / "in.jpg", tmp_path / f"out.{ending}"
    portrait().convert("CMYK").save(source, icc_profile=b"of inks")
    writer = CopyWriter([out], LABELS)

    frame = analyzed(source)
    writer.draw(frame)
    writer.write(frame)

    [written] = set(tmp_path.iterdir()) - {source}
    assert written.name == ("out.jpg" if ending == "mp4" else out.name)
    with Image.open(io.BytesIO(written.read_bytes())) as image:
        assert (image.format, image.size) == (file_format, (512, 512))
        assert "icc_profile" not in image.info
        difference = np.abs(np.asarray(image.convert("RGB")).astype(int) - np.asarray(portrait()))
    assert (difference[68:174, 172:176].max(2) > 60).mean() > 0.3  # the box


def test_videos_one_after_the_other_become_files_of_their_own(tmp_path: Path) -> None:
    outs = [tmp_path / "a.mp4", tmp_path / "b.mp4"]
    source = tmp_path / "in.mp4"
    with av.open(str(source), "w") as file:  # without sound, and not looked at for anything else
        file.mux(file.add_stream("libx264", rate=20, width=64, height=48).encode(None))
        file.start_encoding()
    writer = CopyWriter(outs, LABELS)

    for index in (0, 1):
        for frame_index in range(3):
            writer.write(analyzed(source, index, is_image=False, frame_index=frame_index))
        writer.finish(is_complete=True)

    for out in outs:
        with av.open(str(out)) as file:
            assert sum(1 for _ in file.decode(video=0)) == 3

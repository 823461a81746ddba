"""Videos by the Python API, with the real model on a real face."""

import itertools
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from emostream import Analyzer, Faces
from emostream.cli.main import main
from emostream.exceptions import SourceError
from emostream.sources import Frame, Source
from emostream.writers.run import RUN_COLUMNS

from tests.analysis.conftest import FRAMES
from tests.portraits import portrait
from tests.servers import QUICK_MODEL
from tests.support import PATIENCE_S
from tests.writers.videos import frame


def threads_at_work() -> set[str]:
    return {thread.name for thread in threading.enumerate()} & {"read", "detect", "recognise", "frames"}


def written_by_predict(
    video: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, *options: str
) -> list[dict[str, object]]:
    out = folder / "faces.jsonl"
    monkeypatch.setattr(sys, "argv", ["emostream", "predict", str(video), "--out", str(out), *options])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    return [json.loads(line) for line in out.read_text().splitlines()]


@pytest.mark.parametrize(
    ("smoothing", "every"), [(0.0, 1), (0.8, 2)], ids=["every frame", "smoothed, every second frame"]
)
def test_tracking_is_what_the_command_line_writes(
    talk: Path,
    tmp_path: Path,
    cache_dir: Path,
    monkeypatch: pytest.MonkeyPatch,
    smoothing: float,
    every: int,
) -> None:
    monkeypatch.setenv("EMOSTREAM_CACHE_DIR", str(cache_dir))
    options = (
        "--smoothing",
        str(smoothing),
        "--every",
        str(every),
        "--device",
        "cpu",
        "--model",
        QUICK_MODEL,
    )
    written = written_by_predict(talk, tmp_path, monkeypatch, *options)

    with Analyzer(QUICK_MODEL, device="cpu", smoothing=smoothing) as analyzer:
        frames = list(analyzer.track(str(talk), every=every))

    rows = [row for faces in frames for row in faces.to_dicts()]
    assert [faces.frame_index for faces in frames] == list(range(0, FRAMES, every))
    assert len(rows) == len(frames)
    for row, expected in zip(rows, written, strict=True):
        shares, expected_shares = row.pop("predictions"), expected.pop("predictions")
        assert shares == pytest.approx(expected_shares, abs=3e-4)  # batches differ from run to run
        assert row.pop("confidence") == pytest.approx(expected.pop("confidence"), abs=3e-4)
        assert row == {name: value for name, value in expected.items() if name not in RUN_COLUMNS}


def test_a_path_is_a_file_whatever_it_is_called(
    quick: Analyzer, talk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As text "0" is the first camera."""
    monkeypatch.chdir(tmp_path)
    Path("0").write_bytes(talk.read_bytes())

    faces = next(quick.track(Path("0")))

    assert (faces.source, len(faces)) == ("0", 1)


@pytest.mark.parametrize("name", ["{folder}", "{folder}/*.png"])
def test_images_of_a_folder_or_pattern_count_their_faces_from_one(
    quick: Analyzer, tmp_path: Path, name: str
) -> None:
    for number, x in enumerate((0, 100, 0)):
        portrait().crop((x, 0, x + 400, 400)).save(tmp_path / f"{number}.png")

    frames = list(quick.track(name.format(folder=tmp_path)))

    assert [faces.source for faces in frames] == ["0.png", "1.png", "2.png"]
    assert [[face.face_id for face in faces] for faces in frames] == [[1], [1], [1]]


def test_a_programs_images_have_the_times_of_their_frame_rate(quick: Analyzer) -> None:
    images = (frame(index) for index in range(6))

    frames = list(quick.track(images, every=2, frame_rate=10))

    assert [(faces.frame_index, faces.time_s) for faces in frames] == [(0, 0.0), (2, 0.2), (4, 0.4)]
    assert {face.face_id for faces in frames for face in faces} == {1}
    assert all(faces.source is None for faces in frames)


def test_a_program_may_fill_one_array_again_and_again(quick: Analyzer) -> None:
    def images() -> Iterator[np.ndarray]:
        buffer = np.zeros((360, 480, 3), np.uint8)
        for index in range(8):
            buffer[:] = frame(index)
            yield buffer
            buffer[:] = 0

    frames = list(quick.track(images()))

    assert [len(faces) for faces in frames] == [1] * 8
    assert len({faces[0].box_xywh for faces in frames}) > 4  # it moves
    assert all((faces.image_rgb == frame(index)).all() for index, faces in enumerate(frames))


def test_what_a_program_raises_comes_after_its_images(quick: Analyzer) -> None:
    def images() -> Iterator[np.ndarray]:
        yield frame(0)
        yield frame(1)
        raise ZeroDivisionError("mine")

    seen: list[Faces] = []
    with pytest.raises(ZeroDivisionError, match="mine"):
        seen.extend(quick.track(images()))

    assert len(seen) == 2


class LaterSource(Source):
    """A program's own, whose frames count from 7."""

    description = "later"
    is_open = True

    def __iter__(self) -> Iterator[Frame]:
        for index in range(7, 12):
            yield Frame(index, index / 20, frame(index), None)

    def close(self) -> None:
        self.is_open = False


def test_a_programs_own_source_is_tracked_from_where_it_starts_and_stays_open(quick: Analyzer) -> None:
    source = LaterSource()

    frames = list(quick.track(source, every=2))

    assert [faces.frame_index for faces in frames] == [7, 9, 11]
    assert source.is_open


def test_a_video_that_is_not_there_or_is_none_is_told(quick: Analyzer, tmp_path: Path) -> None:
    (tmp_path / "bad.mp4").write_bytes(b"nonsense")

    for video in (str(tmp_path / "missing.mp4"), tmp_path / "missing.mp4", tmp_path / "bad.mp4"):
        with pytest.raises(SourceError, match=r"missing\.mp4|bad\.mp4"):
            next(quick.track(video))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"every": 0}, "every is a whole number of at least 1, not 0"),
        ({"frame_rate": 0.0}, "frame_rate is more than 0"),
    ],
)
def test_steps_of_nothing_are_told_at_once(
    quick: Analyzer, talk: Path, options: dict[str, float], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        quick.track(talk, **options)  # type: ignore[arg-type]


class Camera(Source):
    """A face, 50 times a second, until it is closed."""

    is_live = True
    description = "camera"

    def __init__(self) -> None:
        self.is_open = True
        self._interrupted = threading.Event()

    def __iter__(self) -> Iterator[Frame]:
        for index in itertools.count():
            if self._interrupted.wait(0.02):
                return
            yield Frame(index, index / 50, frame(index % 40), None)

    def interrupt(self) -> None:
        self._interrupted.set()

    def close(self) -> None:
        self.is_open = False


def test_a_live_source_goes_on_until_it_is_left_and_stays_its_owners(quick: Analyzer) -> None:
    camera = Camera()
    frames = quick.track(camera)

    first, *rest = itertools.islice(frames, 5)
    frames.close()  # type: ignore[attr-defined]

    assert len(first) == 1
    indices = [faces.frame_index for faces in (first, *rest)]
    assert indices == sorted(set(indices))
    assert threads_at_work() == set()
    assert camera.is_open


def test_a_loop_that_is_left_early_leaves_no_threads_behind(quick: Analyzer, talk: Path) -> None:
    for source in (talk, (frame(0) for _ in itertools.count())):
        for _ in quick.track(source):
            assert threads_at_work()
            break

        assert threads_at_work() == set()


def test_an_error_in_the_loop_leaves_no_threads_behind(quick: Analyzer, talk: Path) -> None:
    def work() -> None:
        for _ in quick.track(talk):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        work()

    assert threads_at_work() == set()


@pytest.mark.parametrize("ending", ["", "raise SystemExit(3)"])
def test_a_program_may_end_in_the_midst_of_a_video(talk: Path, cache_dir: Path, ending: str) -> None:
    program = f"""
import emostream
frames = emostream.Analyzer({QUICK_MODEL!r}, device="cpu").track({str(talk)!r})
print(next(frames))
{ending}
"""
    result = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"EMOSTREAM_CACHE_DIR": str(cache_dir)},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )

    assert result.stdout.startswith("<Faces: ")
    assert (result.returncode, result.stderr) == (3 if ending else 0, "")

"""``emostream predict`` as a process, on real images and videos with the real model."""

import csv
import json
import os
import re
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import pytest
from emostream.cli.main import main
from emostream.emotions import colour_of
from PIL import Image, ImageColor

from tests.portraits import FACE_XYWH, iou, portrait, portrait_file
from tests.servers import QUICK_MODEL
from tests.support import PATIENCE_S, encoded
from tests.writers.videos import make_video

FRAMES = 24
COMMAND = (sys.executable, "-m", "emostream", "predict")
HAPPINESS = np.array(ImageColor.getrgb(colour_of("happiness")))


def environment(cache_dir: Path) -> dict[str, str]:
    return os.environ | {
        "EMOSTREAM_MODEL": QUICK_MODEL,
        "EMOSTREAM_DEVICE": "cpu",
        "EMOSTREAM_PRECISION": "f32",
        "EMOSTREAM_CACHE_DIR": str(cache_dir),
        "COLUMNS": "200",
    }


@dataclass(frozen=True)
class Run:
    """One run over a folder with all kinds of files, and what it left."""

    inputs: Path
    copies: Path
    folder: Path
    code: int
    stdout: str
    stderr: str

    @property
    def rows(self) -> list[dict[str, str]]:
        with (self.folder / "faces.csv").open(newline="") as file:
            return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, cache_dir: Path) -> Run:
    folder = tmp_path_factory.mktemp("predict")
    inputs, copies = folder / "in", folder / "copies"
    inputs.mkdir()
    (inputs / "bad.jpg").write_bytes(b"nonsense")
    # Lies on its side, as telephones save images.
    (inputs / "me.jpg").write_bytes(encoded(portrait().rotate(180), "JPEG", exif=_turned()))
    (inputs / "me.png").write_bytes(portrait_file("PNG"))
    (inputs / "blank.bmp").write_bytes(encoded(Image.new("RGB", (64, 48)), "BMP"))
    make_video(inputs / "talk.mp4", FRAMES, size_wh=(481, 361), times_s=_uneven(FRAMES))
    (inputs / "notes.txt").touch()
    (inputs / "deeper").mkdir()
    options = ["--annotate", str(copies), "--out", "faces.csv", "--report", "page.html"]
    result = subprocess.run(
        [*COMMAND, "in", "missing.png", *options, "--timings", "timings.json"],
        cwd=folder,
        env=environment(cache_dir),
        capture_output=True,
        text=True,
        timeout=3 * PATIENCE_S,
        check=False,
    )
    return Run(inputs, copies, folder, result.returncode, result.stdout, result.stderr)


def _turned() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    return exif.tobytes()


def _uneven(frames: int) -> list[float]:
    return [index / 20 + (0.3 if index > frames // 2 else 0) for index in range(frames)]


def test_a_file_that_cannot_be_read_fails_alone_and_shows_in_the_exit_code(run: Run) -> None:
    assert run.code == 1
    assert run.stdout == ""
    lines = run.stderr.splitlines()
    assert lines[:3] == [
        "in: 1 file skipped, neither images nor videos (1 .txt)",
        "in: 1 subfolder skipped; --recursive includes them",
        "error: there is no file missing.png",
    ]
    assert lines[3].startswith("error: in/bad.jpg: ")
    assert lines[4:] == [
        "no face was found in blank.bmp",
        "2 of 6 inputs failed: missing.png, bad.jpg",
    ]
    assert {row["source"] for row in run.rows} == {"in/me.jpg", "in/me.png", "in/talk.mp4"}


def test_faces_are_where_they_are_and_smile(run: Run) -> None:
    (row,) = (row for row in run.rows if row["source"] == "in/me.png")

    box = tuple(int(row[f"box_{side}"]) for side in ("x", "y", "width", "height"))
    assert iou(box, FACE_XYWH) > 0.8
    assert row["emotion"] == "happiness"
    assert float(row["confidence"]) == float(row["p_happiness"]) > 0.9


def test_each_frame_of_a_video_has_its_face_at_its_time(run: Run) -> None:
    rows = [row for row in run.rows if row["source"] == "in/talk.mp4"]

    assert [int(row["frame"]) for row in rows] == list(range(FRAMES))
    assert [float(row["time_s"]) for row in rows] == pytest.approx(_uneven(FRAMES), abs=0.001)
    assert {row["face_id"] for row in rows} == {"1"}


def test_an_annotated_video_is_h264_of_the_same_times_with_the_very_same_sound(run: Run) -> None:
    def content(path: Path) -> tuple[list[float], list[bytes], float]:
        with av.open(str(path)) as file:
            times = [round(frame.time, 3) for frame in file.decode(video=0)]
        with av.open(str(path)) as file:
            sound = [bytes(packet) for packet in file.demux(audio=0) if packet.size]
            return times, sound, file.duration / 1e6

    times, sound, duration_s = content(run.copies / "talk.mp4")

    before = content(run.inputs / "talk.mp4")
    assert times == pytest.approx(before[0], abs=0.001)
    assert sound == before[1]
    assert duration_s == pytest.approx(before[2], abs=0.06)
    with av.open(str(run.copies / "talk.mp4")) as file:
        context = file.streams.video[0].codec_context
        assert (context.name, context.pix_fmt, context.width, context.height) == (
            "h264",
            "yuv420p",
            482,
            362,
        )
        pixels = next(file.decode(video=0)).to_ndarray(format="rgb24").astype(int)
    assert (np.abs(pixels - HAPPINESS) < 40).all(2).sum() > 1000


def test_annotated_images_are_of_their_own_types_and_upright(run: Run) -> None:
    with Image.open(run.copies / "me.png") as png, Image.open(run.copies / "me.jpg") as jpg:
        assert (png.format, jpg.format) == ("PNG", "JPEG")
        assert not jpg.getexif().get(0x0112)
        assert (np.asarray(png.convert("RGB")) == HAPPINESS).all(2).sum() > 800
    assert not (run.copies / "bad.jpg").exists()


def test_the_report_tells_of_all_of_it(run: Run) -> None:
    page = (run.folder / "page.html").read_text()
    text = " ".join(re.sub(r"<(style|svg)[\s\S]*?</\1>|<[^>]+>", " ", page).split())

    assert "1 video, 3 images" in text
    assert "No face found blank.bmp" in text
    assert f"talk.mp4 0:01.5 {FRAMES} 1 happiness 100 %" in text
    assert "happiness" in text.partition("me.jpg")[0]
    assert "in/bad.jpg :" in text
    assert page.count("<svg") == 1


def test_the_time_of_each_stage_is_written(run: Run) -> None:
    figures = json.loads((run.folder / "timings.json").read_text())

    assert figures["frames"] == FRAMES + 3
    assert set(figures["busy_s"]) == {"read", "detect", "recognise", "draw", "encode", "write"}


def test_an_interrupt_leaves_whole_files(tmp_path: Path, cache_dir: Path) -> None:
    video = make_video(tmp_path / "long.mp4", 400)
    process = subprocess.Popen(
        [sys.executable, "-m", "emostream", "predict", str(video), "--annotate", "copy.mp4", "--every", "2"],
        cwd=tmp_path,
        env=environment(cache_dir),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    lines = [process.stdout.readline()]
    process.send_signal(signal.SIGINT)
    rest, errors = process.communicate(timeout=PATIENCE_S)
    records = [json.loads(line) for line in [*lines, *rest.splitlines()]]

    assert process.returncode == 130
    assert errors == ""
    assert 0 < len(records) < 200
    assert [record["frame"] for record in records] == list(range(0, 2 * len(records), 2))
    with av.open(str(tmp_path / "copy.mp4")) as file:
        shown = sum(1 for _ in file.decode(video=0))
    assert 2 * len(records) - 1 <= shown <= 2 * len(records)


# In this process: starting another one takes seconds


def call(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int | str | None:
    monkeypatch.setattr(sys, "argv", ["emostream", "predict", *arguments])
    with pytest.raises(SystemExit) as caught:
        main()
    return caught.value.code


def test_help_has_examples(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(monkeypatch, "--help") == 0

    assert "emostream predict group.jpg" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("empty",), "there are no images or videos in this folder"),
        (("missing.mp4",), "there is no file missing.mp4"),
        (("a.mp4", "--out", "faces.xls"), "the name must end in .jsonl"),
        (("a.mp4", "--out", "no/faces.csv"), "--out no/faces.csv cannot be written: No such file"),
        (("a.mp4", "--report", "page.pdf"), "--report page.pdf: the name must end in .html"),
        (("a.mp4", "--timings", "empty"), "--timings empty cannot be written: Is a directory"),
        (("a.mp4", "--annotate", "b.avi"), "the name must end in .m4v, .mp4"),
        (("a.mp4", "--annotate", "a.mp4"), "would be overwritten"),
    ],
)
def test_what_cannot_work_is_told_at_once_in_one_line(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    arguments: tuple[str, ...],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("empty").mkdir()
    Path("a.mp4").touch()
    monkeypatch.setattr("emostream.cli.predict.Analyzer", None)  # no model is loaded for it

    assert call(monkeypatch, *arguments) == 1

    [line] = capsys.readouterr().err.splitlines()
    assert message in line


def test_a_copy_that_cannot_be_written_costs_no_row_and_no_other_copy(
    tmp_path: Path, cache_dir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As where an encoder refuses, or a disk does not take a name: nothing but that copy is missing."""
    monkeypatch.chdir(tmp_path)
    last_frames = (3, 3, 3, 0, 0)
    for name, value in environment(cache_dir).items():
        monkeypatch.setenv(name, value)
    names = ("12:30.mp4", os.fsdecode(b"caf\xe9.mp4"), "b.mp4", "c.jpg", "d.jpg")
    for name in names[:3]:
        make_video(tmp_path / name, 4)
    for name in names[3:]:
        Path(name).write_bytes(portrait_file())
    for name in ("b.mp4", "d.jpg"):  # where the copy is to lie
        Path("copies", name).mkdir(parents=True)

    code = call(monkeypatch, *names, "--annotate", "copies", "--out", "t.jsonl", "--report", "r.html")

    rows = [json.loads(line) for line in Path("t.jsonl").read_text().splitlines()]
    assert code == 1
    assert {row["source"]: row["frame"] for row in rows} == dict(zip(names, last_frames, strict=True))
    assert sorted(path.name for path in Path("copies").iterdir() if path.is_file()) == sorted(
        (*names[:2], "c.jpg")
    )
    errors = capsys.readouterr().err.splitlines()
    assert [line.partition(" cannot")[0] for line in errors[:-1]] == [
        "error: copies/b.mp4",
        "error: copies/d.jpg",
    ]
    assert errors[-1] == "2 of 5 inputs failed: b.mp4, d.jpg"
    assert "copies/d.jpg" in Path("r.html").read_text()

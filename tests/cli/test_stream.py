"""``emostream stream`` by its real executable, against a real server process."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pexpect
import pyarrow.parquet as pq
import pytest
from emostream.cli import main as module
from PIL import Image

from tests.portraits import portrait_file
from tests.sample_videos import moving_portrait, web_server, write_video
from tests.servers import QUICK_MODEL, Addresses, ServerProcess, server_thread
from tests.support import PATIENCE_S, ROOT, FakeRecognizer, encoded

COMMAND = (sys.executable, "-m", "emostream", "stream")
ENVIRONMENT = {**os.environ, "no_proxy": "127.0.0.1", "PYTHONPATH": str(ROOT)}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, cache_dir: Path) -> Iterator[ServerProcess]:
    with ServerProcess(tmp_path_factory.mktemp("server"), cache_dir, model=QUICK_MODEL) as process:
        yield process


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short film and a long one, and a folder with two pictures of a face and a broken one."""
    folder = tmp_path_factory.mktemp("films")
    write_video(folder / "short.mp4", moving_portrait(5))
    write_video(folder / "long.mp4", moving_portrait(400, 128))
    (folder / "pictures").mkdir()
    for name in ("face9.jpg", "face10.jpg"):
        (folder / "pictures" / name).write_bytes(portrait_file())
    (folder / "pictures" / "face2.jpg").write_bytes(portrait_file()[:1000])
    return folder


def emostream(
    server: Addresses, *arguments: str, input: bytes | None = None
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [*COMMAND, *arguments, "--url", server.http],
        env=ENVIRONMENT,
        cwd=ROOT,
        input=input,
        capture_output=True,
        timeout=4 * PATIENCE_S,
        check=False,
    )


def frames_in(lines: bytes) -> list[int]:
    return [json.loads(line)["frame"] for line in lines.splitlines()]


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 2 * PATIENCE_S
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


# Sources and files


def test_a_films_frames_are_in_the_table_with_their_times(
    server: ServerProcess, films: Path, tmp_path: Path
) -> None:
    out = tmp_path / "faces.csv"

    done = emostream(server, str(films / "short.mp4"), "--out", str(out))

    assert done.returncode == 0, done.stderr
    rows = list(csv.DictReader(out.read_text().splitlines()))
    assert [row["frame"] for row in rows] == ["0", "1", "2", "3", "4"]
    assert [float(row["time_s"]) for row in rows] == pytest.approx([0, 0.1, 0.2, 0.3, 0.4])
    assert {row["face_id"] for row in rows} == {"1"}
    assert {row["emotion"] for row in rows} == {"happiness"}
    assert sum(float(rows[0][name]) for name in rows[0] if name.startswith("p_")) == pytest.approx(
        1, abs=1e-3
    )
    assert b"5 frames with 5 faces" in done.stderr
    assert done.stdout == b""


@pytest.mark.parametrize("detect", ["server", "local"])
def test_a_folders_pictures_come_in_natural_order_without_the_broken_one(
    server: ServerProcess, films: Path, detect: str
) -> None:
    """Wherever faces are found: each picture counts its own from 1, to four places, as `predict` does."""
    options = ("--detect", detect, "--smoothing", "0.5")

    done = emostream(server, str(films / "pictures"), *options)

    assert done.returncode == 1, done.stderr  # one of them is missing
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(line["frame"], line["source"]) for line in lines] == [(1, "face9.jpg"), (2, "face10.jpg")]
    assert [line["face_id"] for line in lines] == [1, 1]
    assert lines[0]["box"] == lines[1]["box"]
    assert lines[0]["score"] > 0.5
    numbers = [lines[0]["score"], lines[0]["confidence"], *lines[0]["predictions"].values()]
    assert numbers == [round(number, 4) for number in numbers]
    assert b"face2.jpg" in done.stderr
    assert b"1 images skipped" in done.stderr


def test_a_network_camera_is_watched_in_realtime_across_its_restarts_up_to_the_limit(
    server: ServerProcess, films: Path, tmp_path: Path
) -> None:
    for index, pixels in enumerate(moving_portrait(3)):
        (tmp_path / f"{index}.jpg").write_bytes(encoded(Image.fromarray(pixels), "JPEG"))

    with web_server(tmp_path, live_pictures=3) as address:
        done = emostream(server, f"{address}/live", "--limit", "6", "--interval", "50")

    assert done.returncode == 0, done.stderr
    assert b"6 frames with" in done.stderr
    assert b"; reopening it" in done.stderr
    indices = frames_in(done.stdout)
    assert indices == sorted(set(indices))


def test_a_camera_is_watched_and_its_newest_picture_counts(server: ServerProcess, films: Path) -> None:
    """OpenCV takes a film for a camera, one that is as quick as it is read."""
    done = emostream(server, f"camera:{films / 'short.mp4'}")

    assert done.returncode == 0, done.stderr
    indices = frames_in(done.stdout)
    assert indices
    assert indices == sorted(set(indices))


def test_pictures_are_taken_from_a_pipe(server: ServerProcess) -> None:
    done = emostream(server, "-", input=portrait_file() * 3)

    assert done.returncode == 0, done.stderr
    assert frames_in(done.stdout) == [0, 1, 2]


# Troubles


@pytest.mark.slow
def test_a_server_killed_in_mid_film_costs_no_frame_and_doubles_none(
    films: Path, tmp_path: Path, cache_dir: Path
) -> None:
    out = tmp_path / "faces.jsonl"
    first = ServerProcess(tmp_path, cache_dir, model=QUICK_MODEL)
    arguments = [*COMMAND, str(films / "long.mp4"), "--url", first.http, "--out", str(out)]
    client = subprocess.Popen(arguments, env=ENVIRONMENT, cwd=ROOT, stderr=subprocess.PIPE)
    try:
        wait_until(lambda: out.exists() and out.read_bytes().count(b"\n") > 10)
        first.end(signal.SIGKILL)
        assert out.read_bytes().count(b"\n") < 390  # it was in the middle
        second = ServerProcess(tmp_path, cache_dir, port=first.port, model=QUICK_MODEL)
        _, said = client.communicate(timeout=4 * PATIENCE_S)
        second.end()
    finally:
        client.kill()

    assert client.returncode == 0, said
    assert frames_in(out.read_bytes()) == list(range(400))
    assert b"1 reconnects" in said


def test_a_terminal_shows_progress_and_ctrl_c_leaves_a_whole_parquet_file(
    server: ServerProcess, films: Path, tmp_path: Path
) -> None:
    out = tmp_path / "faces.parquet"
    arguments = ["-m", "emostream", "stream", str(films / "long.mp4"), "--realtime", "--out", str(out)]
    terminal = pexpect.spawn(
        sys.executable,
        [*arguments, "--url", server.http],
        env={**ENVIRONMENT, "TERM": "xterm-256color"},
        cwd=str(ROOT),
        dimensions=(24, 120),
        timeout=2 * PATIENCE_S,
        encoding="utf-8",
        # Where the tests run in the background Ctrl-C is ignored, which children inherit.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )

    terminal.expect(r"[1-9]\d*/400.*frames/s, latency \d+ ms, \d+ dropped")
    terminal.sendintr()
    terminal.expect(r"\d+ frames with \d+ faces in")
    terminal.expect(pexpect.EOF)
    terminal.close()

    assert terminal.exitstatus == 130
    assert pq.read_table(out).num_rows > 0


def test_a_wrong_token_is_told_and_the_right_one_comes_from_the_environment(
    films: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with server_thread(FakeRecognizer(is_open=True), token="secret") as server:
        refused = emostream(server, str(films / "short.mp4"), "--token", "wrong")
        for name, value in {"EMOSTREAM_TOKEN": "secret", "no_proxy": "127.0.0.1"}.items():
            monkeypatch.setenv(name, value)
        arguments = ["stream", str(films / "short.mp4"), "--url", server.http]
        monkeypatch.setattr(sys, "argv", ["emostream", *arguments])
        with pytest.raises(SystemExit) as ended:
            module.main()

    assert refused.returncode == 3
    assert b"needs a valid token" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
    assert ended.value.code == 0
    assert frames_in(capsys.readouterr().out.encode()) == [0, 1, 2, 3, 4]


def test_without_a_detector_here_the_server_finds_the_faces_unless_it_is_wanted_here(
    films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(server: Addresses, detect: str) -> int:
        arguments = [str(films / "pictures/face9.jpg"), "--url", server.http, "--detect", detect]
        monkeypatch.setattr(sys, "argv", ["emostream", "stream", *arguments])
        with pytest.raises(SystemExit) as ended:
            module.main()
        assert isinstance(ended.value.code, int)
        return ended.value.code

    with server_thread(FakeRecognizer(is_open=True)) as server:
        for name, value in {"EMOSTREAM_FACES_DIR": str(tmp_path), "no_proxy": "127.0.0.1"}.items():
            monkeypatch.setenv(name, value)
        assert run(server, "auto") == 0
        on_the_server = capsys.readouterr()
        assert run(server, "local") == 1
        here = capsys.readouterr()

    assert frames_in(on_the_server.out.encode()) == [0]
    assert "no face detector, so whole images are sent to the server" in on_the_server.err
    assert "no face detector in" in here.err
    assert len(here.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("README.md", "--url", "ftp://host"), 2, "is not a server's address"),
        (("nowhere.mp4",), 1, "there is no file nowhere.mp4"),
        (("docs/screenshot.png", "--url", "127.0.0.1:9"), 3, "cannot be reached"),
        (("--help",), 0, "130 interrupted"),
    ],
)
def test_exit_codes_are_as_the_help_says(
    arguments: tuple[str, ...],
    code: int,
    words: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(sys, "argv", ["emostream", "stream", *arguments])

    with pytest.raises(SystemExit) as ended:
        module.main()

    assert ended.value.code == code
    captured = capsys.readouterr()
    # The help is wrapped to the terminal's width.
    assert words in " ".join((captured.out + captured.err).split())

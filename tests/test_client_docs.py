"""What docs/client.md shows does what it says."""

import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from emostream.cli import main as module

from tests.portraits import portrait_file
from tests.sample_videos import moving_portrait, write_video
from tests.servers import ServerThread, server_thread
from tests.support import LABELS, ROOT, FakeRecognizer

TEXT = (ROOT / "docs" / "client.md").read_text()
PYTHON = re.findall(r"^```python\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
COMMANDS = re.findall(r"^(emostream .*)$", "".join(re.findall(r"^```sh\n(.*?)^```", TEXT, re.M | re.S)), re.M)


@pytest.fixture(scope="module")
def server() -> Iterator[ServerThread]:
    with server_thread(FakeRecognizer(max_batch=16, is_open=True)) as server:
        yield server


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with the files that the examples name."""
    write_video(tmp_path / "video.mp4", moving_portrait(5))
    (tmp_path / "photos").mkdir()
    for path in (tmp_path / "face.jpg", tmp_path / "photos" / "one.jpg", tmp_path / "photos" / "two.jpg"):
        path.write_bytes(portrait_file())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    return tmp_path


def run(example: str, server: ServerThread, capsys: pytest.CaptureFixture[str]) -> str:
    """What a Python example prints."""
    assert "localhost:8000" in example
    exec(compile(example.replace("localhost:8000", server.host), "docs/client.md", "exec"), {})
    return capsys.readouterr().out


def test_each_face_of_a_video_is_printed(server: ServerThread, capsys: pytest.CaptureFixture[str]) -> None:
    lines = run(PYTHON[0], server, capsys).splitlines()

    assert lines[0] == f"fake {LABELS}"
    assert [line.partition(":")[0] for line in lines[1:]] == [f"0.{n}0 s, face 1" for n in range(5)]


def test_without_a_loop_each_image_is_printed(
    server: ServerThread, capsys: pytest.CaptureFixture[str]
) -> None:
    one, two = run(PYTHON[1], server, capsys).splitlines()

    assert one.startswith("one.jpg [(")
    assert two.startswith("two.jpg [(")


def test_crops_of_ones_own_are_answered(server: ServerThread, capsys: pytest.CaptureFixture[str]) -> None:
    lines = run(PYTHON[2], server, capsys).splitlines()

    assert 1 <= len(lines) <= 3
    assert all(line.startswith("{'anger': ") and line.endswith(" ms") for line in lines)


def test_thirty_lines_are_a_client(server: ServerThread, capsys: pytest.CaptureFixture[str]) -> None:
    assert len(PYTHON[3].splitlines()) <= 32
    assert "emostream" not in PYTHON[3]

    labels, one, two = run(PYTHON[3], server, capsys).splitlines()

    assert labels == str(list(LABELS))
    assert one.startswith("one.jpg [")
    assert two.startswith("two.jpg [")


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_work_as_written(
    command: str, server: ServerThread, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = shlex.split(command.replace("localhost:8000", server.host))
    words += ["--seconds", "0.5"] if "bench" in words else ["--url", server.http]
    monkeypatch.setattr(sys, "argv", words)

    with pytest.raises(SystemExit) as ended:
        module.main()

    assert ended.value.code == 0
    if "--out" in words:
        assert (folder / words[words.index("--out") + 1]).stat().st_size > 0

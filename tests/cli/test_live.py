"""``emostream live`` in a terminal, on a real video with the real model."""

import re
import signal
import sys
import time
from pathlib import Path

import pytest
from emostream.cli.main import main
from emostream.emotions import colour_of
from PIL import Image

from tests.portraits import portrait
from tests.sample_videos import web_server
from tests.support import encoded
from tests.terminal.ptys import Terminal
from tests.writers.videos import make_video


def test_a_person_sees_bars_and_the_image_and_the_keys_do_what_they_say(
    tmp_path: Path, cache_dir: Path
) -> None:
    video = make_video(tmp_path / "video.mp4", 40)
    terminal = Terminal(tmp_path, cache_dir, "live", str(video))

    shown = terminal.wait_for("surprise")
    assert "● face 1  happiness" in shown
    assert "frames/s   latency" in shown
    assert "▀▀▀▀▀▀▀▀" in shown
    assert colour_of("happiness").removeprefix("#") in terminal.colours()  # its bar, and the box

    terminal.press("s")
    terminal.wait_for("saved emostream-")
    (path,) = tmp_path.glob("emostream-*.png")
    with Image.open(path) as snapshot:
        assert (snapshot.format, snapshot.size) == ("PNG", (480, 360))

    terminal.press(" ")
    terminal.wait_for("paused")
    terminal.press(" ")

    terminal.resize(50, 20)
    terminal.wait_until(lambda text: "▀" not in text and "surprise" in text)

    terminal.press("q")
    assert terminal.wait() == 0
    assert terminal.is_restored()


def test_a_resize_in_the_middle_of_a_screen_loses_none_of_it(tmp_path: Path, cache_dir: Path) -> None:
    """A terminal that reads slowly holds the writer up, and each signal cuts its writing short."""
    video = make_video(tmp_path / "video.mp4", 40)
    terminal = Terminal(tmp_path, cache_dir, "live", str(video))
    terminal.wait_for("surprise")

    for columns in (90, 100, 90, 100):
        time.sleep(0.4)
        terminal.resize(columns, 30)

    terminal.press("q")
    assert terminal.wait() == 0  # half a character would be an error of decoding
    holds, releases = (terminal.raw.count(f"\x1b[?2026{end}") for end in "hl")
    assert holds == releases > 0
    cut_short = re.search(r"\x1b\[[0-9;]*\x1b", terminal.raw)
    assert cut_short is None


def test_a_camera_that_goes_away_is_said_so_and_shown_again_when_it_is_back(
    tmp_path: Path, cache_dir: Path
) -> None:
    (tmp_path / "0.jpg").write_bytes(encoded(portrait(), "JPEG"))
    with web_server(tmp_path, live_pictures=5) as address:
        terminal = Terminal(tmp_path, cache_dir, "live", f"{address}/live", "--preview", "none")
        terminal.wait_for("● face 1")
        terminal.wait_for("broke off")
        terminal.wait_for("is back after")

    terminal.wait_for("no image: reopening the source")

    terminal.press("q")
    assert terminal.wait() == 0
    assert terminal.is_restored()


def test_sigterm_gives_the_terminal_back(tmp_path: Path, cache_dir: Path) -> None:
    video = make_video(tmp_path / "video.mp4", 200, sound=None)
    terminal = Terminal(tmp_path, cache_dir, "live", str(video), "--preview", "none")
    assert "▀" not in terminal.wait_for("● face 1")

    terminal.process.send_signal(signal.SIGTERM)

    assert terminal.wait() == 128 + signal.SIGTERM
    assert terminal.is_restored()
    assert "Traceback" not in terminal.raw


def call(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str
) -> tuple[object, str]:
    """In this process: the exit code, and all that was said."""
    monkeypatch.setattr(sys, "argv", ["emostream", "live", *arguments])
    with pytest.raises(SystemExit) as caught:
        main()
    captured = capsys.readouterr()
    return caught.value.code, captured.out + captured.err


def test_without_a_terminal_it_says_so_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said = call(monkeypatch, capsys)

    assert code == 1
    assert said.count("\n") == 1
    assert said.startswith("error: live needs a terminal")


def test_help_has_examples(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    code, said = call(monkeypatch, capsys, "--help")

    assert code == 0
    assert "emostream live talk.mp4" in said
    assert "--preview" in said

from collections.abc import Iterator
from types import SimpleNamespace

import numpy as np
import pytest
from emostream.cli import stream_report
from emostream.cli.stream_report import StreamReport
from emostream.client import Dropped, FrameError, FrameResult
from emostream.faces import Face, Faces
from emostream.sources import Frame, Source

FACE = Face(None, {"sad": 1.0})
STREAM = SimpleNamespace(info=SimpleNamespace(model="fake"), reconnects=2)


class Video(Source):
    frame_count = 4
    skipped = 1
    description = "a video"

    def __iter__(self) -> Iterator[Frame]:
        return iter(())


def frame(index: int) -> Frame:
    return Frame(index, 0.0, np.zeros((1, 1, 3), np.uint8), None)


def faces(*found: Face) -> Faces:
    return Faces(found, (1, 1), ("sad",))


def watch(report: StreamReport) -> None:
    with report.watching(Video(), STREAM):  # type: ignore[arg-type]
        report.add(FrameResult(frame(0), 0, faces(FACE, FACE), None, 10.0))
        report.add(FrameResult(frame(1), 1, faces(), None, None))
        report.add(Dropped(frame(2), 2, "superseded"))
        report.add(FrameError(frame(3), 3, "invalid_image", "broken"))


def test_the_summary_counts_everything(capsys: pytest.CaptureFixture[str]) -> None:
    report = StreamReport()
    watch(report)
    report.show_summary()

    said = capsys.readouterr().err
    assert "4 frames with 2 faces in" in said
    assert "latency p50 10 ms, p95 10 ms; 1 dropped; 1 failed; 1 images skipped; 2 reconnects" in said
    assert (report.results, report.last_error) == (2, "broken")


def test_without_a_terminal_there_is_a_line_now_and_then(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    watch(StreamReport())
    assert capsys.readouterr().err == ""

    monkeypatch.setattr(stream_report, "_LINE_EVERY_S", -1.0)
    watch(StreamReport())
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 4
    assert lines[3].startswith("4 frames, ")
    assert lines[3].endswith("frames/s, latency 10 ms, 1 dropped")


def test_it_can_be_quiet_and_says_nothing_of_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream_report, "_LINE_EVERY_S", -1.0)

    watch(StreamReport(is_quiet=True))
    StreamReport().show_summary()

    assert capsys.readouterr().err == ""

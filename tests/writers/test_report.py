import re
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from emostream.analysis.pipeline import AnalyzedFrame
from emostream.exceptions import WriteError
from emostream.faces import Face, Faces
from emostream.sources import Frame
from emostream.sources.inputs import InputFile, InputFrame
from emostream.writers import report as module
from emostream.writers.report import render_report, write_report
from emostream.writers.summary import Summary

LABELS = ("anger", "happiness")
NOON = datetime(2026, 11, 20, 12, 0)


def face(face_id: int, *shares: float) -> Face:
    return Face.from_row(LABELS, np.array(shares, np.float32), (5, 5, 20, 20), 0.9, face_id)


def analyzed(file: InputFile, index: int, *faces: Face) -> AnalyzedFrame:
    frame = Frame(index, index / 10, np.zeros((48, 64, 3), np.uint8), None)
    return AnalyzedFrame(InputFrame(file, frame), Faces(faces, (64, 48), LABELS))


@pytest.fixture
def summary() -> Summary:
    summary = Summary(LABELS)
    video = InputFile(0, Path("talk & <i>more.mp4"), is_image=False, frame_rate=10.0)
    for index in range(10):
        others = [face(2, 0.9, 0.1)] if index < 5 else []
        summary.add(analyzed(video, index, face(1, 0.2, 0.8), *others))
    summary.add(analyzed(InputFile(1, Path("me.jpg"), is_image=True), 0, face(1, 0.4, 0.6)))
    summary.add_failure("broken.jpg", "it is <broken>")
    return summary


def text_of(page: str) -> str:
    return " ".join(re.sub(r"<(style|svg)[\s\S]*?</\1>|<[^>]+>", " ", page).split())


def test_the_page_sums_up_each_file(summary: Summary) -> None:
    text = text_of(render_report(summary, "default", NOON))

    assert "1 video, 1 image" in text
    assert "3 faces in 11 analysed frames, recognised by default on 20 November 2026, 12:00" in text
    assert "talk &amp; &lt;i&gt;more.mp4 0:01 10 2 happiness 67 %" in text
    assert "Face 1: happiness 100 % seen for 0:01, from 0:00 to 0:00.9 · 10 frames" in text
    assert "Face 2: anger 100 % seen for 0:00.5" in text
    assert "happiness 60 % me.jpg" in text


def test_uncertain_faces_say_so() -> None:
    summary = Summary(LABELS)
    row = np.array([0.4, 0.6], np.float32)
    doubted = Face.from_row(LABELS, row, (5, 5, 20, 20), 0.9, 1, reasons=("small",))
    summary.add(analyzed(InputFile(0, Path("me.jpg"), is_image=True), 0, doubted))

    assert "happiness 60 % me.jpg unsure: too small" in text_of(render_report(summary, "default", NOON))


def test_every_face_of_a_video_has_a_timeline_and_a_thumbnail(summary: Summary) -> None:
    page = render_report(summary, "default", NOON)

    assert page.count("<svg") == 2
    assert page.count('src="data:image/jpeg;base64,') == 3


def test_names_are_text_and_never_markup(summary: Summary) -> None:
    page = render_report(summary, "<script>", NOON)

    assert "<i>more" not in page
    assert "it is &lt;broken&gt;" in page
    assert "<script>" not in page


def test_a_name_neither_controls_a_terminal_nor_turns_the_pages_text_round(summary: Summary) -> None:
    summary.add_failure("a\x1b]0;owned\x07\u202egpj.exe", "it is\nbroken")

    page = render_report(summary, "default", NOON)

    assert "a\\x1b]0;owned\\x07\\u202egpj.exe" in page
    assert not {"\x1b", "\x07", "\u202e"} & set(page)


def test_the_page_asks_nobody_for_anything(summary: Summary) -> None:
    page = render_report(summary, "default", NOON)

    assert "default-src 'none'" in page
    assert not re.search(r'(?:src|href)="(?!data:|#)', page)
    assert "@import" not in page
    ids = re.findall(r'\bid="([^"]+)"', page)
    paths = [name for name in ids if re.fullmatch(r"[pm][0-9a-f]{8,}", name)]
    assert len(paths) == len(set(paths))  # of two drawings in one page


def test_a_crowd_is_counted_and_only_its_first_faces_are_shown(
    summary: Summary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_FACES_SHOWN", 1)

    assert "And 1 more, counted in the table only." in text_of(render_report(summary, "default", NOON))


def test_without_any_face_it_says_so() -> None:
    summary = Summary(LABELS)
    summary.add(analyzed(InputFile(0, Path("empty.mp4"), is_image=False), 0))

    assert "No face was found." in text_of(render_report(summary, "default", NOON))


def test_a_page_that_cannot_be_written_is_an_error_that_names_it(summary: Summary, tmp_path: Path) -> None:
    with pytest.raises(WriteError, match=r"nowhere/page\.html cannot be written"):
        write_report(tmp_path / "nowhere" / "page.html", summary, "default", NOON)

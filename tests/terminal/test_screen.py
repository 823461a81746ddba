import io
from dataclasses import replace

import pytest
from emostream.terminal.screen import KEYS, Status, preview_room, screen
from emostream.terminal.watch import Sight
from rich.console import Console

from tests.terminal.sights import face, sight

STATUS = Status("camera 0 (640 × 480)", "default", "saved it.png", is_paused=False)


def printed(seen: Sight | None, status: Status = STATUS, rows: int = 20, columns: int = 80) -> list[str]:
    console = Console(file=io.StringIO(), width=columns, height=rows)
    console.print(screen(seen, status, None, rows))
    assert isinstance(console.file, io.StringIO)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


def test_rate_and_latency_are_above_and_keys_and_messages_below() -> None:
    lines = printed(sight())

    assert lines[0].startswith("emostream camera 0 (640 × 480)")
    assert lines[0].endswith("24.6 frames/s   latency 31 ms   default")
    assert lines[-1].startswith(KEYS)
    assert lines[-1].endswith("saved it.png")
    assert len(lines) == 20


def test_a_face_has_a_bar_for_every_emotion() -> None:
    lines = printed(sight(face(4, 0.25, 0.5, 0.25)))

    assert lines[1] == "● face 4  happiness 50 %"
    bars = {line.split()[0]: line.count("━") for line in lines[2:5]}
    assert bars["happiness"] == pytest.approx(2 * bars["anger"], abs=1)
    assert lines[2].endswith("25%")


def test_an_uncertain_face_says_so_and_why() -> None:
    doubted = replace(face(4, 0.25, 0.5, 0.25), uncertain=True, reasons=("dark",))

    lines = printed(sight(doubted))

    assert lines[1] == "○ face 4  unsure (too dark): happiness or anger"


def test_faces_without_room_for_bars_have_a_line_each() -> None:
    faces = [face(number, 0.25, 0.5, 0.25) for number in range(1, 7)]

    lines = printed(sight(*faces), rows=12)

    assert sum("anger" in line for line in lines) == 1
    assert [line for line in lines if "face 6" in line]
    assert len(lines) == 12


def test_it_says_when_there_is_no_face_no_frame_yet_or_a_pause() -> None:
    assert "no face in view" in printed(sight())
    assert printed(None)[0].endswith("waiting for the first frame")
    assert printed(sight(), Status("x", "m", "", is_paused=True))[0].endswith("paused")


@pytest.mark.parametrize("size", [(20, 5), (40, 10), (300, 90)])
def test_every_terminal_is_filled_exactly(size: tuple[int, int]) -> None:
    columns, rows = size
    lines = printed(sight(face(1, 0.2, 0.6, 0.2)), rows=rows, columns=columns)

    assert len(lines) == rows
    assert max(len(line) for line in lines) <= columns


def test_small_terminals_have_bars_only() -> None:
    assert preview_room(50, 30) is None
    assert preview_room(120, 7) is None
    assert preview_room(100, 30) == (63, 28)

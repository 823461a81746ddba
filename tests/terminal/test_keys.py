import os
import pty
import termios
from collections.abc import Iterator

import pytest
from emostream.terminal.keys import Keyboard, typed


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    """The person's end and the program's."""
    ours, its = pty.openpty()
    yield ours, its
    os.close(its)
    os.close(ours)


def test_keys_come_one_by_one_without_return(terminal: tuple[int, int]) -> None:
    ours, its = terminal
    with Keyboard(its) as keyboard:
        os.write(ours, b"s q")

        assert keyboard.read() == ["s", " ", "q"]


def test_the_terminal_is_left_as_it_was_found_after_an_error_too(terminal: tuple[int, int]) -> None:
    _, its = terminal
    before = termios.tcgetattr(its)

    def use() -> None:
        with Keyboard(its):
            modes.append(termios.tcgetattr(its)[3])
            raise ZeroDivisionError

    modes: list[int] = []
    with pytest.raises(ZeroDivisionError):
        use()

    assert not modes[0] & (termios.ECHO | termios.ICANON)
    assert modes[0] & termios.ISIG  # Ctrl-C interrupts
    assert termios.tcgetattr(its) == before


def test_ctrl_z_does_not_stop_the_program(terminal: tuple[int, int]) -> None:
    ours, its = terminal
    with Keyboard(its) as keyboard:
        os.write(ours, b"\x1aq")

        assert keyboard.read() == ["\x1a", "q"]


@pytest.mark.parametrize(
    "text",
    [
        "\x1b[A",
        "\x1b[?62;4c",
        "\x1b_Gi=1;OK\x1b\\",
        "\x1bOP",
        "\x1b[6;20;10t",
        "\x1b]11;rgb:0/0/0\x07",
        "\x1b",
    ],
    ids=["arrow", "device attributes", "kitty", "function key", "cell size", "colour", "escape"],
)
def test_what_the_terminal_says_is_no_key(text: str) -> None:
    assert typed(f"s{text}") == ["s"]


def test_a_key_behind_what_the_terminal_says_counts() -> None:
    assert typed("\x1b[?62;4cq") == ["q"]


def test_a_terminal_that_was_closed_is_the_end(terminal: tuple[int, int]) -> None:
    ours, its = os.pipe()
    os.close(its)
    try:
        with pytest.raises(EOFError):
            Keyboard(ours).read()
    finally:
        os.close(ours)

"""Reads single keys from a terminal, and restores it afterwards."""

import os
import re
import termios
import tty
from types import TracebackType
from typing import Self

#: Escape sequences: replies to queries, arrows and function keys. They are no typed letters.
_SEQUENCE = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|O.|[PX^_].*?(?:\x1b\\|\x07)|\].*?(?:\x1b\\|\x07)|.)?", re.DOTALL
)


class Keyboard:
    """A context manager around a terminal's file descriptor: keys arrive at once and are not echoed.

    Ctrl-C still interrupts. Ctrl-Z does nothing: a stopped program could not give the screen back.
    """

    def __init__(self, fd: int) -> None:
        self.fd = fd

    def __enter__(self) -> Self:
        self._before = termios.tcgetattr(self.fd)
        tty.setcbreak(self.fd)
        now = termios.tcgetattr(self.fd)
        now[6][termios.VSUSP] = bytes([os.fpathconf(self.fd, "PC_VDISABLE")])
        termios.tcsetattr(self.fd, termios.TCSANOW, now)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Pending input is dropped: a late reply of the terminal would be typed into the shell.
        termios.tcsetattr(self.fd, termios.TCSAFLUSH, self._before)

    def read(self) -> list[str]:
        """The pending keys, one character each. Reads at least once, so wait for readiness first.

        Raises EOFError if the terminal was closed.
        """
        try:
            data = os.read(self.fd, 1024)
        except OSError as error:
            raise EOFError from error
        if not data:
            raise EOFError
        return typed(data.decode(errors="ignore"))


def typed(text: str) -> list[str]:
    """The typed characters of ``text``."""
    return list(_SEQUENCE.sub("", text))

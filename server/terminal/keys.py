"""Single keys from a terminal, which is left as it was found."""

import os
import re
import termios
import tty
from types import TracebackType
from typing import Self

#: What a terminal says by itself: answers to questions, arrows and function keys. Nobody typed letters there.
_SEQUENCE = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|O.|[PX^_].*?(?:\x1b\\|\x07)|\].*?(?:\x1b\\|\x07)|.)?", re.DOTALL
)


class Keyboard:
    """A context manager around a terminal's file descriptor: keys come at once and are not shown.

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
        # What came meanwhile is dropped: a late answer of the terminal's would be typed into the shell.
        termios.tcsetattr(self.fd, termios.TCSAFLUSH, self._before)

    def read(self) -> list[str]:
        """The keys that wait, one character each; at least one read is done, so wait for readiness first.

        Raises EOFError where the terminal has gone.
        """
        try:
            data = os.read(self.fd, 1024)
        except OSError as error:
            raise EOFError from error
        if not data:
            raise EOFError
        return typed(data.decode(errors="ignore"))


def typed(text: str) -> list[str]:
    """The characters of ``text`` that a person typed."""
    return list(_SEQUENCE.sub("", text))

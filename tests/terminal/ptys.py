"""Programs in a terminal, and what a person would see there."""

import os
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path

import pexpect
import pyte
from pexpect import fdpexpect

from tests.servers import QUICK_MODEL
from tests.support import PATIENCE_S


class Terminal:
    """``python -m emostream …`` in a terminal of its own.

    ``raw`` is all that the program wrote, ``screen`` what that makes of a terminal's screen.
    """

    def __init__(
        self, folder: Path, cache_dir: Path, *arguments: str, columns: int = 100, rows: int = 30
    ) -> None:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("EMOSTREAM_")}
        environment |= {
            "EMOSTREAM_MODEL": QUICK_MODEL,
            "EMOSTREAM_DEVICE": "cpu",
            "EMOSTREAM_PRECISION": "f32",
            "EMOSTREAM_MAX_BATCH": "4",
            "EMOSTREAM_CACHE_DIR": str(cache_dir),
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
            # As containers have it: Python's standard output then has no buffer.
            "PYTHONUNBUFFERED": "1",
        }
        environment = {name: value for name, value in environment.items() if name not in ("COLUMNS", "LINES")}
        self.raw = ""
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.Stream(self._screen)
        self._file, terminal_file = os.openpty()
        termios.tcsetwinsize(terminal_file, (rows, columns))
        # Not by pexpect.spawn: it forks this process, which has engines and their threads by now, and the
        # child has been seen to crash before it became the program.
        self.process = subprocess.Popen(
            ["setsid", "--ctty", sys.executable, "-m", "emostream", *arguments],
            cwd=folder,
            env=environment,
            stdin=terminal_file,
            stdout=terminal_file,
            stderr=terminal_file,
        )
        os.close(terminal_file)
        self._output = fdpexpect.fdspawn(self._file, encoding="utf-8", timeout=PATIENCE_S)

    def read(self) -> bool:
        """Takes what the program has written by now; False once it has ended."""
        try:
            text = self._output.read_nonblocking(65536, timeout=0.2)
        except pexpect.TIMEOUT:
            return True
        except pexpect.EOF:
            return False
        self.raw += text
        self._stream.feed(text)
        return True

    def text(self) -> str:
        """The screen's lines."""
        return "\n".join(line.rstrip() for line in self._screen.display)

    def colours(self) -> set[str]:
        """Of all characters and their grounds, "rrggbb" or a name."""
        return {
            colour
            for row in self._screen.buffer.values()
            for cell in row.values()
            for colour in (cell.fg, cell.bg)
        }

    def wait_for(self, text: str) -> str:
        """The screen, once it shows ``text``."""
        return self.wait_until(lambda shown: text in shown)

    def wait_until(self, condition: Callable[[str], bool]) -> str:
        """The screen, once it is as it should be."""
        limit = time.monotonic() + PATIENCE_S
        while not condition(self.text()):
            if not self.read() or time.monotonic() > limit:
                raise AssertionError(f"it never came:\n{self.text()}\n{self.raw[-2000:]!r}")
        return self.text()

    def resize(self, columns: int, rows: int) -> None:
        self._screen.resize(rows, columns)
        termios.tcsetwinsize(self._file, (rows, columns))

    def press(self, key: str) -> None:
        self._output.send(key)

    def wait(self) -> int:
        """Its exit code (128 and more for a signal), once it has ended by itself."""
        limit = time.monotonic() + PATIENCE_S
        while self.read():
            assert time.monotonic() < limit, self.text()
        self._output.close()
        status = self.process.wait(PATIENCE_S)
        return status if status >= 0 else 128 - status

    def is_restored(self) -> bool:
        """Whether it left the second screen and shows the cursor again."""
        return self.raw.rfind("\x1b[?1049l") > self.raw.rfind("\x1b[?1049h") >= 0 and self.raw.rfind(
            "\x1b[?25h"
        ) > self.raw.rfind("\x1b[?25l")

"""The loop of ``emostream live``: draws one screen from keys, frames and the terminal's size."""

import logging
import select
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import FrameType

from rich.console import Console
from rich.live import Live

from ..analysis.analyzer import Analyzer
from ..exceptions import Terminated
from ..sources import Source
from .keys import Keyboard
from .preview import Preview, PreviewKind, Shown
from .screen import Status, preview_room, screen
from .watch import Sight, Watch

#: Most screens a second. Half blocks take a hundred kilobytes each, and SSH connections are slow.
_MAX_SCREENS_PER_S = 12

#: Duration of a message, in seconds.
_MESSAGE_S = 5.0

#: A terminal that supports these updates text and image at once.
_HOLD, _RELEASE = "\x1b[?2026h", "\x1b[?2026l"


@dataclass
class LiveView:
    """One run in a terminal. ``folder`` is where snapshots go."""

    source: Source
    analyzer: Analyzer
    preview: PreviewKind
    console: Console
    folder: Path

    def run(self) -> None:
        """Runs until the key ``q``. Raises the source's error; always restores the terminal."""
        preview = Preview(self.preview, self.console) if self.preview is not PreviewKind.NONE else None
        self._message, self._message_until = "", 0.0
        wake, waking = socket.socketpair()
        for end in (wake, waking):
            end.setblocking(False)
        with (
            wake,
            waking,
            _woken_by_resizing(waking),
            _warnings_of_sources(lambda text: self._warn(text, waking)),
            Keyboard(sys.stdin.fileno()) as keyboard,
            Live(
                console=self.console,
                screen=True,
                auto_refresh=False,
                redirect_stdout=False,
                redirect_stderr=False,
            ) as live,
            Watch(self.source, self.analyzer, lambda: _wake(waking)) as watch,
        ):
            try:
                self._loop(watch, keyboard, wake, live, preview)
            finally:
                if preview is not None:
                    preview.close()
        if watch.error is not None:
            raise watch.error

    def _loop(
        self, watch: Watch, keyboard: Keyboard, wake: socket.socket, live: Live, preview: Preview | None
    ) -> None:
        while watch.error is None:
            self._draw(watch, live, preview)
            due = time.monotonic() + 1 / _MAX_SCREENS_PER_S
            # Without a change the screen stays, until a message expires.
            limit_s = self._message_until - time.monotonic() if self._message_until > 0 else None
            ready, _, _ = select.select([keyboard.fd, wake.fileno()], [], [], limit_s and max(0.0, limit_s))
            if keyboard.fd in ready and not self._obey(keyboard, watch):
                return
            if keyboard.fd not in ready:  # the effect of a key is visible at once
                time.sleep(max(0.0, due - time.monotonic()))
            _drain(wake)

    def _obey(self, keyboard: Keyboard, watch: Watch) -> bool:
        """Executes the keys; False to quit."""
        try:
            keys = keyboard.read()
        except EOFError:  # the terminal was closed
            return False
        for key in keys:
            if key in "qQ":
                return False
            if key == " ":
                watch.pause(not watch.is_paused)
            elif key in "sS":
                self._say(self._snapshot(watch.newest))
        return True

    def _draw(self, watch: Watch, live: Live, preview: Preview | None) -> None:
        sight = watch.newest
        if time.monotonic() > self._message_until:
            self._message, self._message_until = self._lasting_message(watch), 0.0
        columns, rows = self.console.size
        room = preview_room(columns, rows)
        shown: Shown | None = None
        if preview is not None and sight is not None and room is not None:
            shown = preview.show(sight.faces, room)
        status = Status(self.source.description, self.analyzer.model, self._message, watch.is_paused)
        file = self.console.file
        file.write(_HOLD)
        live.update(screen(sight, status, shown, rows), refresh=True)
        if preview is not None and shown is not None:
            file.write(shown.over(self.console, column=0, row=1))
            preview.replace_by(shown)
        file.write(_RELEASE)
        file.flush()

    def _lasting_message(self, watch: Watch) -> str:
        if watch.has_ended:
            return "end of the source"
        return "no image: reopening the source" if self.source.is_away else ""

    def _warn(self, message: str, waking: socket.socket) -> None:
        self._say(message)
        _wake(waking)

    def _say(self, message: str) -> None:
        self._message, self._message_until = message, time.monotonic() + _MESSAGE_S

    def _snapshot(self, sight: Sight | None) -> str:
        if sight is None:
            return "no frame yet"
        path = free_name(self.folder, datetime.now())
        try:
            sight.faces.draw().save(path, "PNG", compress_level=3)
        except OSError as error:
            return f"not saved: {error.strerror or error}"
        return f"saved {path.name}"


def free_name(folder: Path, now: datetime) -> Path:
    """An unused file name with the current time."""
    stem = f"emostream-{now:%Y%m%d-%H%M%S}"
    path, number = folder / f"{stem}.png", 2
    while path.exists():
        path, number = folder / f"{stem}-{number}.png", number + 1
    return path


@contextmanager
def unwound_by_signals() -> Iterator[None]:
    """SIGTERM and SIGHUP raise Terminated in this context, so that everything is closed."""

    def end(number: int, frame: FrameType | None) -> None:
        raise Terminated(128 + number)

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Lines(logging.Handler):
    def __init__(self, show: Callable[[str], None]) -> None:
        super().__init__(logging.WARNING)
        self._show = show

    def emit(self, record: logging.LogRecord) -> None:
        self._show(record.getMessage())


@contextmanager
def _warnings_of_sources(show: Callable[[str], None]) -> Iterator[None]:
    """Passes log records to ``show``, from any thread: on standard error they would disrupt the screen."""
    handler, sources = _Lines(show), logging.getLogger("emostream.sources")
    sources.addHandler(handler)
    try:
        yield
    finally:
        sources.removeHandler(handler)


@contextmanager
def _woken_by_resizing(waking: socket.socket) -> Iterator[None]:
    """Redraws the screen when the terminal's size changes."""
    before = signal.signal(signal.SIGWINCH, lambda number, frame: _wake(waking))
    try:
        yield
    finally:
        signal.signal(signal.SIGWINCH, before)


def _wake(waking: socket.socket) -> None:
    with suppress(OSError):  # full: the loop wakes anyway; or closed: there is no loop
        waking.send(b".")


def _drain(wake: socket.socket) -> None:
    with suppress(BlockingIOError):
        while wake.recv(4096):
            pass

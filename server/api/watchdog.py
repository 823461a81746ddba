"""Notices an engine or a decoder that hangs, and sees to it that there is another one, or another process."""

import asyncio
import logging
import signal
import time
from collections.abc import Callable

from ..inference import Recognizer
from ..inference.batcher import Batcher
from ..inference.worker_threads import WorkerThreads
from .metrics import Metrics

logger = logging.getLogger(__name__)

#: Of a process that ends because its engine, or every decoder, hangs: EX_SOFTWARE of sysexits.h.
EXIT_CODE = 70

#: To load and warm up another engine.
_RESTART_TIMEOUT_S = 300.0


class Watchdog:
    """A thread that hangs cannot be ended. A pass that hangs is given up, and another engine loaded beside
    it; where that does not work, or hangs as well, the process has to end. So it has where all threads hang
    that prepare images, and none comes back within as long as a pass may take.
    """

    def __init__(
        self,
        batcher: Batcher,
        metrics: Metrics,
        restart: Callable[[], Recognizer] | None,
        check: Callable[[Recognizer], None],
        timeout_s: float,
    ) -> None:
        """``restart`` loads another engine, in a thread; None where that is impossible. ``check`` raises
        if it must not compute."""
        #: Ends the process in order. By default as its supervisor would.
        self.end_process: Callable[[], None] = lambda: signal.raise_signal(signal.SIGTERM)
        #: What the process should end with, once it has been decided that it must.
        self.exit_code = 0
        self._batcher = batcher
        self._metrics = metrics
        self._restart = restart
        self._check = check
        self._timeout_s = timeout_s
        self._task: asyncio.Task[None] | None = None
        batcher.on_trouble = self._look

    async def aclose(self) -> None:
        """Looks no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    def _look(self) -> None:
        if (
            self._batcher.trouble is not None
            and not self.exit_code
            and (self._task is None or self._task.done())
        ):
            self._task = asyncio.create_task(self._deal_with_it())

    async def _deal_with_it(self) -> None:
        if not self._batcher.hangs:
            await self._wait_for_threads()
        if not self._batcher.hangs:
            return
        self._metrics.engine_hangs.inc()
        logger.error("the engine has been at one pass for over %g s: it hangs", self._timeout_s)
        if self._restart is None:
            self._end("the engine cannot be loaded again")
        elif self._batcher.hanging_passes > 1:
            self._end("the engine before it hangs, too")
        else:
            await self._replace_engine(self._restart)

    async def _wait_for_threads(self) -> None:
        logger.error(
            "%s; unless one comes back within %g s the process ends", self._batcher.trouble, self._timeout_s
        )
        until = time.monotonic() + self._timeout_s
        while self._batcher.exhausted and not self._batcher.hangs:
            if time.monotonic() > until:
                self._end("no thread has come back")
                return
            await asyncio.sleep(min(1.0, self._timeout_s / 10))

    async def _replace_engine(self, restart: Callable[[], Recognizer]) -> None:
        # A thread of its own, which is left alone where it hangs as well.
        threads = WorkerThreads(1, "restart", _RESTART_TIMEOUT_S)
        try:
            recognizer = await threads.submit(restart)
            self._check(recognizer)
        except Exception as error:
            self._end(f"the engine could not be loaded again: {error}")
            return
        finally:
            threads.stop()
        self._metrics.engine_restarts.inc()
        self._batcher.resume(recognizer)
        logger.warning("another engine has taken its place")

    def _end(self, reason: str) -> None:
        logger.critical("%s, and the process ends with exit code %d", reason, EXIT_CODE)
        self.exit_code = EXIT_CODE
        self.end_process()

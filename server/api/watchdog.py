"""Notices an engine or decoder that hangs, and replaces it or ends the process."""

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

#: Exit code if the engine, or every decoder, hangs: EX_SOFTWARE of sysexits.h.
EXIT_CODE = 70

#: Time to load and warm up another engine, in seconds.
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
        #: The process's exit code, once it must end.
        self.exit_code = 0
        self._batcher = batcher
        self._metrics = metrics
        self._restart = restart
        self._check = check
        self._timeout_s = timeout_s
        self._task: asyncio.Task[None] | None = None
        batcher.on_trouble = self._look

    async def aclose(self) -> None:
        """Stops watching."""
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
        logger.error("the engine hangs: one batch has taken more than %g s", self._timeout_s)
        if self._restart is None:
            self._end("the engine cannot be reloaded")
        elif self._batcher.hanging_passes > 1:
            self._end("the previous engine hangs, too")
        else:
            await self._replace_engine(self._restart)

    async def _wait_for_threads(self) -> None:
        logger.error(
            "%s; the process ends unless one returns within %g s", self._batcher.trouble, self._timeout_s
        )
        until = time.monotonic() + self._timeout_s
        begun_s = cpu_s = self._batcher.given_up_cpu_s
        while self._batcher.exhausted and not self._batcher.hangs:
            # Threads that compute, but hardly get a processor, do not hang: a busy machine, and large images,
            # which give way to all others, must not end the process.
            if cpu_s < (now_s := self._batcher.given_up_cpu_s) < begun_s + self._timeout_s:
                cpu_s, until = now_s, time.monotonic() + self._timeout_s
            if time.monotonic() > until:
                self._end("no thread has returned")
                return
            await asyncio.sleep(min(1.0, self._timeout_s / 10))

    async def _replace_engine(self, restart: Callable[[], Recognizer]) -> None:
        # In its own thread, which is abandoned if it hangs, too.
        threads = WorkerThreads(1, "restart", _RESTART_TIMEOUT_S)
        try:
            recognizer = await threads.submit(restart)
            self._check(recognizer)
        except Exception as error:
            self._end(f"the engine could not be reloaded: {error}")
            return
        finally:
            threads.stop()
        self._metrics.engine_restarts.inc()
        self._batcher.resume(recognizer)
        logger.warning("another engine has replaced it")

    def _end(self, reason: str) -> None:
        logger.critical("%s; the process ends with exit code %d", reason, EXIT_CODE)
        self.exit_code = EXIT_CODE
        self.end_process()

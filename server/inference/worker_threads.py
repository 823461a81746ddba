"""Threads with a time-out for each job: a thread that exceeds it is given up and replaced."""

import asyncio
import logging
import os
import queue
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from ..exceptions import ImageTimeoutError, OverloadedError

logger = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(eq=False)
class _Job:
    work: Callable[[], Any]
    result: asyncio.Future[Any]
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)
    thread: threading.Thread | None = None  # that runs it; ``started`` is when it began
    started: float = 0.0
    deadline: asyncio.TimerHandle | None = None
    is_over: bool = False


class WorkerThreads:
    """A fixed number of threads that run jobs in order. Used from one event loop.

    A thread cannot be stopped from outside. If a job takes longer than ``timeout_s``, it fails and its thread
    is given up: another replaces it, and it ends when its work returns. There are at most twice as many
    threads in all. While all of them are given up, ``is_exhausted`` is True, and jobs that wait longer than
    ``timeout_s`` fail, too. Threads are daemons, since the interpreter would wait for others when it exits.
    """

    def __init__(
        self,
        threads: int,
        name: str,
        timeout_s: float | None = None,
        nice: int = 0,
        overrun: Callable[[float], Exception] = ImageTimeoutError,
        on_given_up: Callable[[], None] = lambda: None,
    ) -> None:
        """``nice`` is added to the threads' niceness, up to 19; Linux only. ``overrun`` makes the error for a
        job that took too long; ``on_given_up`` is called after each."""
        self.threads = threads
        self.name = name
        self._overrun = overrun
        self._on_given_up = on_given_up
        self._timeout_s = timeout_s
        self._nice = nice
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._is_closed = False
        self._crew: set[threading.Thread] = set()
        self._given_up: set[threading.Thread] = set()  # still running
        self._start_threads()

    def submit(self, work: Callable[[], T]) -> asyncio.Future[T]:
        """Queues a job; the future gets what ``work`` returns or raises.

        It fails with ``overrun``'s error if the job takes too long, and with OverloadedError if no thread is
        left.
        """
        job = _Job(work, asyncio.get_running_loop().create_future())
        self._jobs.put(job)
        if self._timeout_s is not None:
            job.deadline = job.loop.call_later(self._timeout_s, self._check, job, self._timeout_s)
        return job.result

    @property
    def is_exhausted(self) -> bool:
        """Whether every thread has been given up and is still running."""
        return not self._crew

    @property
    def given_up(self) -> int:
        """The number of threads that were given up and are still running."""
        return len(self._given_up)

    @property
    def given_up_cpu_s(self) -> float:
        """Processor time of the given-up threads so far, in seconds; 0 if the system does not report it."""
        return sum(_cpu_s(thread) for thread in self._given_up)

    def stop(self) -> None:
        """Ends each thread after its current job; waiting jobs are not started."""
        self._is_closed = True
        for _ in range(2 * self.threads):
            self._jobs.put(None)

    def join(self, until: float) -> bool:
        """Waits for all threads until ``until`` on the monotonic clock; returns whether they have ended."""
        # Copies: the event loop goes on meanwhile, and may give a thread up.
        crew, given_up = self._crew.copy(), self._given_up.copy()
        for thread in crew:
            thread.join(max(0.0, until - time.monotonic()))
        return not any(thread.is_alive() for thread in crew | given_up)

    def _start_threads(self) -> None:
        while len(self._crew) < self.threads and len(self._crew | self._given_up) < 2 * self.threads:
            thread = threading.Thread(target=self._take_jobs, name=self.name, daemon=True)
            self._crew.add(thread)
            thread.start()

    # In the threads

    def _take_jobs(self) -> None:
        this = threading.current_thread()
        if self._nice and sys.platform == "linux":  # elsewhere niceness applies to the whole process
            own = threading.get_native_id()
            os.setpriority(os.PRIO_PROCESS, own, os.getpriority(os.PRIO_PROCESS, own) + self._nice)
        while (job := self._jobs.get()) is not None and not self._is_closed:
            if job.result.cancelled():
                continue
            job.started, job.thread = time.monotonic(), this
            value, error = None, None
            try:
                value = job.work()
            except BaseException as raised:
                # Of any kind: the future passes it on.
                error = raised
            try:
                job.loop.call_soon_threadsafe(self._finish, job, value, error)
            except RuntimeError:  # the loop is closed
                return
            del job, value, error  # not kept alive until the next job
            if this not in self._crew:
                return  # it was given up

    # On the event loop

    def _finish(self, job: _Job, value: object, error: BaseException | None) -> None:
        job.is_over = True
        if job.deadline is not None:
            job.deadline.cancel()
        if job.thread in self._given_up:
            self._given_up.discard(job.thread)
            self._start_threads()
        if job.result.done():
            return
        if error is None:
            job.result.set_result(value)
        else:
            job.result.set_exception(error)

    def _check(self, job: _Job, timeout_s: float) -> None:
        if job.is_over or (job.thread is None and job.result.done()):
            return
        left_s = timeout_s if job.thread is None else job.started + timeout_s - time.monotonic()
        if job.thread is None and not self._crew:
            job.result.set_exception(OverloadedError("every thread is busy with an image that never ends"))
        elif left_s > 0:
            job.deadline = job.loop.call_later(left_s, self._check, job, timeout_s)
        else:
            assert job.thread is not None
            self._give_up(job, job.thread, timeout_s)

    def _give_up(self, job: _Job, thread: threading.Thread, timeout_s: float) -> None:
        logger.warning("a thread of %r has been at one piece of work for over %g s", self.name, timeout_s)
        if not job.result.done():
            job.result.set_exception(self._overrun(timeout_s))
        self._crew.discard(thread)
        self._given_up.add(thread)
        self._start_threads()
        self._on_given_up()


def _cpu_s(thread: threading.Thread) -> float:
    try:
        # From Linux's /proc: the library's own thread clock must not be read after a thread has ended.
        text = Path(f"/proc/self/task/{thread.native_id}/schedstat").read_text()
        return int(text.split()[0]) / 1e9
    except (OSError, ValueError, IndexError):
        return 0.0

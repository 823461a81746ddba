"""Threads whose work ends when the test says so."""

import asyncio
import os
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from emostream.exceptions import ImageTimeoutError, OverloadedError
from emostream.inference.worker_threads import WorkerThreads

from tests.support import PATIENCE_S


class Stuck:
    """Work that is at its end once it is let go."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self._may_end = threading.Event()

    def __call__(self) -> str:
        self.begun.set()
        assert self._may_end.wait(PATIENCE_S)
        return "at last"

    def let_go(self) -> None:
        self._may_end.set()


@pytest_asyncio.fixture
async def threads() -> AsyncIterator[WorkerThreads]:
    """One, and at most one more beside it."""
    threads = WorkerThreads(1, "test", timeout_s=0.1)
    yield threads
    threads.stop()
    await asyncio.to_thread(threads.join, time.monotonic() + PATIENCE_S)


async def within_patience(result: asyncio.Future[str]) -> str:
    return await asyncio.wait_for(result, PATIENCE_S)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")
async def test_processor_time_of_threads_given_up_tells_those_that_compute_from_those_that_wait(
    threads: WorkerThreads,
) -> None:
    waits, end = Stuck(), threading.Event()

    def compute() -> str:
        while not end.is_set():
            sum(range(10_000))
        return "done"

    for work in (waits, compute):
        with pytest.raises(ImageTimeoutError):
            await within_patience(threads.submit(work))
    before = threads.given_up_cpu_s
    async with asyncio.timeout(PATIENCE_S):
        while threads.given_up_cpu_s <= before:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    end.set()
    async with asyncio.timeout(PATIENCE_S):
        while threads.given_up > 1:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert threads.given_up_cpu_s < 0.1
    waits.let_go()


async def test_work_is_done_in_a_thread_and_its_result_comes_back(threads: WorkerThreads) -> None:
    assert await threads.submit(lambda: threading.current_thread().name) == "test"


async def test_what_work_raises_comes_back_and_the_thread_goes_on(threads: WorkerThreads) -> None:
    with pytest.raises(ZeroDivisionError):
        await threads.submit(lambda: 1 / 0)

    assert await threads.submit(lambda: 2) == 2


async def test_work_that_overruns_fails_and_others_go_on_meanwhile(threads: WorkerThreads) -> None:
    stuck = Stuck()

    with pytest.raises(ImageTimeoutError, match=r"0\.1 s"):
        await within_patience(threads.submit(stuck))

    assert await within_patience(threads.submit(lambda: "done")) == "done"
    stuck.let_go()


async def test_when_replacements_are_stuck_too_what_waits_fails_until_one_comes_back(
    threads: WorkerThreads,
) -> None:
    both = Stuck(), Stuck()
    for stuck in both:
        with pytest.raises(ImageTimeoutError):
            await within_patience(threads.submit(stuck))

    with pytest.raises(OverloadedError):
        await within_patience(threads.submit(lambda: "never"))
    assert threads.is_exhausted
    assert threads.given_up == 2

    both[0].let_go()
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                assert await threads.submit(lambda: "done") == "done"
                break
            except OverloadedError:
                continue
    assert not threads.is_exhausted
    both[1].let_go()


async def test_a_client_that_leaves_does_not_keep_a_stuck_thread_from_being_replaced(
    threads: WorkerThreads,
) -> None:
    stuck = Stuck()
    result = threads.submit(stuck)
    await asyncio.to_thread(stuck.begun.wait, PATIENCE_S)

    result.cancel()

    assert await within_patience(threads.submit(lambda: "done")) == "done"
    stuck.let_go()


async def test_work_whose_result_nobody_wants_any_more_is_skipped(threads: WorkerThreads) -> None:
    first, second = Stuck(), Stuck()
    busy, unwanted = threads.submit(first), threads.submit(second)
    unwanted.cancel()
    first.let_go()

    await within_patience(busy)

    assert await within_patience(threads.submit(lambda: "done")) == "done"
    assert not second.begun.is_set()


async def test_closing_waits_for_what_is_under_way_but_not_for_ever() -> None:
    threads, stuck = WorkerThreads(1, "test"), Stuck()
    result = threads.submit(stuck)
    await asyncio.to_thread(stuck.begun.wait, PATIENCE_S)

    threads.stop()
    assert not await asyncio.to_thread(threads.join, time.monotonic() + 0.1)

    stuck.let_go()
    assert await within_patience(result) == "at last"


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere niceness is the whole process'")
async def test_threads_give_way_to_others_as_far_as_asked_for_and_nobody_else_does() -> None:
    threads = WorkerThreads(1, "test", nice=3)
    own = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    in_thread = await threads.submit(lambda: os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))

    assert in_thread == min(19, own + 3)
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) == own
    threads.stop()
    assert threads.join(time.monotonic() + PATIENCE_S)


def test_a_program_ends_whatever_its_threads_are_at() -> None:
    program = """
import asyncio, threading, time
from emostream.inference.worker_threads import WorkerThreads

async def main():
    threads, begun = WorkerThreads(1, "test"), threading.Event()
    threads.submit(lambda: (begun.set(), time.sleep(1000)))
    await asyncio.to_thread(begun.wait)
    threads.stop()
    threads.join(time.monotonic() + 0.1)

asyncio.run(main())
"""
    assert subprocess.run([sys.executable, "-c", program], timeout=PATIENCE_S, check=False).returncode == 0

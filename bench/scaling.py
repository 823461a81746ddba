"""How many machines many cameras need: a simulation, held against measured runs of one machine.

Prints three tables: the simulation beside runs of bench/README.md, the cameras on more and more machines, and
what the loss of machines does. Exits with 1 where the simulation is farther from a measured run than
LIMIT_RATE and LIMIT_LATENCY allow.

    pip install 'emostream[bench]'
    python -m bench.scaling
    python -m bench.scaling --cameras 2000 --seconds 10

A camera sends frames at its rate, two under way at most, as the dashboard does. Of a session one frame waits,
the newest; sessions take turns. An engine computes up to ``max_batch`` faces in one pass, and the batch after
it is prepared meanwhile, on the same cores. In the layout ``servers`` a session belongs to one server, as
today; in ``shared`` gateways hold the sessions, and any engine takes any frame, as in a cluster of engines.
"""

import argparse
import sys
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any, Literal

import numpy as np
import simpy
from emostream.protocol.reconnect import delay_s
from rich.console import Console
from rich.table import Table

#: Most that a prediction may be off: of the rate, and of the median latency, as a share of what was measured.
LIMIT_RATE, LIMIT_LATENCY = 0.1, 0.3

_IN_FLIGHT = 2
_WARM_UP_S = 1.0

Layout = Literal["servers", "shared"]


@dataclass(frozen=True)
class Machine:
    """One machine's times. A pass takes ``pass_ms + faces × face_ms`` (``emostream bench engine``) and, on
    the same cores, ``other_ms`` for each face that is prepared meanwhile (decoding, sockets; in measured runs
    the cameras' own work, too). ``round_trip_ms`` is what a frame takes besides, whatever the load."""

    name: str
    pass_ms: float
    face_ms: float
    other_ms: float
    round_trip_ms: float

    def pass_s(self, faces: int, prepared: int) -> float:
        return (self.pass_ms + faces * self.face_ms + prepared * self.other_ms) / 1000

    def most_faces_per_second(self, max_batch: int = 8) -> float:
        return max_batch / self.pass_s(max_batch, max_batch)


@dataclass(frozen=True)
class Load:
    """Cameras at a rate of frames a second, each with a number of faces."""

    cameras: int
    frame_rate: float
    faces: int = 1
    #: How far a camera's period may be off, as a share. Without, cameras take turns, as the bench's do.
    jitter: float = 0.05


@dataclass
class Outcome:
    """What became of the frames of one run. Every frame that was offered is in one of the others."""

    seconds: float
    offered: int = 0
    answered: int = 0
    held_back: int = 0  # not sent: two were under way, or there was no connection
    superseded: int = 0
    lost: int = 0  # with their server
    under_way: int = 0
    latencies_s: list[float] = field(default_factory=list)
    gaps_s: list[float] = field(default_factory=list)

    @property
    def answered_share(self) -> float:
        return self.answered / self.offered

    def latency_ms(self, percentile: float) -> float:
        return float(np.percentile(self.latencies_s, percentile)) * 1000


class _Session:
    def __init__(self, engine: "_Engine | None") -> None:
        self.engine = engine  # None: without a connection
        self.under_way = 0
        self.waiting: float | None = None  # when the newest frame that waits was sent
        self.last_answer = 0.0
        self.has_lost = False


class _Queue:
    """Sessions with a frame that waits, in turns."""

    def __init__(self) -> None:
        self.sessions: deque[_Session] = deque()


class _Engine:
    def __init__(self, queue: _Queue) -> None:
        self.queue = queue
        self.is_idle = True
        self.is_lost = False
        self.sessions: set[_Session] = set()
        self.batch: list[tuple[_Session, float]] = []
        self.prepared: list[tuple[_Session, float]] = []


class Simulation:
    """One run. Everything is drawn from a fixed seed."""

    def __init__(
        self,
        machine: Machine,
        load: Load,
        engines: int = 1,
        layout: Layout = "servers",
        max_batch: int = 8,
        seed: int = 0,
    ) -> None:
        self._environment = simpy.Environment()
        self._random = Random(seed)
        self._machine, self._load, self._max_batch, self._layout = machine, load, max_batch, layout
        shared = _Queue()
        self._engines = [_Engine(shared if layout == "shared" else _Queue()) for _ in range(engines)]
        self._idle = list(self._engines)
        self._counts = Outcome(0.0)
        for number in range(load.cameras):
            engine = self._engines[number % engines]
            session = _Session(engine)
            engine.sessions.add(session)
            phase = self._random.random() if load.jitter else number / load.cameras
            self._environment.process(self._camera(session, phase))

    def run(self, seconds: float, lose: int = 0) -> Outcome:
        """What is counted begins after a second of warming up. ``lose`` engines are lost right then."""
        self._environment.run(_WARM_UP_S)
        under_way = self._under_way()
        self._counts = outcome = Outcome(seconds)
        for engine in self._engines[:lose]:
            self._lose(engine)
        self._environment.run(_WARM_UP_S + seconds)
        outcome.under_way = self._under_way() - under_way
        return outcome

    def _under_way(self) -> int:
        return self._sent - self._ended

    _sent = _ended = 0

    def _camera(self, session: _Session, phase: float) -> Iterator[Any]:
        period, jitter = 1 / self._load.frame_rate, self._load.jitter
        yield self._environment.timeout(phase * period)
        while True:
            self._counts.offered += 1
            if session.under_way >= _IN_FLIGHT or session.engine is None:
                self._counts.held_back += 1
            else:
                self._send(session)
            yield self._environment.timeout(period * self._random.uniform(1 - jitter, 1 + jitter))

    def _send(self, session: _Session) -> None:
        assert session.engine is not None
        self._sent += 1
        session.under_way += 1
        if session.waiting is not None:
            self._counts.superseded += 1
            self._end(session)
            session.waiting = self._environment.now
            return
        session.waiting = self._environment.now
        session.engine.queue.sessions.append(session)
        self._wake(session.engine)

    def _wake(self, own: _Engine) -> None:
        if self._layout == "servers":
            if own.is_idle and not own.is_lost:
                own.is_idle = False
                self._environment.process(self._compute(own))
        elif self._idle:
            engine = self._idle.pop()
            engine.is_idle = False
            self._environment.process(self._compute(engine))

    def _compute(self, engine: _Engine) -> Iterator[Any]:
        was_idle = True
        while not engine.is_lost:
            late = [] if engine.prepared else self._take(engine.queue)
            engine.batch = engine.prepared or late
            if not engine.batch:
                break
            engine.prepared = self._take(engine.queue)
            # An idle machine prepares a frame while it would wait for others; that is part of the round trip.
            preparing = len(engine.prepared) + (0 if was_idle else len(late))
            was_idle = False
            faces = self._load.faces
            yield self._environment.timeout(
                self._machine.pass_s(len(engine.batch) * faces, preparing * faces)
            )
            if engine.is_lost:
                return
            for session, sent in engine.batch:
                self._answer(session, sent)
        engine.is_idle = True
        if self._layout == "shared" and not engine.is_lost:
            self._idle.append(engine)

    def _take(self, queue: _Queue) -> list[tuple[_Session, float]]:
        """The frames of the next batch, one a session."""
        batch: list[tuple[_Session, float]] = []
        while queue.sessions and len(batch) < max(1, self._max_batch // self._load.faces):
            session = queue.sessions.popleft()
            assert session.waiting is not None
            batch.append((session, session.waiting))
            session.waiting = None
        return batch

    def _answer(self, session: _Session, sent: float) -> None:
        now = self._environment.now
        self._counts.answered += 1
        self._counts.latencies_s.append(now - sent + self._machine.round_trip_ms / 1000)
        if session.has_lost:
            self._counts.gaps_s.append(now - session.last_answer)
            session.has_lost = False
        session.last_answer = now
        self._end(session)

    def _end(self, session: _Session) -> None:
        session.under_way -= 1
        self._ended += 1

    def _lose(self, engine: _Engine) -> None:
        engine.is_lost = True
        self._idle = [other for other in self._idle if other is not engine]
        batch = engine.batch + engine.prepared
        if self._layout == "shared":
            # The gateways have the frames still, and send them to another engine, before all others.
            for session, sent in batch:
                session.has_lost = True
                if session.waiting is None:
                    session.waiting = sent
                    engine.queue.sessions.appendleft(session)
                    self._wake(engine)
                else:  # there is a newer one
                    self._counts.superseded += 1
                    self._end(session)
            return
        for session, _ in batch:
            self._counts.lost += 1
            self._end(session)
        for session in engine.sessions:
            if session.waiting is not None:
                session.waiting = None
                self._counts.lost += 1
                self._end(session)
            session.engine, session.has_lost = None, True
            self._environment.process(self._reconnect(session))
        engine.queue.sessions.clear()

    def _reconnect(self, session: _Session) -> Iterator[Any]:
        """After the first delay of the protocol's rule, to the server with the fewest sessions."""
        yield self._environment.timeout(delay_s(0, self._random.uniform))
        engine = min((e for e in self._engines if not e.is_lost), key=lambda e: len(e.sessions))
        engine.sessions.add(session)
        session.engine = engine


@dataclass(frozen=True)
class Run:
    """One that was measured (bench/README.md): ``fits`` names the time that was fitted to it, if one was."""

    machine: Machine
    load: Load
    max_batch: int
    faces_per_second: float
    latency_ms: float
    fits: str = ""


# The engines' times are the line through their batches of 1 and 8. The others were fitted to a run each.
EPYC = Machine("EPYC", 1.22, 5.68, 0.58, 2.05)
XEON = Machine("Xeon", 0.72, 1.47, 1.30, 3.4)

RUNS = (
    Run(EPYC, Load(8, 30, 4, 0), 8, 156, 122, "other_ms"),
    Run(EPYC, Load(8, 10, 1, 0), 8, 80, 8.95, "round_trip_ms"),
    Run(EPYC, Load(1, 30, 1, 0), 8, 30, 9.6),
    Run(EPYC, Load(8, 30, 4, 0), 32, 163, 376),
    Run(XEON, Load(8, 30, 4, 0), 8, 348.5, 65, "other_ms"),
    Run(XEON, Load(8, 10, 1, 0), 8, 80, 5.6, "round_trip_ms"),
    Run(XEON, Load(1, 30, 1, 0), 8, 30, 7.4),
    Run(XEON, Load(4, 15, 4, 0), 8, 240, 12.05),
    Run(XEON, Load(8, 30, 4, 0), 32, 390, 146.5),
)


def compare(run: Run, seconds: float = 20) -> tuple[float, float]:
    """The faces a second and the median latency in ms that the simulation gives."""
    outcome = Simulation(run.machine, run.load, max_batch=run.max_batch).run(seconds)
    return outcome.answered * run.load.faces / seconds, outcome.latency_ms(50)


def _check(console: Console) -> bool:
    table = Table(
        "machine", "cameras × frames/s × faces", "batch", "faces/s", "simulated", "p50 ms", "simulated"
    )
    is_within = True
    for run in RUNS:
        rate, latency = compare(run)
        off = (
            abs(rate / run.faces_per_second - 1) > LIMIT_RATE
            or abs(latency / run.latency_ms - 1) > LIMIT_LATENCY
        )
        is_within &= not off
        load = f"{run.load.cameras} × {run.load.frame_rate:g} × {run.load.faces}"
        note = f" ({run.fits} fitted)" if run.fits else ""
        measured = f"{run.faces_per_second:g}", f"{rate:.0f}", f"{run.latency_ms:g}", f"{latency:.1f}"
        table.add_row(
            run.machine.name, load + note, str(run.max_batch), *measured, style="red" if off else ""
        )
    console.print(table)
    return is_within


def _scale(console: Console, load: Load, seconds: float) -> None:
    table = Table("machine", "layout", "machines", "load", "answered", "p50 ms", "p95 ms", "p99 ms")
    for machine in (EPYC, XEON):
        needed = load.cameras * load.frame_rate * load.faces / machine.most_faces_per_second()
        for share in (1.1, 1.0, 0.9, 0.7):
            engines = max(1, round(needed / share))
            for layout in ("servers", "shared"):
                outcome = Simulation(machine, load, engines, layout).run(seconds)  # type: ignore[arg-type]
                latencies = [f"{outcome.latency_ms(p):.0f}" for p in (50, 95, 99)]
                answered = f"{outcome.answered_share:.1%}"
                table.add_row(
                    machine.name, layout, str(engines), f"{needed / engines:.0%}", answered, *latencies
                )
    console.print(table)


def _lose(console: Console, load: Load, seconds: float) -> None:
    table = Table(
        "machine", "layout", "machines", "lost", "answered", "lost frames", "p95 ms", "gap p50 s", "gap max s"
    )
    machine = EPYC
    needed = load.cameras * load.frame_rate * load.faces / machine.most_faces_per_second()
    engines = max(2, round(needed / 0.7))
    for lose in (1, max(1, engines // 10)):
        for layout in ("servers", "shared"):
            outcome = Simulation(machine, load, engines, layout).run(seconds, lose)  # type: ignore[arg-type]
            gaps = [f"{np.percentile(outcome.gaps_s, p):.2f}" if outcome.gaps_s else "–" for p in (50, 100)]
            answered, late = f"{outcome.answered_share:.2%}", f"{outcome.latency_ms(95):.0f}"
            table.add_row(
                machine.name, layout, str(engines), str(lose), answered, str(outcome.lost), late, *gaps
            )
    console.print(table)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--cameras", type=int, default=10_000)
    parser.add_argument("--frame-rate", type=float, default=10.0)
    parser.add_argument("--seconds", type=float, default=2.0, help="simulated and counted, of each run")
    given = parser.parse_args()
    load, console = Load(given.cameras, given.frame_rate), Console(width=110)
    is_within = _check(console)
    _scale(console, load, given.seconds)
    _lose(console, load, given.seconds)
    return 0 if is_within else 1


if __name__ == "__main__":
    sys.exit(main())

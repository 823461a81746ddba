"""The simulation of many cameras: its frames add up, and it agrees with what was measured."""

import pytest

from bench.scaling import (
    LIMIT_LATENCY,
    LIMIT_RATE,
    RUNS,
    Layout,
    Load,
    Machine,
    Outcome,
    Run,
    Simulation,
    compare,
)

MACHINE = Machine("made", pass_ms=2, face_ms=5, other_ms=1, round_trip_ms=2)


def account(outcome: Outcome) -> int:
    return outcome.answered + outcome.held_back + outcome.superseded + outcome.lost + outcome.under_way


@pytest.mark.parametrize("run", RUNS, ids=lambda run: f"{run.machine.name}-{run.max_batch}-{run.load}")
def test_it_agrees_with_runs_that_were_measured(run: Run) -> None:
    faces_per_second, latency_ms = compare(run, seconds=5)

    assert faces_per_second == pytest.approx(run.faces_per_second, rel=LIMIT_RATE)
    assert latency_ms == pytest.approx(run.latency_ms, rel=LIMIT_LATENCY)


@pytest.mark.parametrize("layout", ["servers", "shared"])
@pytest.mark.parametrize("lose", [0, 1])
def test_every_frame_is_accounted_for(layout: Layout, lose: int) -> None:
    outcome = Simulation(MACHINE, Load(60, 10), 4, layout).run(3, lose)

    assert outcome.offered == pytest.approx(60 * 10 * 3, rel=0.02)
    assert account(outcome) == outcome.offered


@pytest.mark.parametrize("layout", ["servers", "shared"])
def test_engines_answer_what_they_can_and_no_more(layout: Layout) -> None:
    most = 2 * MACHINE.most_faces_per_second()

    below = Simulation(MACHINE, Load(int(0.5 * most / 10), 10), 2, layout).run(3)
    above = Simulation(MACHINE, Load(int(2 * most / 10), 10), 2, layout).run(3)

    assert below.answered_share > 0.99
    assert above.answered / 3 == pytest.approx(most, rel=0.05)
    assert above.latency_ms(50) > 2 * below.latency_ms(50)


def test_a_lost_server_costs_its_sessions_a_second_and_a_lost_engine_costs_nothing() -> None:
    servers = Simulation(MACHINE, Load(60, 10), 8, "servers").run(4, lose=1)
    shared = Simulation(MACHINE, Load(60, 10), 8, "shared").run(4, lose=1)

    assert 0.5 < min(servers.gaps_s) < max(servers.gaps_s) < 1.5
    assert len(servers.gaps_s) == 8  # the sessions of the first of eight
    assert shared.lost == 0
    assert max(shared.gaps_s, default=0) < 0.5
    assert shared.answered_share > servers.answered_share

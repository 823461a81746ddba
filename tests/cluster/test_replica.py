import asyncio

import pytest
from emostream.cluster.messages import Call, FrameWork
from emostream.exceptions import InvalidImageError, ModelError, ReplicaError

from tests.cluster.gateways import NO_DETECTOR, replica
from tests.support import LABELS, FakeRecognizer


async def test_a_call_without_frames_says_what_is_served() -> None:
    one = replica(FakeRecognizer(is_open=True))

    reply = await one.compute(Call())

    assert reply.outcomes == ()
    assert (reply.model.name, reply.model.labels, reply.model.max_batch) == ("fake", LABELS, 4)
    assert reply.detector_fault == NO_DETECTOR.reason
    await one.aclose()


async def test_each_frame_of_a_call_has_an_outcome_of_its_own() -> None:
    one = replica(FakeRecognizer(is_open=True))

    reply = await one.compute(Call(tuple(FrameWork((name,)) for name in (b"a", b"broken", b"poison", b"b"))))

    kinds = [type(outcome) for outcome in reply.outcomes]
    assert kinds == [tuple, InvalidImageError, ReplicaError, tuple]
    assert "arithmetic" not in str(reply.outcomes[2])
    await one.aclose()


async def test_frames_of_several_calls_share_a_batch() -> None:
    recognizer = FakeRecognizer()
    one = replica(recognizer)
    first = asyncio.create_task(one.compute(Call((FrameWork((b"x",)),))))
    await recognizer.next_batch()
    others = [asyncio.create_task(one.compute(Call((FrameWork((b"y",)),)))) for _ in range(3)]
    await asyncio.sleep(0.1)
    recognizer.let_pass()

    assert await recognizer.next_batch() == [b"y"] * 3
    recognizer.let_pass()
    await asyncio.gather(first, *others)
    await one.aclose()


async def test_a_replica_whose_engine_fails_is_unhealthy_until_it_computes_again() -> None:
    recognizer = FakeRecognizer(is_open=True)
    one = replica(recognizer)
    await one.check_health()
    recognizer.is_broken = True
    for _ in range(3):
        await one.compute(Call((FrameWork((b"x",)),)))

    with pytest.raises(ModelError, match="the engine fails"):
        await one.check_health()
    recognizer.is_broken = False
    await one.check_health()
    await one.aclose()

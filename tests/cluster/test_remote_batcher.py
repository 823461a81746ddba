"""What a gateway adds to the contract of ``FrameBatcher`` (tests/inference/test_frame_batcher.py)."""

import asyncio
import io
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial

import pytest
from emostream.api.correction_folder import reduced
from emostream.cluster.messages import Call, Reply
from emostream.cluster.remote_batcher import CREDITS, Deadlines, RemoteBatcher
from emostream.exceptions import NoReplicaError, ReplicaDiedError, ReplicaError, ReplicaTimeoutError
from emostream.inference.fair_queue import LaneMode, Priority
from emostream.inference.frame_batcher import Predictions
from PIL import Image

from tests.cluster.gateways import LocalReplicas, gateway, replica
from tests.support import PATIENCE_S, FakeRecognizer, encoded, until


async def soon(work: Awaitable[Predictions]) -> Predictions:
    return await asyncio.wait_for(work, PATIENCE_S)


def dying(times: int) -> Callable[[], Awaitable[None]]:
    left = iter(range(times))

    async def die() -> None:
        if next(left, None) is not None:
            raise ReplicaDiedError("a replica has died")

    return die


async def never() -> None:
    await asyncio.Event().wait()


async def test_a_call_whose_replica_dies_goes_to_another_one_once() -> None:
    async with gateway(replica(FakeRecognizer(is_open=True))) as (batcher, way):
        retries = []
        batcher.on_retry = lambda: retries.append(1)
        way.trouble = dying(1)

        assert (await soon(batcher.open_lane().recognize([b"x"]))).batch_size == 1
        assert (len(way.calls), len(retries)) == (2, 1)


async def test_a_call_whose_second_replica_dies_as_well_has_failed_and_later_ones_have_not() -> None:
    async with gateway(replica(FakeRecognizer(is_open=True))) as (batcher, way):
        way.trouble = dying(2)

        with pytest.raises(ReplicaDiedError):
            await soon(batcher.open_lane().recognize([b"x"]))
        await soon(batcher.open_lane().recognize([b"x"]))
        assert len(way.calls) == 3


async def test_a_replica_that_does_not_answer_in_time_costs_its_frames_and_gives_the_credit_back() -> None:
    async with gateway(replica(FakeRecognizer(is_open=True)), deadline_s=0.1) as (batcher, way):
        way.trouble = never
        for _ in range(CREDITS + 1):
            with pytest.raises(ReplicaTimeoutError, match=r"has not answered within 0\.1 s"):
                await soon(batcher.open_lane().recognize([b"x"]))
        assert batcher.is_failing

        way.trouble = None
        await soon(batcher.open_lane().recognize([b"x"]))
        assert not batcher.is_failing
        assert batcher.unanswered == 0


async def test_whatever_the_cluster_raises_its_frames_are_answered_and_later_ones_computed() -> None:
    async def fail() -> None:
        raise ZeroDivisionError

    async with gateway(replica(FakeRecognizer(is_open=True))) as (batcher, way):
        way.trouble = fail
        with pytest.raises(ReplicaError, match="could not be computed"):
            await soon(batcher.open_lane().recognize([b"x"]))

        way.trouble = None
        await soon(batcher.open_lane().recognize([b"x"]))


async def test_no_more_calls_are_under_way_than_there_are_credits_and_frames_wait_at_the_gateway() -> None:
    recognizers = [FakeRecognizer(), FakeRecognizer()]
    async with gateway(*map(replica, recognizers)) as (batcher, way):
        tasks = [
            asyncio.create_task(batcher.open_lane().recognize([b"x"] * recognizers[0].max_batch))
            for _ in range(20)
        ]
        await until(lambda: len(way.calls) == 2 * CREDITS)
        await asyncio.sleep(0.05)

        assert (len(way.calls), batcher.waiting) == (2 * CREDITS, 20 - 2 * CREDITS)
        assert sorted(way.under_way.values()) == [CREDITS, CREDITS]
        for recognizer in recognizers:
            recognizer.open()
        await asyncio.gather(*tasks)


async def test_frames_that_waited_together_travel_together_up_to_a_batch() -> None:
    recognizer = FakeRecognizer(max_batch=4)
    async with gateway(replica(recognizer)) as (batcher, way):
        tasks = [asyncio.create_task(batcher.open_lane().recognize([b"x"])) for _ in range(CREDITS + 6)]
        await until(lambda: len(way.calls) == CREDITS)
        recognizer.open()
        await asyncio.gather(*tasks)

        assert sum(len(call.frames) for call in way.calls) == CREDITS + 6
        assert max(len(call.frames) for call in way.calls) == 4


async def test_live_frames_and_those_of_the_background_do_not_wait_for_each_others_credits() -> None:
    recognizer = FakeRecognizer()
    async with gateway(replica(recognizer)) as (batcher, way):
        background = batcher.open_lane(LaneMode.ALL, 16, Priority.BACKGROUND)
        tasks = [asyncio.create_task(background.recognize([b"p"])) for _ in range(16)]
        await until(lambda: len(way.calls) == CREDITS)
        tasks.append(asyncio.create_task(batcher.open_lane().recognize([b"live"])))
        await until(lambda: len(way.calls) == CREDITS + 1)

        assert way.calls[-1].frames[0].priority is Priority.LIVE
        recognizer.open()
        await asyncio.gather(*tasks)


async def test_other_work_on_an_image_is_done_by_a_replica() -> None:
    """A corrected crop is decoded behind the replica's deadline, whether a detector is there or not."""
    crop = encoded(Image.new("L", (700, 350)), "PNG")
    async with gateway(replica(FakeRecognizer(is_open=True))) as (batcher, way):
        kept, predictions = await asyncio.wait_for(
            batcher.open_lane(priority=Priority.BACKGROUND).recognize_prepared(partial(reduced, crop, 10**6)),
            PATIENCE_S,
        )

        assert Image.open(io.BytesIO(kept.jpeg)).size == (512, 256)
        assert len(predictions.probabilities) == 0
        assert len(way.calls) == 1


async def test_a_gateway_without_replicas_is_in_trouble_until_there_are_some() -> None:
    async with gateway(replica(FakeRecognizer(is_open=True)), deadline_s=0.2) as (batcher, way):
        left = way.replicas.pop()
        await until(lambda: batcher.trouble == "no replica runs")
        with pytest.raises(NoReplicaError, match="no replica runs"):
            await soon(batcher.open_lane().recognize([b"x"]))
        assert batcher.unanswered == 0

        waits = asyncio.create_task(batcher.open_lane().recognize([b"y"]))
        way.replicas.append(left)
        await until(lambda: batcher.trouble is None)
        await soon(waits)


async def test_replicas_that_nobody_can_count_still_compute() -> None:
    class Uncounted(LocalReplicas):
        async def running(self) -> int:
            raise NoReplicaError("the cluster does not answer")

    way = Uncounted(replica(FakeRecognizer(is_open=True)))
    batcher = RemoteBatcher(way, await way.compute(Call()), Deadlines(), poll_s=0.01)
    await asyncio.sleep(0.05)

    await soon(batcher.open_lane().recognize([b"x"]))
    assert batcher.trouble is None
    assert await batcher.aclose(PATIENCE_S)
    assert way.is_closed


async def test_a_rolling_change_of_the_model_is_followed() -> None:
    async with gateway(replica(FakeRecognizer(is_open=True))) as (batcher, way):
        assert batcher.model.name == "fake"
        other = FakeRecognizer(is_open=True)
        other.name = "other"
        old, way.replicas = way.replicas, [replica(other)]
        way.under_way[id(way.replicas[0])] = 0

        await soon(batcher.open_lane().recognize([b"x"]))

        assert batcher.model.name == "other"
        await old[0].aclose()


async def test_other_labels_answer_nobody_since_sessions_have_been_told_theirs() -> None:
    class Relabelled(FakeRecognizer):
        labels = ("a", "b")  # type: ignore[assignment]

    async with gateway(replica(FakeRecognizer(is_open=True))) as (batcher, way):
        old, way.replicas = way.replicas, [replica(Relabelled(is_open=True))]
        way.under_way[id(way.replicas[0])] = 0

        with pytest.raises(ReplicaError, match="other labels: restart this gateway"):
            await soon(batcher.open_lane().recognize([b"x"]))

        assert batcher.trouble is not None
        assert len(batcher.model.labels) == 7
        await old[0].aclose()


async def test_a_gateway_waits_for_its_first_replica() -> None:
    way = LocalReplicas(replica(FakeRecognizer(is_open=True)))
    left = way.replicas.pop()
    connecting = asyncio.create_task(RemoteBatcher.connect(way, Deadlines(), 1.0))
    await until(lambda: len(way.calls) > 1)
    way.replicas.append(left)

    batcher = await asyncio.wait_for(connecting, PATIENCE_S)

    await soon(batcher.open_lane().recognize([b"x"]))
    await batcher.aclose(PATIENCE_S)


async def test_a_gateway_whose_replicas_never_come_says_why() -> None:
    with pytest.raises(NoReplicaError, match=r"no replica has answered within 0\.05 s: there is none"):
        await RemoteBatcher.connect(LocalReplicas(), Deadlines(), 0.05)


async def test_replicas_of_another_version_are_refused() -> None:
    class Older(LocalReplicas):
        async def compute(self, call: Call) -> Reply:
            return replace(await super().compute(call), version="0.0.1")

    way = Older(replica(FakeRecognizer(is_open=True)))
    with pytest.raises(NoReplicaError, match=r"the replicas run Emostream 0\.0\.1, and this gateway"):
        await RemoteBatcher.connect(way, Deadlines(), 0.05)
    await way.aclose()

from dataclasses import dataclass, field
from typing import Any

from emostream.inference.batch_choice import MAX_PASSED_OVER, BatchChoice
from emostream.inference.fair_queue import Lane, LaneMode, Priority


def new_lane(priority: Priority) -> Lane[Any]:
    return Lane(LaneMode.ALL, 9, priority)


@dataclass(eq=False)
class Staged:
    name: str
    size: int
    lane: Lane[Any] = field(default_factory=lambda: new_lane(Priority.LIVE))
    is_ready: bool = True


def live(name: str, faces: int = 1) -> Staged:
    return Staged(name, faces)


def picture(name: str, faces: int = 1) -> Staged:
    return Staged(name, faces, new_lane(Priority.BACKGROUND))


def names(batch: list[Staged]) -> list[str]:
    return [frame.name for frame in batch]


def test_ready_frames_go_in_order_up_to_the_largest_batch() -> None:
    frames = [live("a", 2), live("b", 2), live("c", 1), live("d", 0)]

    assert names(BatchChoice[Staged](4).choose(frames)) == ["a", "b"]


def test_a_frame_larger_than_the_largest_batch_goes_alone() -> None:
    assert names(BatchChoice[Staged](4).choose([live("crowd", 9), live("b")])) == ["crowd"]


def test_frames_that_are_not_prepared_are_overtaken_but_not_by_their_own_session() -> None:
    slow = Staged("slow", 1, is_ready=False)
    frames = [slow, Staged("next", 1, slow.lane), live("other")]

    assert names(BatchChoice[Staged](4).choose(frames)) == ["other"]


def test_live_frames_go_first_though_pictures_came_first() -> None:
    choice = BatchChoice[Staged](32)

    assert names(choice.choose([picture("p"), live("a"), picture("q"), live("b")])) == ["a", "b"]


def test_pictures_have_the_engine_where_no_live_frame_is_ready() -> None:
    choice = BatchChoice[Staged](32)

    assert names(choice.choose([picture("p"), Staged("a", 1, is_ready=False), picture("q")])) == ["p", "q"]


def test_a_picture_that_was_passed_over_often_comes_along_and_first() -> None:
    choice = BatchChoice[Staged](2)
    staged = [picture("p"), picture("q"), live("a"), live("b")]

    passes = [names(choice.choose(staged)) for _ in range(2 * MAX_PASSED_OVER + 2)]

    yielding = [["a", "b"]] * MAX_PASSED_OVER
    assert passes == [*yielding, ["p", "a"], *yielding, ["p", "a"]]


def test_passes_without_pictures_are_not_counted() -> None:
    choice = BatchChoice[Staged](32)
    for _ in range(3 * MAX_PASSED_OVER):
        choice.choose([live("a")])

    assert names(choice.choose([picture("p"), live("a")])) == ["a"]


def test_nothing_ready_is_no_batch() -> None:
    assert (
        BatchChoice[Staged](4).choose([])
        == BatchChoice[Staged](4).choose([Staged("a", 1, is_ready=False)])
        == []
    )

import pytest
from emostream.exceptions import LaneFullError
from emostream.inference.fair_queue import FairQueue, Lane, LaneMode, Priority


def live() -> Lane[str]:
    return Lane(LaneMode.LATEST, 1)


def recording(capacity: int = 9) -> Lane[str]:
    return Lane(LaneMode.ALL, capacity)


def take_all(queue: FairQueue[str]) -> list[str]:
    """Everything, as if each frame went to the engine at once."""
    items = []
    while (taken := queue.take()) is not None:
        lane, item = taken
        lane.staged -= 1
        items.append(item)
    return items


def test_an_empty_queue_has_nothing_to_take() -> None:
    assert FairQueue[str]().take() is None


def test_a_taken_frame_comes_with_its_lane() -> None:
    queue, lane = FairQueue[str](), live()
    queue.put(lane, "a")

    assert queue.take() == (lane, "a")
    assert len(queue) == 0


def test_in_a_live_lane_the_newest_frame_wins_and_the_older_one_is_handed_back() -> None:
    queue, lane = FairQueue[str](), live()

    assert queue.put(lane, "old") is None
    assert queue.put(lane, "new") == "old"

    assert len(queue) == 1
    assert take_all(queue) == ["new"]


def test_a_recordings_frames_all_queue_in_order() -> None:
    queue, lane = FairQueue[str](), recording()

    assert [queue.put(lane, item) for item in "abc"] == [None, None, None]

    assert take_all(queue) == ["a", "b", "c"]


def test_a_full_lane_refuses_the_next_frame_and_keeps_what_it_has() -> None:
    queue, lane = FairQueue[str](), recording(capacity=2)
    queue.put(lane, "a")
    queue.put(lane, "b")

    with pytest.raises(LaneFullError):
        queue.put(lane, "c")

    assert take_all(queue) == ["a", "b"]


def test_a_full_lane_does_not_concern_other_lanes() -> None:
    queue, full = FairQueue[str](), recording(capacity=1)
    queue.put(full, "a")

    queue.put(recording(capacity=1), "b")

    assert len(queue) == 2


def test_lanes_take_turns_one_frame_each() -> None:
    queue, fast, slow = FairQueue[str](), recording(), recording()
    for item in ("f1", "f2", "f3"):
        queue.put(fast, item)
    for item in ("s1", "s2"):
        queue.put(slow, item)

    assert take_all(queue) == ["f1", "s1", "f2", "s2", "f3"]


def test_a_newer_frame_keeps_the_turn_of_the_one_it_supersedes() -> None:
    queue, first, second = FairQueue[str](), live(), live()
    queue.put(first, "1 old")
    queue.put(second, "2")

    queue.put(first, "1 new")

    assert take_all(queue) == ["1 new", "2"]


def test_a_lane_that_comes_back_waits_for_its_turn() -> None:
    queue, first, second = FairQueue[str](), live(), live()
    queue.put(first, "1a")
    queue.put(second, "2")
    taken = queue.take()
    assert taken is not None
    taken[0].staged -= 1

    queue.put(first, "1b")

    assert take_all(queue) == ["2", "1b"]


def test_a_live_lane_has_one_frame_staged_at_most() -> None:
    queue, lane = FairQueue[str](), live()
    queue.put(lane, "a")
    queue.take()
    queue.put(lane, "b")

    assert queue.take() is None
    lane.staged -= 1

    assert queue.take() == (lane, "b")


def test_a_live_lane_that_is_not_due_does_not_hold_up_the_others() -> None:
    queue, busy, other = FairQueue[str](), live(), live()
    queue.put(busy, "a")
    queue.take()
    queue.put(busy, "b")
    queue.put(other, "c")

    assert queue.take() == (other, "c")


def test_a_recording_may_have_several_frames_staged() -> None:
    queue, lane = FairQueue[str](), recording()
    queue.put(lane, "a")
    queue.put(lane, "b")

    assert [queue.take(), queue.take()] == [(lane, "a"), (lane, "b")]
    assert lane.staged == 2


def test_a_dropped_lane_hands_back_what_waited_in_it_and_is_gone() -> None:
    queue, lane, other = FairQueue[str](), recording(), recording()
    for item in ("a", "b"):
        queue.put(lane, item)
    queue.put(other, "c")

    assert queue.drop(lane) == ["a", "b"]

    assert take_all(queue) == ["c"]
    assert queue.drop(lane) == []


# The background


def background() -> Lane[str]:
    return Lane(LaneMode.ALL, 9, Priority.BACKGROUND)


def test_the_background_waits_while_a_live_lane_is_due() -> None:
    queue, pictures, lane = FairQueue[str](), background(), recording()
    queue.put(pictures, "p1")
    queue.put(pictures, "p2")
    for item in "ab":
        queue.put(lane, item)

    assert take_all(queue) == ["a", "b", "p1", "p2"]


def test_the_background_goes_on_while_a_live_lanes_next_frame_may_not_be_taken_yet() -> None:
    queue, lane = FairQueue[str](), live()
    queue.put(lane, "a")
    queue.take()
    queue.put(lane, "b")
    queue.put(background(), "p")

    assert take_all(queue) == ["p"]


def test_lanes_of_the_background_take_turns_too() -> None:
    queue, first, second = FairQueue[str](), background(), background()
    for item in ("1a", "1b"):
        queue.put(first, item)
    queue.put(second, "2a")

    assert take_all(queue) == ["1a", "2a", "1b"]


def test_a_frame_without_room_is_skipped_and_keeps_its_turn() -> None:
    queue, first, second = FairQueue[str](), live(), live()
    queue.put(background(), "p")
    queue.put(first, "a")
    queue.put(second, "b")

    assert queue.take(lambda item: item != "a") == (second, "b")
    assert queue.take(lambda item: False) is None
    assert queue.take() == (first, "a")

import threading

import pytest
from emostream.analysis.channel import Abandoned, Channel

from tests.support import PATIENCE_S


def started(target: object, *arguments: object) -> threading.Thread:
    thread = threading.Thread(target=target, args=arguments, daemon=True)  # type: ignore[arg-type]
    thread.start()
    return thread


def test_items_come_out_in_order_and_then_the_end() -> None:
    channel = Channel[str](4, 100)
    for item in "abc":
        channel.put(item)
    channel.end()

    assert channel.take_one() == "a"
    assert channel.take() == ["b", "c"]
    assert channel.take() == []
    assert channel.take_one() is None


@pytest.mark.parametrize(("max_items", "max_bytes"), [(2, 100), (100, 20)], ids=["number", "bytes"])
def test_a_full_channel_makes_the_sender_wait(max_items: int, max_bytes: int) -> None:
    channel = Channel[int](max_items, max_bytes)
    channel.put(1, 10)
    channel.put(2, 10)
    sender = started(channel.put, 3, 10)

    sender.join(0.05)
    assert sender.is_alive()
    assert channel.take_one() == 1
    sender.join(PATIENCE_S)

    assert not sender.is_alive()
    assert channel.take() == [2, 3]


def test_an_item_larger_than_the_channel_gets_in_alone() -> None:
    channel = Channel[str](4, 100)

    channel.put("huge", 1000)

    assert channel.take() == ["huge"]


def test_abandoning_lets_go_of_whoever_waits() -> None:
    channel = Channel[int](1, 100)
    channel.put(1)
    raised: list[type[Exception]] = []

    def put() -> None:
        try:
            channel.put(2)
        except Abandoned:
            raised.append(Abandoned)

    sender = started(put)
    channel.abandon()
    sender.join(PATIENCE_S)

    assert raised == [Abandoned]
    with pytest.raises(Abandoned):
        channel.take()
    with pytest.raises(Abandoned):
        channel.take_one()

import os
import signal
from datetime import datetime
from pathlib import Path

import pytest
from emostream.exceptions import Terminated
from emostream.terminal.live_view import free_name, unwound_by_signals


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_unwinds_what_was_begun_and_is_the_exit_code(number: signal.Signals) -> None:
    ended = []
    before = signal.getsignal(number)

    def work() -> None:
        with unwound_by_signals():
            try:
                os.kill(os.getpid(), number)
            finally:
                ended.append(True)

    with pytest.raises(Terminated) as caught:
        work()

    assert ended == [True]
    assert caught.value.code == 128 + number
    assert signal.getsignal(number) is before


def test_snapshots_of_one_second_do_not_overwrite_each_other(tmp_path: Path) -> None:
    now = datetime(2026, 11, 20, 9, 30, 5)

    names = []
    for _ in range(3):
        path = free_name(tmp_path, now)
        path.touch()
        names.append(path.name)

    assert names == [
        "emostream-20261120-093005.png",
        "emostream-20261120-093005-2.png",
        "emostream-20261120-093005-3.png",
    ]

import json
import re

import pytest
from emostream.protocol import reconnect
from emostream.protocol.wire import CloseCode

from tests.support import ROOT

RULE = json.loads((ROOT / "server/protocol/reconnect.json").read_text())


def documented() -> list[str]:
    """The paragraphs of docs/protocol.md on reconnecting, each in one line."""
    section = (ROOT / "docs/protocol.md").read_text().partition("## Reconnecting\n")[2].partition("\n## ")[0]
    return [" ".join(paragraph.split()) for paragraph in section.strip().split("\n\n")]


def numbers(text: str) -> list[float]:
    return [float(number) for number in re.findall(r"\d+(?:\.\d+)?", text)]


def test_the_protocol_document_states_the_rule() -> None:
    rule, final = documented()[0].split(". ")

    codes, _, delays = rule.partition(", first after ")
    assert numbers(codes) == RULE["retry_close_codes"]
    first = RULE["first_delay_s"]
    assert numbers(delays) == [
        first * (1 - RULE["jitter"]), first, RULE["delay_factor"], RULE["longest_delay_s"]
    ]  # fmt: skip
    assert sorted(numbers(final)) == RULE["final_close_codes"]


def test_the_protocol_document_states_the_statuses_and_what_the_python_client_adds() -> None:
    _, others, python = documented()

    statuses = re.search(r"HTTP ([0-9, or]+) a client", others)
    assert statuses is not None
    assert numbers(statuses[1]) == RULE["retry_http_statuses"]
    assert set(numbers(python)) == reconnect.IDLE_CLOSE_CODES


def test_no_close_code_is_both_retried_and_final() -> None:
    assert not (reconnect.RETRY_CLOSE_CODES | reconnect.IDLE_CLOSE_CODES) & reconnect.FINAL_CLOSE_CODES
    assert set(CloseCode) >= reconnect.RETRY_CLOSE_CODES | reconnect.FINAL_CLOSE_CODES


@pytest.mark.parametrize(
    ("failures", "shortest", "longest"),
    [(0, 0.5, 1.0), (1, 0.8, 1.6), (4, 3.2768, 6.5536), (10**6, 5.0, 10.0)],
)
def test_the_delay_grows_to_ten_seconds_of_which_half_is_random(
    failures: int, shortest: float, longest: float
) -> None:
    assert reconnect.delay_s(failures, min) == pytest.approx(shortest)
    assert reconnect.delay_s(failures, max) == pytest.approx(longest)

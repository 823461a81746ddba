import asyncio
import logging

import httpx
import pytest
from emostream.api.failed_tokens import FailedTokens
from emostream.api.metrics import Metrics

from tests.servers import ServerProcess


def counted(metrics: Metrics, reason: str) -> float | None:
    return metrics.registry.get_sample_value("emostream_refused_tokens_total", {"reason": reason})


async def test_an_address_that_guesses_on_and_on_is_made_to_wait(caplog: pytest.LogCaptureFixture) -> None:
    metrics = Metrics()
    failed = FailedTokens(metrics, penalty_s=3600)

    with caplog.at_level(logging.WARNING):
        for _ in range(10):
            await failed.notice("192.0.2.1", is_guess=True)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(failed.notice("192.0.2.1", is_guess=True), 0.05)
        await failed.notice("192.0.2.2", is_guess=True)  # another one is not

    assert counted(metrics, "wrong") == 12
    assert [record.getMessage() for record in caplog.records] == [
        *["a client at 192.0.2.1 gave a wrong token"] * 10,
        "a client at 192.0.2.2 gave a wrong token",
    ]


async def test_a_customer_with_2_to_the_64_addresses_is_one_who_guesses() -> None:
    failed = FailedTokens(Metrics(), penalty_s=3600)

    for number in range(10):
        await failed.notice(f"2001:db8::{number:x}", is_guess=True)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(failed.notice("2001:db8::ffff", is_guess=True), 0.05)
    await failed.notice("2001:db8:0:1::1", is_guess=True)  # another customer is not made to wait


async def test_who_gives_no_token_guesses_nothing() -> None:
    metrics = Metrics()
    failed = FailedTokens(metrics, penalty_s=3600)

    for _ in range(50):
        await failed.notice("192.0.2.1", is_guess=False)

    assert counted(metrics, "missing") == 50
    assert counted(metrics, "wrong") is None


def test_the_server_names_and_counts_who_guesses_and_shows_no_token(guarded: ServerProcess) -> None:
    with httpx.Client(base_url=guarded.http, trust_env=False) as client:
        assert client.get("/metrics?%74oken=guessed-by-query").status_code == 401
        bearer = {"Authorization": "Bearer guessed-by-header"}
        assert client.get("/metrics", headers=bearer).status_code == 401
        metrics = client.get("/metrics", headers={"Authorization": "Bearer let me in"}).text

    guarded.wait_for(r"WARNING .*: a client at 127\.0\.0\.1 gave a wrong token", times=2)
    assert 'emostream_refused_tokens_total{reason="wrong"}' in metrics
    assert "guessed-by" not in guarded.log

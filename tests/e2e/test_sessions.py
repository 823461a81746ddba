"""Sessions: recorded, marked, interrupted, replayed, run again, and taken away."""

import csv
import io
import json
import time
from xml.etree import ElementTree

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.dashboard import ONE_BACKEND, SOCKET_FAILED, Dashboard
from tests.e2e.make_run import MakeRun

pytestmark = pytest.mark.e2e


@pytest.fixture
def live(server: MakeRun, dashboard: Dashboard) -> Dashboard:
    dashboard.open(server.url + ONE_BACKEND)
    expect(dashboard.answered_boxes).to_have_count(1)
    return dashboard


def _rows(page: Page) -> int:
    text = page.get_by_test_id("record-counter").inner_text().split("\n")[-1]
    return int("".join(character for character in text if character.isdigit()))


def _wait_for_rows(page: Page, rows: int) -> None:
    """Until so many more rows have been recorded."""
    wanted = _rows(page) + rows
    deadline = time.monotonic() + 60
    while _rows(page) < wanted:
        assert time.monotonic() < deadline, f"only {_rows(page)} rows of {wanted}"
        page.wait_for_timeout(100)


def _saved(page: Page, entry: Locator, format: str) -> bytes:
    with page.expect_download() as download:
        entry.get_by_test_id("save-as").select_option(format)
    return download.value.path().read_bytes()


def test_a_session_outlives_a_reload_and_is_taken_away_whole(server: MakeRun, live: Dashboard) -> None:
    page = live.page
    page.get_by_test_id("record").click()
    # Over a second: a replay's time has whole seconds, and the marker's is to differ from the start's.
    _wait_for_rows(page, 15)
    page.keyboard.press("3")
    page.keyboard.press("m")
    page.get_by_test_id("note").fill("the question")
    page.keyboard.press("Enter")
    name = page.get_by_label("Name of Face 1")
    name.fill("Ada")
    name.press("Enter")
    page.get_by_test_id("pause").click()
    rows = _rows(page)
    expect(page.locator(".gap-reason")).to_have_text("Paused")
    page.get_by_test_id("pause").click()
    _wait_for_rows(page, 25)
    recorded = _rows(page)
    assert recorded > rows

    page.reload()

    page.get_by_test_id("sessions").click()
    entry = page.get_by_test_id("session")
    expect(entry).to_have_attribute("data-state", "interrupted")
    table = list(csv.DictReader(io.StringIO(_saved(page, entry, "csv").decode())))
    # At most a second is lost: ten rows, and what a slow machine adds.
    assert recorded - 15 <= len(table) <= recorded + 15
    assert {row["person"] for row in table} == {"Ada"}
    assert {row["emotion"] for row in table} == {"happiness"}
    assert next(row["marker"] for row in table if row["marker"]).startswith("3")
    assert "the question" in "".join(row["marker"] for row in table)
    times = [float(row["time_s"]) for row in table]
    assert times == sorted(times)
    assert {float(row["captured_at"]) > 1.7e12 for row in table} == {True}
    assert {row["interval_ms"] for row in table} == {"100"}
    for row in table:
        total = sum(float(value) for name, value in row.items() if name.startswith("p_"))
        assert abs(total - 1) < 2e-3

    lines = [json.loads(line) for line in _saved(page, entry, "jsonl").splitlines()]
    assert len(lines) == len(table)
    assert lines[0]["quality"]["size_px"] > 0
    tiers = ElementTree.fromstring(_saved(page, entry, "elan")).findall("TIER")
    assert [tier.get("TIER_ID") for tier in tiers] == ["Ada", "markers", "gaps"]
    assert b"<svg" in _saved(page, entry, "svg")
    assert _saved(page, entry, "png").startswith(b"\x89PNG")
    assert _saved(page, entry, "parquet").endswith(b"PAR1")

    entry.get_by_role("button", name="Open").click()
    expect(page.get_by_test_id("moment")).to_contain_text("happiness")
    expect(page.get_by_test_id("replay-time")).to_have_text("0:00")
    page.get_by_role("button", name="the question").click()
    expect(page.get_by_test_id("replay-time")).not_to_have_text("0:00")
    page.get_by_label("Position").press("Home")
    expect(page.get_by_test_id("moment")).to_contain_text("Ada")


def test_a_lost_server_is_a_gap_and_an_interrupted_session_goes_on(server: MakeRun, live: Dashboard) -> None:
    page = live.page
    live.expect_complaints(SOCKET_FAILED)
    page.get_by_test_id("record").click()
    _wait_for_rows(page, 5)

    server.kill()

    expect(page.locator(".gap-reason")).to_have_text("No server")
    server.start()
    expect(live.in_state("open")).to_be_visible()
    _wait_for_rows(page, 5)
    before = _rows(page)
    page.reload()
    expect(live.answered_boxes).to_have_count(1)
    page.get_by_test_id("sessions").click()
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Close").click()
    _wait_for_rows(page, 5)
    assert _rows(page) >= before - 15 + 5
    page.get_by_test_id("stop").click()
    page.get_by_test_id("sessions").click()
    entry = page.get_by_test_id("session")
    expect(entry).to_have_attribute("data-state", "kept")
    tiers = ElementTree.fromstring(_saved(page, entry, "elan")).findall("TIER")
    gaps = next(tier for tier in tiers if tier.get("TIER_ID") == "gaps")
    assert [value.text for value in gaps.iter("ANNOTATION_VALUE")] == ["no_server", "interrupted"]
    entry.get_by_role("button", name="Delete").click()
    entry.get_by_role("button", name="Delete permanently?").click()
    expect(page.get_by_text("Nothing is recorded yet")).to_be_visible()


def test_kept_video_is_replayed_and_run_again_with_another_setting(server: MakeRun, live: Dashboard) -> None:
    page = live.page
    page.get_by_label("Keep the video, too").check()
    page.get_by_test_id("record").click()
    _wait_for_rows(page, 40)
    page.get_by_test_id("stop").click()
    page.get_by_test_id("sessions").click()
    entry = page.get_by_test_id("session")
    expect(entry).to_contain_text("with video")
    entry.get_by_role("button", name="Open").click()
    page.get_by_label("Position").press("End")
    page.get_by_label("Position").press("PageDown")
    expect(page.get_by_test_id("moment")).to_contain_text("happiness")
    page.get_by_test_id("rerun-smoothing").fill("0.9")

    page.get_by_test_id("rerun").click()

    expect(page.get_by_test_id("differences")).to_be_visible()
    expect(page.get_by_test_id("differences")).to_contain_text("They have the same emotion in every row")
    page.get_by_role("button", name="All sessions").click()
    again = page.get_by_test_id("session").filter(has_text="run again")
    table = list(csv.DictReader(io.StringIO(_saved(page, again, "csv").decode())))
    assert len(table) > 10
    assert {row["smoothing"] for row in table} == {"0.9"}
    asked = [request.url for request in live.requests if request.url.startswith("http")]
    assert all(url.startswith(server.url) for url in asked)

"""The server dies, stops or falls silent while somebody looks at the page."""

import pytest
from playwright.sync_api import expect

from tests.e2e.dashboard import ONE_BACKEND, SOCKET_FAILED, Dashboard
from tests.e2e.make_run import MakeRun

pytestmark = pytest.mark.e2e

#: Frames that may be under way at once.
IN_FLIGHT = 2

#: While the stream is away the page must say so at all times, also when an attempt to come back is under way.
COUNT_MOMENTS_WITHOUT_WORDS = """() => {
    window.momentsWithoutWords = 0;
    new MutationObserver(() => {
        const open = document.querySelector("[data-testid=connection-status][data-state=open]");
        if (open === null && document.querySelector("[role=alert]") === null) window.momentsWithoutWords++;
    }).observe(document.body, {subtree: true, childList: true, attributes: true});
}"""


@pytest.fixture
def live(server: MakeRun, dashboard: Dashboard) -> Dashboard:
    """A page with a face and its emotion."""
    dashboard.open(server.url + ONE_BACKEND)
    expect(dashboard.answered_boxes).to_have_count(1)
    return dashboard


def test_the_page_recovers_by_itself_after_the_server_was_killed_and_restarted(
    server: MakeRun, live: Dashboard
) -> None:
    faces = live.face_ids()
    live.expect_complaints(SOCKET_FAILED)

    server.kill()

    expect(live.in_state("open")).to_have_count(0)
    expect(live.alert).to_contain_text("This page keeps trying")
    expect(live.stale_boxes).to_have_count(1)
    live.page.evaluate(COUNT_MOMENTS_WITHOUT_WORDS)
    answered = live.frames_answered

    server.start()

    expect(live.in_state("open")).to_be_visible()
    expect(live.answered_boxes).to_have_count(1)
    expect(live.alert).to_have_count(0)
    assert live.page.evaluate("momentsWithoutWords") == 0
    assert live.frames_answered > answered
    assert live.face_ids() == faces


def test_a_server_that_stops_in_order_is_said_to_be_restarting(server: MakeRun, live: Dashboard) -> None:
    live.expect_complaints(SOCKET_FAILED)

    server.ask_to_stop()

    # The first attempt that fails, soon after, changes the words: so each picture of the screen is looked at.
    # Not by wait_for_function: it evaluates strings, which the page's policy forbids.
    live.page.evaluate(
        """words => new Promise((resolve, reject) => {
            const look = () => document.querySelector('[role=alert]')?.textContent.includes(words)
                ? resolve() : requestAnimationFrame(look)
            setTimeout(() => reject(new Error(`it never said: ${words}`)), 30000)
            look()
        })""",
        "The server is restarting",
    )
    server.stop()


def test_an_emotion_is_not_shown_for_longer_than_it_is_fresh(server: MakeRun, live: Dashboard) -> None:
    colour = "box => getComputedStyle(box).color"
    colour_when_fresh = live.boxes.evaluate(colour)
    faces = live.face_ids()

    server.pause()

    expect(live.stale_boxes).to_have_count(1, timeout=5000)
    assert live.boxes.evaluate(colour) != colour_when_fresh
    assert set(live.shown().bars.values()) == {0}
    assert live.shown().dominant not in live.shown().bars
    assert live.face_ids() == faces

    server.resume()

    expect(live.answered_boxes).to_have_count(1)
    assert live.face_ids() == faces


def test_a_server_that_is_slow_to_answer_is_sent_no_more_than_two_frames(
    server: MakeRun, live: Dashboard
) -> None:
    server.pause()
    live.page.wait_for_timeout(3000)

    assert live.frames_sent - live.frames_answered == IN_FLIGHT

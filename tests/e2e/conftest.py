"""One server and one browser for all end-to-end tests, as far as they don't need others of their own.

Fixtures live as long as this folder's tests and no longer: Playwright's event loop runs between the tests,
too, and would be in the way of asynchronous tests elsewhere.
"""

from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Playwright, expect, sync_playwright

from tests.e2e import films
from tests.e2e.browser import ALLOW_CAMERA, launched, webcam
from tests.e2e.dashboard import Dashboard, watched_page
from tests.e2e.make_run import MakeRun
from tests.support import ROOT

#: How long a test waits for what must come, unless it says otherwise. Machines may be slow and busy.
PATIENCE_MS = 60_000

_failed = pytest.StashKey[bool]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--save-screenshot", type=Path, metavar="PATH", help="write README's screenshot there")
    parser.addoption("--save-states", type=Path, metavar="FOLDER", help="write every state's picture there")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed:
        item.stash[_failed] = True
    return report


@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as running:
        expect.set_options(timeout=PATIENCE_MS)
        yield running


@pytest.fixture(scope="package")
def one_face_film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return films.film(films.one_face(), tmp_path_factory.mktemp("film") / "one.mjpeg")


@pytest.fixture(scope="package")
def browser(playwright: Playwright, one_face_film: Path) -> Iterator[Browser]:
    """Its webcam shows one smiling face."""
    with launched(playwright, ALLOW_CAMERA, *webcam(one_face_film)) as running:
        yield running


OpenPage = Callable[[Browser], Dashboard]


@pytest.fixture
def open_page(request: pytest.FixtureRequest) -> Iterator[OpenPage]:
    """Opens an empty page in a browser. When a test fails, a picture of its page goes to test-results/."""
    pages: list[Dashboard] = []
    with ExitStack() as stack:

        def open_page(browser: Browser) -> Dashboard:
            pages.append(stack.enter_context(watched_page(browser)))
            return pages[-1]

        yield open_page
        if request.node.stash.get(_failed, False):
            for number, dashboard in enumerate(pages):
                name = f"{request.node.name}-{number}.png"
                dashboard.page.screenshot(path=ROOT / "test-results" / name)


@pytest.fixture
def dashboard(browser: Browser, open_page: OpenPage) -> Dashboard:
    """A page before which one face smiles."""
    return open_page(browser)


@pytest.fixture(scope="package")
def shared_server(tmp_path_factory: pytest.TempPathFactory, cache_dir: Path) -> Iterator[MakeRun]:
    with MakeRun(tmp_path_factory.mktemp("server") / "log.txt", cache_dir=cache_dir) as run:
        yield run
    assert "Traceback" not in run.log


@pytest.fixture
def server(shared_server: MakeRun, request: pytest.FixtureRequest) -> Iterator[MakeRun]:
    """What `make run` serves. A test may do to it whatever it likes: the next one finds it well."""
    yield shared_server
    if request.node.stash.get(_failed, False):
        print(shared_server.log[-4000:])
    shared_server.restore()

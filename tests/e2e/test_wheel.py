"""The page that the installed wheel serves, far from the checkout."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.e2e.dashboard import ONE_BACKEND, Dashboard
from tests.installations import Installation
from tests.servers import QUICK_MODEL, ServerProcess

pytestmark = [pytest.mark.e2e, pytest.mark.installs]


@pytest.fixture
def installed_server(
    full_installation: Installation, tmp_path: Path, cache_dir: Path
) -> Iterator[ServerProcess]:
    process = ServerProcess(tmp_path, cache_dir, python=full_installation.python, model=QUICK_MODEL)
    yield process
    process.end()
    assert "Traceback" not in process.log


def test_the_installed_page_shows_a_smiling_face_as_happy(
    installed_server: ServerProcess, dashboard: Dashboard
) -> None:
    dashboard.open(f"http://localhost:{installed_server.port}{ONE_BACKEND}")

    happy = dashboard.page.locator("[data-testid=face-box][data-emotion=happiness]")
    expect(happy).to_have_count(1)

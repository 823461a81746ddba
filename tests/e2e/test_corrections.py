""" "This is wrong": a face's crop is kept with its right label once its person has agreed, and taken back."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.e2e.dashboard import Dashboard
from tests.e2e.make_run import MakeRun

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kept") / "corrections"


@pytest.fixture(scope="module")
def correcting(tmp_path_factory: pytest.TempPathFactory, cache_dir: Path, folder: Path) -> Iterator[MakeRun]:
    log = tmp_path_factory.mktemp("correcting") / "log.txt"
    with MakeRun(log, cache_dir=cache_dir, corrections_dir=folder, max_kept_bytes=50_000_000) as run:
        yield run
    assert "Traceback" not in run.log


def kept(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_wrong_answer_is_corrected_with_consent_and_taken_back(
    correcting: MakeRun, dashboard: Dashboard, folder: Path
) -> None:
    page = dashboard.page
    dashboard.open(f"{correcting.url}/?backend=wasm")
    expect(page.get_by_test_id("corrections-kept")).to_contain_text("you are asked whether")
    expect(page.get_by_test_id("corrections-kept")).to_contain_text("50 MB")
    page.get_by_role("button", name="Agree and start the camera").click()
    expect(dashboard.answered_boxes).to_have_count(1)

    page.get_by_test_id("correct").click()
    dialog = page.get_by_role("dialog", name="Which label is right?")
    send, status = dialog.get_by_test_id("correction-send"), dialog.get_by_test_id("correction-status")
    dialog.get_by_role("radio", name="surprise").check()
    expect(send).to_be_disabled()  # nobody has agreed
    dialog.get_by_test_id("correction-consent").check()
    send.click()
    expect(status).to_have_attribute("data-state", "kept")

    [file] = kept(folder)
    assert file.parent.name == "surprise"
    with Image.open(io.BytesIO(file.read_bytes())) as image:
        assert image.size == (224, 224)
    dialog.get_by_role("button", name="Delete it").click()
    expect(status).to_have_attribute("data-state", "taken_back")
    assert kept(folder) == []


def test_who_does_not_agree_sends_nothing(correcting: MakeRun, dashboard: Dashboard, folder: Path) -> None:
    page = dashboard.page
    dashboard.open(f"{correcting.url}/?backend=wasm&start=auto")
    expect(dashboard.answered_boxes).to_have_count(1)

    page.get_by_test_id("correct").click()
    dialog = page.get_by_role("dialog", name="Which label is right?")
    dialog.get_by_role("radio", name="anger").check()
    dialog.get_by_role("button", name="Cancel").click()

    expect(dialog).to_be_hidden()
    assert kept(folder) == []
    assert [request.url for request in dashboard.requests if "corrections" in request.url] == []

"""What every test starts from."""

import os
from pathlib import Path

import pytest
import torch

from tests.installations import Installation, build_wheel
from tests.support import ROOT


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full-install", action="store_true", help="install PyTorch, too, to test the wheel")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests marked cuda need a GPU."""
    if not torch.cuda.is_available():
        for item in items:
            if item.get_closest_marker("cuda"):
                item.add_marker(pytest.mark.skip(reason="there is no GPU"))


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A developer's own EMOSTREAM_* variables change nothing in the tests."""
    for name in list(os.environ):
        if name.startswith("EMOSTREAM_"):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    # Left by an earlier build, of a module that is there no more.
    stale = ROOT / "build" / "lib" / "emostream" / "deleted.py"
    stale.parent.mkdir(parents=True, exist_ok=True)
    stale.touch()
    return build_wheel(tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="session")
def full_installation(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, wheel: Path
) -> Installation:
    """The wheel with everything that it can use."""
    borrows = not request.config.getoption("--full-install")
    return Installation(tmp_path_factory.mktemp("full"), wheel, "[train]", borrows)


@pytest.fixture(scope="session")
def cache_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where compiled networks are kept, so that each is compiled once a run."""
    return tmp_path_factory.mktemp("compiled")

"""Server processes that several files share: starting one takes seconds."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers import QUICK_MODEL, ServerProcess


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory, cache_dir: Path) -> Iterator[ServerProcess]:
    """The server as people start it, with the default model."""
    with ServerProcess(tmp_path_factory.mktemp("server"), cache_dir) as process:
        yield process


@pytest.fixture(scope="package")
def guarded(tmp_path_factory: pytest.TempPathFactory, cache_dir: Path) -> Iterator[ServerProcess]:
    """A server with a token, one friendly origin, two sessions at most and little patience."""
    with ServerProcess(
        tmp_path_factory.mktemp("guarded"),
        cache_dir,
        model=QUICK_MODEL,
        token="let me in",
        allowed_origins="https://friend.example, http://other.example:8080",
        max_sessions=2,
        idle_timeout_s=0.5,
    ) as process:
        yield process

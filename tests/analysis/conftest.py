"""Analyzers that are loaded once."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from emostream import Analyzer

from tests.servers import QUICK_MODEL
from tests.writers.videos import make_video

#: Frames of ``talk``, 20 a second.
FRAMES = 30


@pytest.fixture(scope="package")
def analyzer(cache_dir: Path) -> Iterator[Analyzer]:
    """The default model."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EMOSTREAM_CACHE_DIR", str(cache_dir))
        patch.setenv("EMOSTREAM_PRECISION", "f32")
        patch.setenv("EMOSTREAM_MODEL", "default")
        analyzer = Analyzer(device="cpu")
    with analyzer:
        yield analyzer


@pytest.fixture(scope="package")
def quick(cache_dir: Path) -> Iterator[Analyzer]:
    """A model that computes fast."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EMOSTREAM_CACHE_DIR", str(cache_dir))
        analyzer = Analyzer(QUICK_MODEL, device="cpu")
    with analyzer:
        yield analyzer


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch, cache_dir: Path) -> Iterator[Analyzer]:
    """One that a test may do with as it likes."""
    monkeypatch.setenv("EMOSTREAM_CACHE_DIR", str(cache_dir))
    with Analyzer(QUICK_MODEL, device="cpu") as analyzer:
        yield analyzer


@pytest.fixture(scope="package")
def talk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video of a face of 106 px that moves, for 1.5 s."""
    return make_video(tmp_path_factory.mktemp("videos") / "talk.mp4", FRAMES, sound=None)

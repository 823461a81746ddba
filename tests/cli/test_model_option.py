from pathlib import Path

import pytest
from emostream.cli.model_option import known_models


@pytest.fixture(autouse=True)
def _no_models_of_ones_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EMOSTREAM_WEIGHTS_DIR", str(tmp_path))


def test_names_that_begin_so_are_offered_with_what_they_are() -> None:
    offered = dict(known_models("poster-v2-"))

    assert offered["poster-v2-occlusion"] == "ensemble"
    assert "RAF-DB" in offered["poster-v2-raf-db"]
    assert all(name.startswith("poster-v2-") for name in offered)


def test_a_catalogue_that_is_broken_offers_nothing(tmp_path: Path) -> None:
    (tmp_path / "catalogue.toml").write_text("[models.mine]\n")

    assert list(known_models("")) == []

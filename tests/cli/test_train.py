"""``emostream train`` up to the trainer, which only pretends."""

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from emostream.cli import main as module
from emostream.training.config import TrainingConfig, read_config

from tests.support import ROOT

RECIPES = ROOT / "server" / "training" / "recipes"


@pytest.fixture
def train(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Calls the command in an empty folder, and returns the recipe and the run folder that it trains with."""
    calls: list[tuple[TrainingConfig, Path]] = []

    class Trainer:
        def __init__(self, config: TrainingConfig, out: Path, *_: object) -> None:
            calls.append((config, out))

        def run(self) -> SimpleNamespace:
            return SimpleNamespace(accuracy=0.875, macro_f1=0.75)

    def call(*arguments: str) -> tuple[TrainingConfig, Path]:
        monkeypatch.setattr(sys, "argv", ["emostream", "train", *arguments])
        with pytest.raises(SystemExit) as caught:
            module.main()
        assert not caught.value.code
        return calls[-1]

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("emostream.cli.train.Trainer", Trainer)
    return call


def test_a_recipe_of_ours_is_called_by_its_name(train) -> None:
    assert train("from_scratch") == (read_config(RECIPES / "from_scratch.yaml"), Path("runs/latest"))


def test_a_recipe_of_ones_own_is_called_by_its_path(train, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text((RECIPES / "compact.yaml").read_text())

    assert train("mine.yaml", "--out", "mine") == (read_config(RECIPES / "compact.yaml"), Path("mine"))


def test_the_end_says_how_good_it_is_and_where_it_lies(train, capsys: pytest.CaptureFixture[str]) -> None:
    train("from_scratch", "--out", "runs/mine")

    assert capsys.readouterr().out == "accuracy 0.8750, macro F1 0.7500: runs/mine/model.safetensors\n"


def test_help_lists_every_recipe_of_ours(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "1000")
    monkeypatch.setattr(sys, "argv", ["emostream", "train", "--help"])
    with pytest.raises(SystemExit):
        module.main()

    out = capsys.readouterr().out
    assert all(path.stem in out for path in RECIPES.glob("*.yaml"))

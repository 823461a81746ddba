import json
from pathlib import Path

import pytest
import torch
from emostream.training.config import TrainingConfig
from emostream.training.run_folder import RunFolder
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

CPU = torch.device("cpu")


def figures(epoch: int, accuracy: float = 0.5) -> dict[str, float]:
    return {"epoch": epoch, "loss": 1 / epoch, "accuracy": accuracy, "macro_f1": 0.4, "ece": 0.1}


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    run = RunFolder(tmp_path / "runs" / "one")
    run.open(TrainingConfig(architecture="se_resnet", train=Path("a"), validation=Path("b")), CPU)
    return run


def test_what_runs_and_on_what_is_written_down(folder: RunFolder) -> None:
    config = json.loads((folder.path / "config.json").read_text())
    environment = json.loads((folder.path / "environment.json").read_text())

    assert config["architecture"] == "se_resnet"
    assert environment["device"] == "cpu"
    assert environment["packages"]["torch"] == torch.__version__
    assert environment["threads"] == torch.get_num_threads()


def test_figures_are_lines_of_json_curves_and_events(folder: RunFolder) -> None:
    for epoch in (1, 2):
        folder.log(figures(epoch, accuracy=epoch / 4))

    assert folder.metrics() == [figures(1, 0.25), figures(2, 0.5)]
    with Image.open(folder.path / "curves.png") as curves:
        assert curves.width > 600
        assert len(set(curves.convert("L").tobytes())) > 20  # drawn, and not one flat ground
    events = EventAccumulator(str(folder.path / "tensorboard")).Reload()
    assert [event.value for event in events.Scalars("accuracy")] == [0.25, 0.5]


def test_an_epoch_that_was_trained_again_replaces_its_line(folder: RunFolder) -> None:
    for epoch in (1, 2, 3):
        folder.log(figures(epoch))

    folder.log(figures(2, accuracy=0.9))

    assert [line["epoch"] for line in folder.metrics()] == [1, 2]
    assert folder.metrics()[1]["accuracy"] == 0.9


def test_a_checkpoint_comes_back_as_it_was(folder: RunFolder) -> None:
    assert folder.load(CPU) is None

    folder.save({"epoch": 3, "model": {"weight": torch.ones(2)}})

    state = folder.load(CPU)
    assert state is not None
    assert state["epoch"] == 3
    assert torch.equal(state["model"]["weight"], torch.ones(2))
    assert [path.name for path in folder.path.glob("*.pt")] == ["checkpoint.pt"]

"""One tiny run on made-up faces: it can be killed, continued, and its weights loaded."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from server.exceptions import EmostreamError
from server.models import create_model, load_checkpoint
from server.training.config import TrainingConfig
from server.training.datasets import LABELS
from server.training.train import Trainer
from tests.training.conftest import MakeSplit, plain_rows

CPU = torch.device("cpu")


class KilledError(Exception):
    """Stands for the end of the process in the middle of an epoch."""


@pytest.fixture
def config(make_split: MakeSplit) -> TrainingConfig:
    return TrainingConfig(
        architecture="se_resnet",
        train=make_split(plain_rows(21), name="FER2013Train"),
        validation=make_split(plain_rows(14, seed=1), name="FER2013Valid", form="tar"),
        epochs=2,
        batch_size=8,
        seed=3,
    )


def weights(folder: Path) -> dict[str, torch.Tensor]:
    with safe_open(folder / "model.safetensors", "pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is no mapping


def kill_in_epoch(trainer: Trainer, epoch: int) -> Callable[[], float]:
    """An epoch that trains, and then ends before anything is written."""
    whole = trainer._train_epoch

    def train_epoch() -> float:
        loss = whole()
        if trainer.epoch + 1 == epoch:
            raise KilledError
        return loss

    return train_epoch


def test_a_run_that_is_killed_and_continued_gives_the_weights_of_one_that_is_not(
    config: TrainingConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    straight = Trainer(config, tmp_path / "straight", CPU).run()

    killed = Trainer(config, tmp_path / "killed", CPU)
    monkeypatch.setattr(killed, "_train_epoch", kill_in_epoch(killed, 2))
    with pytest.raises(KilledError):
        killed.run()
    assert not (tmp_path / "killed/model.safetensors").exists()
    continued = Trainer(config, tmp_path / "killed", CPU).run()

    expected, found = weights(tmp_path / "straight"), weights(tmp_path / "killed")
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], expected[name]) for name in expected)
    assert continued.accuracy == straight.accuracy


def test_a_run_leaves_its_recipe_its_figures_and_weights_that_load(
    config: TrainingConfig, tmp_path: Path
) -> None:
    folder = tmp_path / "run"

    scores = Trainer(config, folder, CPU).run()

    assert TrainingConfig.model_validate_json((folder / "config.json").read_text()) == config
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert [line["epoch"] for line in lines] == [1, 2]
    assert all(0 <= line["accuracy"] <= 1 and line["loss"] > 0 for line in lines)
    assert scores.confusion.sum() == 14
    assert scores.confusion.sum(1).tolist() == [2] * 7

    tensors = weights(folder).values()
    assert {tensor.dtype for tensor in tensors if tensor.is_floating_point()} == {torch.float16}
    with safe_open(folder / "model.safetensors", "pt") as file:
        assert file.metadata() == {"architecture": "se_resnet", "labels": ",".join(LABELS)}
    network = create_model("se_resnet", len(LABELS))
    load_checkpoint(network, folder / "model.safetensors")
    with torch.no_grad():
        assert network.eval()(torch.zeros(1, 3, 48, 48)).isfinite().all()


def test_a_finished_run_is_not_trained_again(config: TrainingConfig, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    first = Trainer(config, folder, CPU).run()
    before = (folder / "checkpoint.pt").stat().st_mtime_ns

    again = Trainer(config, folder, CPU).run()

    assert (folder / "checkpoint.pt").stat().st_mtime_ns == before
    assert len((folder / "metrics.jsonl").read_text().splitlines()) == 2
    assert again.confusion.tolist() == first.confusion.tolist()


def test_another_seed_gives_other_weights(config: TrainingConfig, tmp_path: Path) -> None:
    """Without which the first test of this file could not fail."""
    one = config.model_copy(update={"epochs": 1})
    Trainer(one, tmp_path / "one", CPU).run()
    Trainer(one.model_copy(update={"seed": 4}), tmp_path / "other", CPU).run()

    first, second = weights(tmp_path / "one"), weights(tmp_path / "other")
    assert not torch.equal(first["head.weight"], second["head.weight"])


def test_fewer_pictures_than_a_batch_are_an_error_that_says_so(
    config: TrainingConfig, tmp_path: Path
) -> None:
    with pytest.raises(EmostreamError):
        Trainer(config.model_copy(update={"batch_size": 64}), tmp_path / "run", CPU).run()

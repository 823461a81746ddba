"""One tiny run on made-up faces: it can be killed, continued, and its weights loaded."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from emostream.exceptions import DatasetError
from emostream.models import create_model, load_checkpoint
from emostream.models.normalisation import NormalisationSpec
from emostream.models.weight_file import WeightDescription, read_description, set_temperature, write_weights
from emostream.models.weights import WeightsStore
from emostream.training.config import TrainingConfig
from emostream.training.datasets import LABELS, FaceDataset
from emostream.training.train import Trainer, warmed_up_average
from safetensors import safe_open
from torch.optim.swa_utils import AveragedModel

from tests.fake_cuda import FakeCuda
from tests.training.conftest import write_faces, write_prepared

CPU = torch.device("cpu")
NOWHERE = Path("no-weights-here")  # no run but one with a teacher reads any


class KilledError(Exception):
    """Stands for the end of the process in the middle of an epoch."""


@pytest.fixture
def config(tmp_path: Path) -> TrainingConfig:
    data = write_faces(tmp_path / "faces", train=21, valid=14)
    return TrainingConfig(
        architecture="se_resnet",
        train=data,
        validation=data,
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
    straight = Trainer(config, tmp_path / "straight", CPU, NOWHERE).run()

    killed = Trainer(config, tmp_path / "killed", CPU, NOWHERE)
    monkeypatch.setattr(killed, "_train_epoch", kill_in_epoch(killed, 2))
    with pytest.raises(KilledError):
        killed.run()
    assert not (tmp_path / "killed/model.safetensors").exists()
    continued = Trainer(config, tmp_path / "killed", CPU, NOWHERE).run()

    expected, found = weights(tmp_path / "straight"), weights(tmp_path / "killed")
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], expected[name]) for name in expected)
    assert continued.accuracy == straight.accuracy


def test_a_run_leaves_its_recipe_its_figures_and_weights_that_load(
    config: TrainingConfig, tmp_path: Path
) -> None:
    folder = tmp_path / "run"

    scores = Trainer(config, folder, CPU, NOWHERE).run()

    assert TrainingConfig.model_validate_json((folder / "config.json").read_text()) == config
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert [line["epoch"] for line in lines] == [1, 2]
    assert all(0 <= line["accuracy"] <= 1 and line["loss"] > 0 for line in lines)
    assert scores.confusion.sum() == 14
    assert scores.confusion.sum(1).tolist() == [2] * 7

    tensors = weights(folder).values()
    assert {tensor.dtype for tensor in tensors if tensor.is_floating_point()} == {torch.float16}
    description = read_description(folder / "model.safetensors")
    assert description is not None
    assert (description.architecture, description.labels) == ("se_resnet", LABELS)
    assert description.normalisation == config.normalisation_spec
    assert description.temperature != 1.0
    assert (folder / "curves.png").is_file()
    assert (folder / "environment.json").is_file()
    network = create_model("se_resnet", len(LABELS))
    load_checkpoint(network, folder / "model.safetensors")
    with torch.no_grad():
        assert network.eval()(torch.zeros(1, 3, 48, 48)).isfinite().all()


def test_a_finished_run_is_not_trained_again(config: TrainingConfig, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    first = Trainer(config, folder, CPU, NOWHERE).run()
    before = (folder / "checkpoint.pt").stat().st_mtime_ns

    again = Trainer(config, folder, CPU, NOWHERE).run()

    assert (folder / "checkpoint.pt").stat().st_mtime_ns == before
    assert len((folder / "metrics.jsonl").read_text().splitlines()) == 2
    assert again.confusion.tolist() == first.confusion.tolist()


def test_another_seed_gives_other_weights(config: TrainingConfig, tmp_path: Path) -> None:
    """Without which the first test of this file could not fail."""
    one = config.model_copy(update={"epochs": 1})
    Trainer(one, tmp_path / "one", CPU, NOWHERE).run()
    Trainer(one.model_copy(update={"seed": 4}), tmp_path / "other", CPU, NOWHERE).run()

    first, second = weights(tmp_path / "one"), weights(tmp_path / "other")
    assert not torch.equal(first["head.weight"], second["head.weight"])


@pytest.mark.parametrize(("images", "batch", "steps"), [(8, 8, 1), (21, 8, 2), (64, 8, 8), (127, 15, 8)])
def test_few_images_go_in_small_batches(
    config: TrainingConfig, tmp_path: Path, images: int, batch: int, steps: int
) -> None:
    """Of the recipe's 64 an epoch would be one step, or none."""
    data = write_faces(tmp_path / "few", train=images, valid=7)

    trainer = Trainer(
        config.model_copy(update={"batch_size": 64, "train": (data,), "validation": data}),
        tmp_path / "run",
        CPU,
        NOWHERE,
    )

    assert (trainer.batch_size, trainer.steps_per_epoch) == (batch, steps)


@pytest.mark.parametrize("epochs", [1, 2, 5])
def test_a_run_of_a_few_steps_ends(config: TrainingConfig, tmp_path: Path, epochs: int) -> None:
    """Five steps used to end in a division by zero, for a warm-up of one."""
    data = write_faces(tmp_path / "few", train=8, valid=7)
    few = config.model_copy(update={"epochs": epochs, "train": (data,), "validation": data})

    assert Trainer(few, tmp_path / "run", CPU, NOWHERE).run().confusion.sum() == 7


def test_fewer_images_than_make_sense_are_counted(config: TrainingConfig, tmp_path: Path) -> None:
    data = write_faces(tmp_path / "few", train=7, valid=7)

    with pytest.raises(DatasetError, match="has 7 training images, but needs 8"):
        Trainer(config.model_copy(update={"train": (data,)}), tmp_path / "run", CPU, NOWHERE)


def test_the_average_of_a_short_run_leaves_its_start() -> None:
    """With a decay of 0.998 from the first step on, forty steps would move it by 8 % of the way."""
    network = torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.zeros_(network.weight)
    average = AveragedModel(network, multi_avg_fn=warmed_up_average(0.998))
    average.update_parameters(network)
    with torch.no_grad():
        network.weight.fill_(1.0)
        for _ in range(40):
            average.update_parameters(network)

    assert average.module.weight.item() > 0.95


OWN = ("bored", "focused")


@pytest.fixture
def own(config: TrainingConfig, tmp_path: Path) -> TrainingConfig:
    rows = np.eye(2)[np.arange(16) % 2]
    data = write_prepared(tmp_path / "own", labels=OWN, train=rows, valid=rows)
    return config.model_copy(update={"train": (data,), "validation": data, "epochs": 1})


def test_labels_of_ones_own_are_learned_from_the_features_of_a_model_of_the_catalogue(
    own: TrainingConfig, tmp_path: Path
) -> None:
    """By its name, from any folder; only the last layer starts anew."""
    started = own.model_copy(update={"start_from": Path("from-scratch-a"), "learning_rate": 1e-9})

    Trainer(started, tmp_path / "run", CPU, tmp_path).run()

    description = read_description(tmp_path / "run/model.safetensors")
    assert description is not None
    assert description.labels == OWN
    found = weights(tmp_path / "run")
    assert found["head.weight"].shape[0] == 2
    store = WeightsStore(tmp_path)
    shipped = store.require(store.catalogue().model("from-scratch-a"))
    with safe_open(shipped, "pt") as file:
        torch.testing.assert_close(found["stem.weight"], file.get_tensor("stem.weight"), atol=1e-3, rtol=0)


def test_a_last_layer_of_as_many_other_labels_starts_anew(own: TrainingConfig, tmp_path: Path) -> None:
    """Also where the architecture does not call it ``head``."""
    network = create_model("poster_v2_compact", 2)
    with torch.no_grad():
        network.VIT.head.linear.bias.fill_(7.0)
    state = network.state_dict()
    description = WeightDescription("poster_v2_compact", ("yes", "no"), NormalisationSpec())
    write_weights(tmp_path / "other.safetensors", state, description)
    update = {"architecture": "poster_v2_compact", "start_from": tmp_path / "other.safetensors"}

    trainer = Trainer(own.model_copy(update=update), tmp_path / "run", CPU, tmp_path)

    found = trainer.model.state_dict()
    assert found["VIT.head.linear.bias"].abs().max() < 1
    first = "face_landback.conv1.conv.weight"
    torch.testing.assert_close(found[first], state[first])


def test_splits_of_other_labels_are_refused(
    own: TrainingConfig, config: TrainingConfig, tmp_path: Path
) -> None:
    with pytest.raises(DatasetError, match=r"has the labels anger, .*; \S+ has bored, focused"):
        Trainer(own.model_copy(update={"validation": config.validation}), tmp_path / "run", CPU, NOWHERE)


def test_a_run_with_everything_on_is_continued_exactly_too(config: TrainingConfig, tmp_path: Path) -> None:
    """Sharpness-aware, taught, balanced, small at first and without mixup in the end."""
    full = config.model_copy(
        update={
            "sharpness_radius": 0.05,
            "teacher": "compact-mobilenet-a",
            "class_balance": 0.5,
            "small_side": 24,
            "small_until": 0.5,
            "mixup_until": 0.5,
            "augmentation": {"headset": 0.3, "mask": 0.3, "blur": 0.5, "jpeg": 0.5},
        }
    )
    Trainer(full, tmp_path / "straight", CPU, tmp_path).run()

    killed = Trainer(full, tmp_path / "killed", CPU, tmp_path)
    killed._train_epoch = kill_in_epoch(killed, 2)  # type: ignore[method-assign]
    with pytest.raises(KilledError):
        killed.run()
    Trainer(full, tmp_path / "killed", CPU, tmp_path).run()

    expected, found = weights(tmp_path / "straight"), weights(tmp_path / "killed")
    assert all(torch.equal(found[name], expected[name]) for name in expected)


def test_a_teacher_that_sees_images_once_has_its_share_in_their_targets(
    config: TrainingConfig, tmp_path: Path
) -> None:
    taught = config.model_copy(
        update={"teacher": "compact-mobilenet-a", "teacher_sees": "original", "teacher_share": 0.25}
    )
    trainer = Trainer(taught, tmp_path / "run", CPU, tmp_path)
    votes = trainer.train_set.targets

    trainer.run()

    with np.load(tmp_path / "run/taught.npz") as kept:
        said = kept["probabilities"]
    np.testing.assert_allclose(trainer.train_set.targets, 0.75 * votes + 0.25 * said, atol=1e-6)
    assert trainer.train_set.targets.sum(1) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(
    "change",
    [
        {"sharpness_radius": 0.5},
        {"teacher": "compact-mobilenet-a"},
        {"teacher": "compact-mobilenet-a", "teacher_sees": "original"},
        {"class_balance": 1.0},
        {"small_side": 24, "small_until": 1.0},
        {"mixup_probability": 1.0},
        {"augmentation": {"headset": 1.0}},
        {"augmentation": {"jpeg": 1.0}},
        {"augmentation": {"blur": 1.0}},
        {"grayscale": False, "per_image": False},
    ],
    ids=str,
)
def test_every_part_of_a_recipe_changes_the_result(
    config: TrainingConfig, tmp_path: Path, change: dict[str, object]
) -> None:
    base = config.model_copy(update={"epochs": 1, "mixup_probability": 0.0})
    Trainer(base, tmp_path / "base", CPU, tmp_path).run()

    Trainer(base.model_copy(update=change), tmp_path / "changed", CPU, tmp_path).run()

    plain, changed = weights(tmp_path / "base"), weights(tmp_path / "changed")
    assert not torch.equal(plain["head.weight"], changed["head.weight"])


def test_rare_classes_are_drawn_more_often_with_balance(config: TrainingConfig, tmp_path: Path) -> None:
    trainer = Trainer(config, tmp_path / "run", CPU, NOWHERE)
    targets = np.zeros((1000, len(LABELS)), np.float32)
    targets[:990, 0], targets[990:, 1] = 1, 1
    trainer.train_set = FaceDataset(np.zeros((1000, 48, 48), np.uint8), targets)

    def share(balance: float) -> float:
        trainer.config = config.model_copy(update={"class_balance": balance})
        drawn = trainer._order(np.random.default_rng(0))
        assert len(drawn) == 1000
        return float((drawn >= 990).mean())

    assert share(0.0) == 0.01
    assert 0.05 < share(0.5) < 0.15  # one part of 1 + sqrt(99)
    assert 0.45 < share(1.0) < 0.55


def test_colour_images_train_too(config: TrainingConfig, tmp_path: Path) -> None:
    trainer = Trainer(
        config.model_copy(update={"grayscale": False, "augmentation": {"jpeg": 1.0, "blur": 1.0}}),
        tmp_path / "run",
        CPU,
        NOWHERE,
    )
    for split in (trainer.train_set, trainer.validation_set):
        object.__setattr__(split, "images", np.repeat(split.images[..., None], 3, axis=3))

    scores = trainer.run()

    assert scores.confusion.sum() == 14


def test_full_poster_v2_starts_from_its_authors_parts(config: TrainingConfig, tmp_path: Path) -> None:
    """Its landmark stream stays as it came: frozen, statistics and all."""
    parts = {}
    network = create_model("poster_v2_compact", len(LABELS))
    for part in ("ir_back", "face_landback"):
        state = {f"module.{key}": value for key, value in network.get_submodule(part).state_dict().items()}
        torch.save({"state_dict": state | {"module.head": torch.zeros(1)}}, tmp_path / f"{part}.pth")
        parts[part] = tmp_path / f"{part}.pth"

    trainer = Trainer(
        config.model_copy(update={"architecture": "poster_v2_compact", "pretrained": parts, "epochs": 1}),
        tmp_path / "run",
        CPU,
        NOWHERE,
    )

    for part in parts:
        given, loaded = network.get_submodule(part), trainer.model.get_submodule(part)
        assert all(torch.equal(a, b) for a, b in zip(given.parameters(), loaded.parameters(), strict=True))


def test_a_finished_run_that_is_called_again_keeps_the_temperature_that_its_weights_got_since(
    config: TrainingConfig, tmp_path: Path
) -> None:
    one = config.model_copy(update={"epochs": 1})
    Trainer(one, tmp_path / "run", CPU, NOWHERE).run()
    set_temperature(tmp_path / "run/model.safetensors", 3.25)

    Trainer(one, tmp_path / "run", CPU, NOWHERE).run()

    description = read_description(tmp_path / "run/model.safetensors")
    assert description is not None
    assert description.temperature == 3.25


def test_a_finished_run_whose_weights_are_gone_writes_them_again(
    config: TrainingConfig, tmp_path: Path
) -> None:
    one = config.model_copy(update={"epochs": 1})
    Trainer(one, tmp_path / "run", CPU, NOWHERE).run()
    before = weights(tmp_path / "run")
    (tmp_path / "run/model.safetensors").unlink()

    Trainer(one, tmp_path / "run", CPU, NOWHERE).run()

    assert torch.equal(weights(tmp_path / "run")["head.weight"], before["head.weight"])


@pytest.mark.filterwarnings("ignore:CUDA is not available:UserWarning")  # for autocast it is not
@pytest.mark.slow
def test_on_a_gpu_everything_is_there(
    config: TrainingConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tensor left in ordinary memory is an error."""
    everything = {"mixup_probability": 1.0, "sharpness_radius": 0.05, "teacher": "from-scratch-a"}
    config = config.model_copy(update={**everything, "epochs": 1})
    with FakeCuda(monkeypatch):
        scores = Trainer(config, tmp_path, torch.device("cuda"), NOWHERE).run()

    assert json.loads((tmp_path / "environment.json").read_text())["device"] == "Fake GPU"
    assert 0 <= scores.accuracy <= 1
    assert all(value.isfinite().all() for value in weights(tmp_path).values())

"""The files of a training run, and the state to resume from."""

import json
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from torch.utils.tensorboard import SummaryWriter

from ..files import replacing
from ..models.weight_file import WEIGHTS_FILE
from ..plotting import BLUE, INK, QUIET, finish, new_figure, save
from .config import FinetuneConfig, TrainingConfig

#: Packages whose versions affect a run's figures.
_PACKAGES = ("emostream", "torch", "numpy", "opencv-python-headless", "pillow")


class RunFolder:
    """The folder of a run: ``config.json``, ``environment.json``, ``metrics.jsonl``, ``curves.png``,
    ``tensorboard/``, ``checkpoint.pt``, ``taught.npz`` (with a teacher that sees the original images) and, at
    the end, ``model.safetensors``."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.weights = path / WEIGHTS_FILE
        #: A teacher's predictions for the training images.
        self.taught = path / "taught.npz"
        self._metrics = path / "metrics.jsonl"
        self._checkpoint = path / "checkpoint.pt"

    def open(self, config: TrainingConfig | FinetuneConfig, device: torch.device) -> None:
        """Creates the folder and records the configuration."""
        self.path.mkdir(parents=True, exist_ok=True)
        (self.path / "config.json").write_text(config.model_dump_json(indent=2) + "\n")
        environment = json.dumps(describe_environment(device), indent=2)
        (self.path / "environment.json").write_text(environment + "\n")

    def save(self, state: dict[str, Any]) -> None:
        """Writes the checkpoint atomically: a kill leaves the old one or the new one."""
        with replacing(self._checkpoint) as temporary:
            torch.save(state, temporary)

    def load(self, device: torch.device) -> dict[str, Any] | None:
        """The checkpoint's state, if there is one."""
        if not self._checkpoint.exists():
            return None
        state: dict[str, Any] = torch.load(self._checkpoint, map_location=device, weights_only=True)
        return state

    def log(self, line: dict[str, float]) -> None:
        """Adds one epoch's figures to ``metrics.jsonl`` and TensorBoard's events, and redraws the curves.

        An epoch that is trained again after a kill replaces its earlier line.
        """
        lines = [earlier for earlier in self.metrics() if earlier["epoch"] < line["epoch"]] + [line]
        with replacing(self._metrics) as temporary:
            temporary.write_text("".join(json.dumps(entry) + "\n" for entry in lines))
        with SummaryWriter(str(self.path / "tensorboard"), purge_step=int(line["epoch"])) as events:
            for name, value in line.items():
                if name != "epoch":
                    events.add_scalar(name, value, int(line["epoch"]))
        draw_curves(lines, self.path / "curves.png")

    def metrics(self) -> list[dict[str, float]]:
        """One entry per epoch so far."""
        if not self._metrics.exists():
            return []
        return [json.loads(line) for line in self._metrics.read_text().splitlines()]


def describe_environment(device: torch.device) -> dict[str, object]:
    """The environment of a run: versions, processor and commit."""
    accelerator = torch.cuda.get_device_name(device) if device.type == "cuda" else None
    return {
        "python": platform.python_version(),
        "system": platform.platform(),
        "processor": torch.backends.cpu.get_cpu_capability(),
        "threads": torch.get_num_threads(),
        "device": accelerator or str(device),
        "packages": {name: version(name) for name in _PACKAGES},
        "commit": _commit(),
    }


def _commit() -> str | None:
    """The commit of the code, if it is in a repository."""
    command = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def draw_curves(lines: list[dict[str, float]], path: Path) -> None:
    """Loss, and the validation split's accuracy and macro F1, over the epochs."""
    epochs = [line["epoch"] for line in lines]
    figure = new_figure(8, 3.2)
    left, right = figure.subplots(1, 2)
    left.plot(epochs, [line["loss"] for line in lines], color=QUIET, marker=".")
    for name, label, colour in (("accuracy", "accuracy", BLUE), ("macro_f1", "macro F1", INK)):
        values = [line[name] for line in lines]
        right.plot(epochs, values, color=colour, marker=".", label=f"{label} {values[-1]:.3f}")
    right.legend(frameon=False, labelcolor=INK)
    for axes, shown in ((left, "training loss"), (right, "validation")):
        finish(axes, "epoch", shown)
        axes.xaxis.get_major_locator().set_params(integer=True)
    save(figure, path)

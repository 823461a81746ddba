"""From a data set to a live answer, by the real commands, on made-up faces: what a person does who brings
faces of their own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from emostream.models.weight_file import read_description
from emostream.training.datasets import LABELS
from PIL import Image
from websockets.sync.client import connect

from tests.servers import ServerProcess
from tests.support import PATIENCE_S, encoded

RECIPE = """
architecture: se_resnet
train: prepared
validation: prepared
epochs: 1
batch_size: 16
mixup_probability: 0
learning_rate: 0.01
ema_decay: 0.5
augmentation: { headset: 0.2, mask: 0.2 }
"""


def stripe(label: str, seed: int) -> Image.Image:
    """A grey picture whose bright stripe says which label it has."""
    pixels = np.random.default_rng(seed).integers(0, 60, (48, 48)).astype(np.uint8)
    top = 6 * LABELS.index(label)
    pixels[top : top + 8] += 180
    return Image.fromarray(pixels)


def emostream(folder: Path, cache_dir: Path, *arguments: str) -> str:
    """What the command wrote to standard output."""
    done = subprocess.run(
        [sys.executable, "-m", "emostream", *arguments],
        cwd=folder,
        env=os.environ | {"EMOSTREAM_CACHE_DIR": str(cache_dir), "EMOSTREAM_MAX_BATCH": "8"},
        capture_output=True,
        text=True,
        timeout=4 * PATIENCE_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_faces_of_ones_own_become_a_model_that_answers_a_stream(tmp_path: Path, cache_dir: Path) -> None:
    for label in LABELS:
        folder = tmp_path / "mine" / label
        folder.mkdir(parents=True)
        for number in range(12):
            stripe(label, number).save(folder / f"{number}.png")
    (tmp_path / "recipe.yaml").write_text(RECIPE)

    def run(*arguments: str) -> str:
        return emostream(tmp_path, cache_dir, *arguments)

    prepared = json.loads(
        run("data", "prepare", "mine", "--out", "prepared", "--split", "0.7,0.3,0", "--json")
    )
    run("train", "recipe.yaml", "--out", "run")
    evaluation = json.loads(run("evaluate", "run", "prepared", "--quick", "--json", "--device", "cpu"))

    counted = {name: split["images"] for name, split in prepared["splits"].items()}
    assert sum(counted.values()) == 12 * len(LABELS)
    assert evaluation["images"] == counted["valid"]
    weights = tmp_path / "run" / "model.safetensors"
    description = read_description(weights)
    assert description is not None
    assert description.labels == LABELS

    server = ServerProcess(tmp_path, cache_dir, model_file=weights)
    try:
        with connect(f"{server.ws}/ws", proxy=None) as client:
            created = json.loads(client.recv(timeout=PATIENCE_S))
            client.send(encoded(stripe("fear", 99), "PNG"))
            answer = json.loads(client.recv(timeout=PATIENCE_S))
    finally:
        server.end()

    assert created["model"] == {"name": "run", "labels": list(LABELS)}
    assert answer["type"] == "result"
    assert set(answer["predictions"]) == set(LABELS)
    assert abs(sum(answer["predictions"].values()) - 1) < 1e-3
    assert answer["emotion"] == max(answer["predictions"], key=answer["predictions"].get)

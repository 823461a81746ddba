"""The walk-through of docs/own-faces.md, run on made pictures as it stands there."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from emostream.models.weights import WeightsStore

from tests.support import PATIENCE_S, ROOT
from tests.training.own_faces import write_own_faces

COMMANDS = re.findall(r"```sh\n(.*?)```", (ROOT / "docs/own-faces.md").read_text(), re.DOTALL)


@pytest.mark.slow
def test_the_walk_through_runs_from_a_folder_to_a_model_in_use_and_back(
    tmp_path: Path, cache_dir: Path
) -> None:
    write_own_faces(tmp_path / "faces", 20)
    store = WeightsStore(tmp_path / "weights")
    said: dict[str, str] = {}
    used: list[str] = []

    for command in (line for block in COMMANDS for line in block.splitlines()):
        program, *arguments = command.split()
        assert program == "emostream"
        done = subprocess.run(
            [sys.executable, "-m", "emostream", *arguments],
            cwd=tmp_path,
            env={
                **os.environ,
                "COLUMNS": "120",
                "EMOSTREAM_CACHE_DIR": str(cache_dir),
                "EMOSTREAM_WEIGHTS_DIR": str(store.folder),
                "EMOSTREAM_MAX_BATCH": "1",
                "OMP_NUM_THREADS": "1",
            },
            capture_output=True,
            text=True,
            timeout=8 * PATIENCE_S,
            check=False,
        )
        assert done.returncode == 0, f"{command}: {done.stderr}"
        said[" ".join(arguments[:2])] = done.stdout
        used.append(store.in_use())

    assert ["bored", "14", "6"] in [line.split() for line in said["data prepare"].splitlines()]
    assert "Labels: bored, focused." in said["train finetune"]
    assert "helped" in said["train finetune"]
    assert "default knows other labels" in said["compare default"]
    assert used == ["default"] * 3 + ["candidate", "default"]

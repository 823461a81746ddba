"""A network with two labels of somebody's own, through everything that people use."""

import asyncio
import csv
import io
import os
import subprocess
import sys
from pathlib import Path

import httpx
import torch
from emostream.models.factory import create_model
from emostream.models.normalisation import NormalisationSpec
from emostream.models.weight_file import WeightDescription, write_weights
from emostream.models.weights import Import, WeightsStore

from tests.portraits import portrait, portrait_file
from tests.servers import ServerProcess, receive, session
from tests.support import PATIENCE_S, encoded

LABELS = ("bored", "half/half")


def test_own_labels_are_served_streamed_and_written(tmp_path: Path, cache_dir: Path) -> None:
    torch.manual_seed(0)
    file = tmp_path / "model.safetensors"
    normalisation = NormalisationSpec(grayscale=True, per_image=True)
    description = WeightDescription("se_resnet", LABELS, normalisation, temperature=2.0, mirrored=True)
    write_weights(file, create_model("se_resnet", 2).state_dict(), description)
    store = WeightsStore(tmp_path / "weights")
    store.add(Import("mine", file))
    store.use("mine")

    with ServerProcess(tmp_path, cache_dir, weights_dir=store.folder) as server:
        facts = httpx.get(f"{server.http}/v1/model", trust_env=False).json()
        found = httpx.post(
            f"{server.http}/v1/faces",
            content=portrait_file(),
            headers={"Content-Type": "image/jpeg"},
            trust_env=False,
            timeout=PATIENCE_S,
        ).json()

        async def streamed() -> dict[str, object]:
            async with session(server) as client:
                await client.send(encoded(portrait().crop((160, 50, 300, 190)), "JPEG"))
                return await receive(client)

        answer = asyncio.run(streamed())

    assert (facts["name"], tuple(facts["labels"])) == ("mine", LABELS)
    [face] = found["faces"]
    assert tuple(face["predictions"]) == tuple(answer["predictions"]) == LABELS
    assert face["emotion"] in LABELS
    assert abs(sum(face["predictions"].values()) - 1) < 1e-3

    (tmp_path / "face.jpg").write_bytes(portrait_file())
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "emostream",
            "predict",
            "face.jpg",
            "--out",
            "faces.csv",
            "--annotate",
            "a.jpg",
        ],
        cwd=tmp_path,
        env={
            **os.environ,
            "EMOSTREAM_WEIGHTS_DIR": str(store.folder),
            "EMOSTREAM_CACHE_DIR": str(cache_dir),
            "EMOSTREAM_MAX_BATCH": "1",
        },
        capture_output=True,
        text=True,
        timeout=4 * PATIENCE_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    [row] = csv.DictReader(io.StringIO((tmp_path / "faces.csv").read_text()))
    assert [name for name in row if name.startswith("p_")] == ["p_bored", "p_half/half"]
    assert row["emotion"] in LABELS

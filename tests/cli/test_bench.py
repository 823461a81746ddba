"""``emostream bench`` by its real executable."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers import QUICK_MODEL
from tests.support import PATIENCE_S, ROOT


def bench(
    cache_dir: Path, *arguments: str, command: str = "engine", seconds: str = "0.1", **variables: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "emostream", "bench", command, "--seconds", seconds, *arguments],
        cwd=ROOT,
        env={**os.environ, "EMOSTREAM_CACHE_DIR": str(cache_dir), "EMOSTREAM_DEVICE": "cpu", **variables},
        capture_output=True,
        text=True,
        timeout=4 * PATIENCE_S,
        check=False,
    )


@pytest.mark.slow
def test_json_table_and_plot_come_from_one_run(cache_dir: Path, tmp_path: Path) -> None:
    done = bench(cache_dir, "--model", "compact-mobilenet-a", "--batch", "2,1", "--out", str(tmp_path))

    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / "engine.json").read_text())
    assert [row["batch"] for row in report["rows"]] == [1, 2]
    assert report["weights"] == "trained"
    assert "compact-mobilenet-a on cpu" in done.stdout
    assert f"{report['gflop_per_face']:.2f} GFLOP per face" in done.stdout
    assert (tmp_path / "engine.png").read_bytes().startswith(b"\x89PNG")


def test_an_architecture_is_measured_with_random_weights(cache_dir: Path) -> None:
    done = bench(cache_dir, "--model", "se_resnet", "--batch", "1", "--no-reference", "--json")

    report = json.loads(done.stdout)
    assert report["weights"] == "random"
    assert report["eager_ms"] is None


def test_batch_sizes_that_are_none_are_one_line_of_error(cache_dir: Path) -> None:
    for sizes in ("many", "0,1"):
        done = bench(cache_dir, "--batch", sizes)
        assert done.returncode == 1
        assert len(done.stderr.splitlines()) == 1
        assert f"--batch {sizes}" in done.stderr


@pytest.mark.slow
def test_streams_are_measured_against_a_server_of_its_own(cache_dir: Path, tmp_path: Path) -> None:
    variables = {"EMOSTREAM_MODEL": QUICK_MODEL, "EMOSTREAM_PRECISION": "f32", "no_proxy": "127.0.0.1"}
    arguments = ("--cameras", "2", "--frame-rate", "4", "--out", str(tmp_path))

    done = bench(cache_dir, *arguments, command="stream", seconds="1", **variables)

    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / "stream.json").read_text())
    assert (report["model"], report["cameras"]) == (QUICK_MODEL, 2)
    assert report["answered"] > 0
    assert f"2 cameras, 4 frames/s each, 1 faces a frame: {QUICK_MODEL}" in done.stdout
    assert "fairness (Jain)" in done.stdout
    assert (tmp_path / "stream.png").read_bytes().startswith(b"\x89PNG")

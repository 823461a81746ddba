"""The same cameras at one process and at a gateway with Ray Serve replicas on the same cores, in turns.

Prints of each round the frames a second, and the frames for each second of a core that the server took, with
the cluster where there is one. Beside other programs the latter count: a cluster has more processes, and so
more of the machine. One process has an engine of as many threads as there are cores; in the cluster as many
replicas of one thread each take its place. POSTER V2 has random weights, which take as long as any.

    pip install 'emostream[bench,ray]'
    python -m bench.cluster
    python -m bench.cluster --models compact-mobilenet-a --rounds 4
"""

import argparse
import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import numpy as np
import psutil
import torch
from emostream.benchmark.random_weights import enliven_norms
from emostream.benchmark.stream import StreamReport, face_crops, measure_stream, server_process
from emostream.emotions import EMOTIONS
from emostream.models.factory import create_model
from rich.console import Console
from rich.table import Table
from safetensors.torch import save_file

_REPLICA_PROGRAM = """
import sys, ray
from ray import serve
from emostream.cluster.ray_serve import APPLICATION, ServedReplica, application
replicas = int(sys.argv[1])
options = {"include_dashboard": False, "object_store_memory": 200 * 2**20, "log_to_driver": False}
ray.init("local", num_cpus=replicas, _node_ip_address="127.0.0.2", **options)
serve.start(proxy_location="Disabled")
options = {"num_replicas": replicas, "ray_actor_options": {"num_cpus": 1}}
serve.run(application(ServedReplica, {"threads": 1}, **options), name=APPLICATION, route_prefix=None)
print("address", ray.get_runtime_context().gcs_address, flush=True)
sys.stdin.read()
"""


def model_settings(model: str, folder: Path) -> dict[str, str]:
    """The environment for a model of the catalogue, or for an architecture with random weights."""
    if model != "poster_v2":
        return {"EMOSTREAM_MODEL": model}
    file = folder / "poster_v2.safetensors"
    if not file.exists():
        torch.manual_seed(0)
        labels = 7
        network = create_model(model, labels)
        enliven_norms(network)
        save_file({name: tensor.contiguous() for name, tensor in network.state_dict().items()}, file)
    return {
        "EMOSTREAM_MODEL_FILE": str(file),
        "EMOSTREAM_ARCH": model,
        "EMOSTREAM_LABELS": ",".join(EMOTIONS[:7]),
    }


@contextmanager
def cluster(replicas: int) -> Iterator[dict[str, str]]:
    """A local cluster with the environment's model; what its gateway's environment needs besides."""
    command = [sys.executable, "-c", _REPLICA_PROGRAM, str(replicas)]
    secret = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=os.environ | secret, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            found = (line.split()[1] for line in process.stdout if line.startswith("address "))
            address = next(found, "")  # and not every line: the cluster goes on
            assert address, "the cluster did not start"
            gateway = {"EMOSTREAM_ENGINE": "ray://local", "EMOSTREAM_REPLICA_TIMEOUT_S": "60"}
            yield {"RAY_ADDRESS": address} | gateway | secret
        finally:
            process.stdin.close()


@dataclass(frozen=True)
class Run:
    """One run: what the cameras saw, and frames for each second of a core."""

    report: StreamReport
    frames_per_core_s: float


def measure(given: argparse.Namespace, idle: psutil.Process | None = None) -> Run:
    """One run against a server with the environment's settings. ``idle`` has no part in it."""
    with server_process() as address:
        busy = [child for child in psutil.Process().children() if child != idle]
        before = core_s(busy)
        crops = face_crops(None, 1)
        report = measure_stream(address, None, given.cameras, given.frame_rate, crops, given.seconds)
        return Run(report, report.answered / (core_s(busy) - before))


def core_s(processes: list[psutil.Process]) -> float:
    """Seconds of cores that these and those below them have taken."""
    total = 0.0
    for process in processes:
        for each in (process, *process.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                total += sum(each.cpu_times()[:2])
    return total


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--models", nargs="+", default=["compact-mobilenet-a", "poster_v2"])
    parser.add_argument("--cameras", type=int, default=16)
    parser.add_argument("--frame-rate", type=float, default=30.0)
    parser.add_argument("--seconds", type=float, default=40.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--replicas", type=int, default=os.cpu_count() or 1)
    given = parser.parse_args()
    console = Console(width=110, soft_wrap=True)
    with tempfile.TemporaryDirectory() as folder:
        for model in given.models:
            settings = model_settings(model, Path(folder))
            with mock.patch.dict(os.environ, settings):
                _compare(console, model, given)


def _compare(console: Console, model: str, given: argparse.Namespace) -> None:
    headings = (
        "",
        "in process",
        "p50 ms",
        "a core-s",
        "Ray",
        "p50 ms",
        "a core-s",
        "ratio",
        "of core-s",
        "failed",
    )
    table = Table(*headings, title=model)
    ratios = []
    # One cluster for all rounds: it idles while the other is measured, as a cluster does.
    with cluster(given.replicas) as environment:
        [idle] = psutil.Process().children()
        for number in range(1, given.rounds + 1):
            local = measure(given, idle)
            with mock.patch.dict(os.environ, environment):
                remote = measure(given)
            rates = [run.report.frames_per_second for run in (local, remote)]
            ratios.append((rates[1] / rates[0], remote.frames_per_core_s / local.frames_per_core_s))
            cells = [str(number)]
            for run in (local, remote):
                cells += [
                    f"{run.report.frames_per_second:.1f}/s",
                    f"{run.report.latency_ms_p50:.0f}",
                    f"{run.frames_per_core_s:.1f}",
                ]
            failed = local.report.failed + remote.report.failed
            table.add_row(*cells, *(f"{ratio:.2f}" for ratio in ratios[-1]), str(failed))
            console.print(f"{model}, round {number}", style="dim")
    console.print(table)
    rate, of_core_s = np.median(ratios, axis=0)
    console.print(
        f"median ratios of {len(ratios)} rounds: {rate:.2f} of the rate, {of_core_s:.2f} a core-second"
    )


if __name__ == "__main__":
    main()

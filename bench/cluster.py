"""The same cameras at one process and at a gateway with Ray Serve replicas on the same cores, in turns.

Prints frames a second of each round and their ratio. One process has an engine of as many threads as there
are cores; in the cluster as many replicas of one thread each take its place, and gateway, cluster and cameras
run beside them. POSTER V2 has random weights, which take as long as any.

    pip install 'emostream[ray]'
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
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import numpy as np
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
            yield {"RAY_ADDRESS": address, "EMOSTREAM_ENGINE": "ray://local"} | secret
        finally:
            process.stdin.close()


def measure(cameras: int, frame_rate: float, seconds: float) -> StreamReport:
    """One run against a server with the environment's settings."""
    with server_process() as address:
        return measure_stream(address, None, cameras, frame_rate, face_crops(None, 1), seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--models", nargs="+", default=["compact-mobilenet-a", "poster_v2"])
    parser.add_argument("--cameras", type=int, default=16)
    parser.add_argument("--frame-rate", type=float, default=30.0)
    parser.add_argument("--seconds", type=float, default=10.0)
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
    table = Table("round", "in process", "p50 ms", "through Ray", "p50 ms", "ratio", "failed", title=model)
    ratios = []
    # One cluster for all rounds: it idles while the other is measured, as a cluster does.
    with cluster(given.replicas) as environment:
        for number in range(1, given.rounds + 1):
            local = measure(given.cameras, given.frame_rate, given.seconds)
            with mock.patch.dict(os.environ, environment):
                remote = measure(given.cameras, given.frame_rate, given.seconds)
            ratios.append(remote.frames_per_second / local.frames_per_second)
            table.add_row(
                str(number),
                f"{local.frames_per_second:.1f}/s",
                f"{local.latency_ms_p50:.0f}",
                f"{remote.frames_per_second:.1f}/s",
                f"{remote.latency_ms_p50:.0f}",
                f"{ratios[-1]:.2f}",
                str(local.failed + remote.failed),
            )
            console.print(f"{model}, round {number}: {ratios[-1]:.2f}", style="dim")
    console.print(table)
    console.print(f"median ratio: {np.median(ratios):.2f}, of {len(ratios)} rounds")


if __name__ == "__main__":
    main()

"""A program: a local Ray cluster with two replicas, on a loopback address and without a dashboard.

    python -m tests.cluster.ray_cluster FOLDER

Prints the cluster's address once the replicas run. Each replica leaves a file in the folder whose name is
its process id. A line on standard input is the name of a model that takes the place of the one before.
"""

import os
import sys
import time
from pathlib import Path

import ray
from emostream.cluster.messages import Call, Reply
from emostream.cluster.ray_serve import APPLICATION, application
from ray import serve

from tests.cluster.gateways import replica
from tests.support import FakeRecognizer

#: Any other than 127.0.0.1, for which Ray puts the address of this machine.
LOOPBACK = "127.0.0.2"

_PASS_S = 0.02


class SlowRecognizer(FakeRecognizer):
    """As slow as a network, so that a replica that dies has frames."""

    def infer(self, faces):  # type: ignore[no-untyped-def]
        time.sleep(_PASS_S)
        return super().infer(faces)


class FakeReplica:
    def __init__(self, folder: str, model: str) -> None:
        recognizer = SlowRecognizer(is_open=True)
        recognizer.name = model
        self._replica = replica(recognizer)
        Path(folder, str(os.getpid())).touch()

    async def compute(self, call: Call) -> Reply:
        return await self._replica.compute(call)

    async def check_health(self) -> None:
        await self._replica.check_health()


def run(folder: str, model: str) -> None:
    options = {"num_replicas": 2, "ray_actor_options": {"num_cpus": 0.1}}
    serve.run(application(FakeReplica, folder, model, **options), name=APPLICATION, route_prefix=None)


def main() -> None:
    folder = sys.argv[1]
    ray.init(
        "local",  # whatever other cluster there is
        num_cpus=2,
        include_dashboard=False,
        object_store_memory=80 * 1024 * 1024,
        log_to_driver=False,
        _node_ip_address=LOOPBACK,
    )
    serve.start(proxy_location="Disabled")
    run(folder, "first")
    print(ray.get_runtime_context().gcs_address, flush=True)
    for line in sys.stdin:
        run(folder, line.strip())
        print(line.strip(), flush=True)
    ray.shutdown()


if __name__ == "__main__":
    main()

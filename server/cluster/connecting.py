"""From the setting ``engine`` to the replicas that it names. Nothing of Ray is loaded before that."""

from ..exceptions import SettingsError
from ..extras import needed_for
from ..settings import LOCAL_ENGINE, Settings
from .messages import Replicas
from .remote_batcher import Deadlines, RemoteBatcher

#: As long as a server in one process may take to load its model.
_START_TIMEOUT_S = 300.0


def open_replicas(engine: str) -> Replicas:
    """The way to ``ray://HOST:PORT``, Ray's client server of a cluster; or to ``ray://local``, the cluster
    of which this machine is a node.

    Raises MissingExtraError without Ray, NoReplicaError where the cluster cannot be reached.
    """
    if engine == LOCAL_ENGINE:
        raise SettingsError("the engine is in this process, and not in a cluster")
    with needed_for(f"--engine {engine}"):
        from .ray_serve import RayReplicas

        return RayReplicas.connect(engine)


async def connect(settings: Settings, replicas: Replicas) -> RemoteBatcher:
    """A gateway's batcher, once a replica has answered. Raises NoReplicaError where none does for long."""
    timeout_s = settings.replica_timeout_s
    deadlines = Deadlines(
        crops_s=timeout_s,
        search_s=settings.decode_timeout_s + timeout_s,
        background_s=settings.image_timeout_s + timeout_s,
    )
    return await RemoteBatcher.connect(replicas, deadlines, _START_TIMEOUT_S)

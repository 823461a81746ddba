"""Ray Serve: replicas as a deployment, and a gateway's way to them. The one module that imports Ray."""

import logging
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import ray
from ray import serve
from ray.exceptions import RayActorError, RayError, RayTaskError
from ray.serve.exceptions import RayServeException
from ray.serve.handle import DeploymentHandle

from ..exceptions import NoReplicaError, ReplicaDiedError, ReplicaError
from ..inference.worker_threads import WorkerThreads
from ..settings import read_settings
from .messages import Call, Reply
from .replica import Replica

logger = logging.getLogger(__name__)

#: Names within the cluster; deploy/ray has them, too.
APPLICATION = "emostream"
DEPLOYMENT = "engine"

#: Ray's word for the cluster of which this machine is a node.
_OF_THIS_MACHINE = "auto"

#: Calls that one replica holds; Ray's own bound is 5. Credits bound them already, for each gateway.
_MAX_ONGOING = 64

_STATUS_TIMEOUT_S = 4.0


class ServedReplica:
    """A replica as Ray Serve makes it."""

    def __init__(self, given: dict[str, Any]) -> None:
        """``given`` are settings that count more than EMOSTREAM_* on the replica's machine."""
        settings = read_settings(**given)
        if not settings.threads:
            # By itself the engine would take every core, and replicas would stand in each other's way.
            cores = ray.get_runtime_context().get_assigned_resources().get("CPU", 0)
            settings = settings.model_copy(update={"threads": max(1, int(cores))})
        self._replica = Replica.load(settings)

    async def compute(self, call: Call) -> Reply:
        """See ``Replica.compute``."""
        return await self._replica.compute(call)

    async def check_health(self) -> None:
        """Ray asks; an error has it make another replica."""
        await self._replica.check_health()


def build(given: dict[str, Any]) -> serve.Application:
    """The application, for ``import_path`` in Ray Serve's configuration, whose ``args`` are settings such as
    ``model``."""
    return application(ServedReplica, given)


def application(replica: type, *arguments: object, **options: Any) -> serve.Application:
    """A deployment of a class that answers calls as ``ServedReplica`` does."""
    deployment: Any = serve.deployment(
        replica,
        name=DEPLOYMENT,
        max_ongoing_requests=_MAX_ONGOING,
        health_check_period_s=5.0,
        health_check_timeout_s=15.0,
        **options,
    )
    bound: serve.Application = deployment.bind(*arguments)
    return bound


class RayReplicas:
    """``Replicas`` of a Ray cluster; see there."""

    def __init__(self) -> None:
        self._method: Any = None
        self._status = WorkerThreads(
            1, "cluster", _STATUS_TIMEOUT_S, overrun=lambda s: NoReplicaError("the cluster does not answer")
        )

    @classmethod
    def connect(cls, address: str) -> "RayReplicas":
        """Connects this process to a cluster: ``ray://HOST:PORT``, or ``ray://local``.

        Raises NoReplicaError where it cannot be reached.
        """
        with _own_sigterm():
            try:
                ray.init(
                    _OF_THIS_MACHINE if address == "ray://local" else address,
                    log_to_driver=False,
                    logging_level=logging.WARNING,
                )
            except (OSError, RuntimeError, ValueError, RayError) as error:
                reason = str(error).strip().partition("\n")[0]
                raise NoReplicaError(f"{address} cannot be reached: {reason}") from error
        _log_as_everybody_does()
        return cls()

    async def compute(self, call: Call) -> Reply:
        """One of the least loaded of two replicas, or of all if there are no more, answers."""
        try:
            if self._method is None:
                self._method = await self._status.submit(_find_method)
            reply: Reply = await self._method.remote(call)
        except RayActorError as error:
            raise ReplicaDiedError("a replica has died") from error
        except RayTaskError as error:
            logger.error("a replica failed", exc_info=error)
            raise ReplicaError("a replica failed") from error
        except (RayError, RayServeException, ConnectionError) as error:
            raise NoReplicaError(f"the cluster does not answer: {_first_line(error)}") from error
        return reply

    async def running(self) -> int:
        """How many replicas run, as Ray Serve's controller has it."""
        try:
            return await self._status.submit(_count)
        except (RayError, RayServeException, ConnectionError, RuntimeError) as error:
            raise NoReplicaError(f"the cluster does not answer: {_first_line(error)}") from error

    async def aclose(self) -> None:
        """Ends this process's connection."""
        self._status.stop()
        threads = WorkerThreads(1, "disconnect")
        try:
            await threads.submit(ray.shutdown)
        finally:
            threads.stop()


def _find_method() -> Any:
    handle: DeploymentHandle[Any] = serve.get_app_handle(APPLICATION)
    # Kept, since each look at an attribute of the handle makes another one.
    return handle.compute


def _count() -> int:
    application = serve.status().applications.get(APPLICATION)
    deployment = None if application is None else application.deployments.get(DEPLOYMENT)
    states = {} if deployment is None else deployment.replica_states
    return sum(count for state, count in states.items() if state == "RUNNING")


def _log_as_everybody_does() -> None:
    """Ray has handlers of its own, whose lines would be no JSON where the server's are."""
    for name in ("ray", "ray.serve"):
        its = logging.getLogger(name)
        its.handlers.clear()
        its.propagate = True
        its.setLevel(logging.WARNING)


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]


@contextmanager
def _own_sigterm() -> Iterator[None]:
    """Ray replaces the handler of SIGTERM by one that ends the process at once, amid its sessions."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)

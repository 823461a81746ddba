"""What gateways and replicas say to each other. Both are of one version, so these may change with each."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from importlib.metadata import version
from typing import Protocol

from ..analysis.finder import EncodedSearch
from ..inference.fair_queue import Priority
from ..inference.frame_batcher import Predictions, Prepared
from ..inference.served_model import ServedModel


@dataclass(frozen=True)
class FrameWork:
    """One frame: ``images``, encoded crops; or ``search``, an encoded image whose faces are to be found, or
    another piece of work for a decoder's thread, which must survive pickling."""

    images: tuple[bytes, ...] = ()
    search: EncodedSearch | Callable[[], Prepared] | None = None
    priority: Priority = Priority.LIVE


@dataclass(frozen=True)
class Call:
    """Frames for one replica. None asks what it serves."""

    frames: tuple[FrameWork, ...] = ()


#: A frame's probabilities with what was found or made, if it was no frame of crops, or why there are none.
Outcome = tuple[Prepared | None, Predictions] | Exception


@dataclass(frozen=True)
class Reply:
    """The outcomes of a call's frames, in their order, and who gives them.

    ``detector_fault`` says why no faces can be found there, if so.
    """

    outcomes: tuple[Outcome, ...]
    model: ServedModel
    detector_fault: str | None = None
    version: str = version("emostream")


class Replicas(Protocol):
    """The way from a gateway to the replicas."""

    def compute(self, call: Call) -> Awaitable[Reply]:
        """Has one of the least loaded replicas answer. May be cancelled.

        Raises ReplicaDiedError where the replica died with the call, another ReplicaError otherwise.
        """

    def running(self) -> Awaitable[int]:
        """How many replicas run. Raises ReplicaError where nobody says."""

    async def aclose(self) -> None:
        """Lets go of the cluster, which goes on without this gateway."""

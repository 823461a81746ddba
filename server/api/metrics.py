"""Metrics for Prometheus."""

from collections.abc import Callable
from typing import Protocol

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)

_SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
_FACES = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class Queue(Protocol):
    """What of the batcher is watched."""

    @property
    def waiting(self) -> int: ...

    @property
    def unanswered(self) -> int: ...

    @property
    def oldest_s(self) -> float: ...


class Cluster(Protocol):
    """What of a gateway's replicas is watched."""

    on_retry: Callable[[], None]

    @property
    def running(self) -> int: ...


class Metrics:
    """The metrics, in their own registry, since a process may have several apps (tests do)."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self.sessions = Gauge("emostream_sessions", "Open streaming sessions", registry=self.registry)
        self.frames = Counter("emostream_frames", "Frames by outcome", ["outcome"], registry=self.registry)
        self.frame_seconds = Histogram(
            "emostream_frame_seconds",
            "From a frame's arrival to its answer",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.frame_stage_seconds = Histogram(
            "emostream_frame_stage_seconds",
            "Time of a frame by stage: before the engine (queue), and in it (inference)",
            ["stage"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.waiting_frames = Gauge(
            "emostream_waiting_frames", "Frames waiting in the queue", registry=self.registry
        )
        self.unanswered_frames = Gauge(
            "emostream_unanswered_frames",
            "Frames that wait, are prepared or are in the engine",
            registry=self.registry,
        )
        self.oldest_frame_seconds = Gauge(
            "emostream_oldest_frame_seconds",
            "Age of the oldest frame without an answer",
            registry=self.registry,
        )
        self.batch_faces = Histogram(
            "emostream_batch_faces",
            "Faces per batch",
            buckets=_FACES,
            registry=self.registry,
        )
        self.batch_seconds = Histogram(
            "emostream_batch_seconds", "Inference time per batch", buckets=_SECONDS, registry=self.registry
        )

        self.images = Counter(
            "emostream_images",
            "Images over HTTP by outcome",
            ["outcome"],
            registry=self.registry,
        )
        self.image_stage_seconds = Histogram(
            "emostream_image_stage_seconds",
            "Time of an image over HTTP by stage",
            ["stage"],
            buckets=_SECONDS,
            registry=self.registry,
        )

        self.refusals = Counter(
            "emostream_refusals",
            "Sessions and connections that were refused, or closed for breaking limits",
            ["reason"],
            registry=self.registry,
        )
        self.engine_hangs = Counter(
            "emostream_engine_hangs", "Engines that hung in a batch", registry=self.registry
        )
        self.engine_restarts = Counter(
            "emostream_engine_restarts",
            "Engines that replaced a hanging one",
            registry=self.registry,
        )

        self.refused_tokens = Counter(
            "emostream_refused_tokens",
            "Clients refused for a wrong or missing token",
            ["reason"],
            registry=self.registry,
        )

    def watch(self, queue: Queue) -> None:
        """Has the queue's gauges ask it whenever they are read."""
        self.waiting_frames.set_function(lambda: queue.waiting)
        self.unanswered_frames.set_function(lambda: queue.unanswered)
        self.oldest_frame_seconds.set_function(lambda: queue.oldest_s)

    def watch_replicas(self, cluster: Cluster) -> None:
        """For gateways, which alone have these two."""
        running = Gauge("emostream_replicas", "Replicas that run", registry=self.registry)
        running.set_function(lambda: cluster.running)
        cluster.on_retry = Counter(
            "emostream_replica_retries",
            "Calls that went to a second replica since the first one had died",
            registry=self.registry,
        ).inc

    def observe_batch(self, faces: int, seconds: float) -> None:
        """Counts one pass of the engine."""
        self.batch_faces.observe(faces)
        self.batch_seconds.observe(seconds)

    def text(self) -> bytes:
        """All of it in Prometheus' text format."""
        return generate_latest(self.registry)

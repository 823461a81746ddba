"""What operators watch, for Prometheus."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0)
_FACES = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class Metrics:
    """The instruments, in a registry of their own: a process may hold several apps, as tests do."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.sessions = Gauge("emostream_sessions", "Streaming sessions now open", registry=self.registry)
        self.frames = Counter(
            "emostream_frames", "Frames by what became of them", ["outcome"], registry=self.registry
        )
        self.frame_seconds = Histogram(
            "emostream_frame_seconds",
            "From a frame's arrival to its answer",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.batch_faces = Histogram(
            "emostream_batch_faces",
            "Faces in one pass of the networks",
            buckets=_FACES,
            registry=self.registry,
        )
        self.batch_seconds = Histogram(
            "emostream_batch_seconds", "One pass of the networks", buckets=_SECONDS, registry=self.registry
        )

        self.pictures = Counter(
            "emostream_pictures",
            "Images over HTTP by what became of them",
            ["outcome"],
            registry=self.registry,
        )
        self.picture_stage_seconds = Histogram(
            "emostream_picture_stage_seconds",
            "Where the time of an image over HTTP goes",
            ["stage"],
            buckets=_SECONDS,
            registry=self.registry,
        )

        self.refused_tokens = Counter(
            "emostream_refused_tokens",
            "Clients refused for a token that was wrong, or missing",
            ["reason"],
            registry=self.registry,
        )

    def observe_batch(self, faces: int, seconds: float) -> None:
        """Counts one pass of the engine."""
        self.batch_faces.observe(faces)
        self.batch_seconds.observe(seconds)

    def text(self) -> bytes:
        """All of it in Prometheus' text format."""
        return generate_latest(self.registry)

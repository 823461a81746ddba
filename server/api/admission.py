"""Limits the requests with images that are received and processed at a time, and the pixels of each
client."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager

from ..exceptions import OverloadedError, ProblemError
from ..imaging.decoding import HTTP_FORMATS, count_pixels

#: Most incomplete bodies per request slot: in total, and from one address. A slow body costs little more than
#: its connection.
_BODIES_PER_PLACE = 16
_BODIES_PER_PLACE_AND_CLIENT = 4


class Admission:
    """Counts requests in flight. A request takes a slot once its body is complete, so slow bodies take
    none."""

    def __init__(
        self,
        *,
        max_requests: int,
        max_upload_bytes: int,
        max_image_pixels: int,
        max_request_pixels: int,
        max_client_pixels: int,
    ) -> None:
        self._max_requests = max_requests
        self._max_bytes = max_requests * max_upload_bytes
        self._max_image_pixels = max_image_pixels
        self._max_request_pixels = max_request_pixels
        self._max_client_pixels = max_client_pixels
        self._requests = 0
        self._bytes = 0  # of incomplete bodies
        self._bodies: Counter[str] = Counter()  # by client
        self._pixels: Counter[str] = Counter()

    @contextmanager
    def receiving(self, client: str) -> Iterator["Reception"]:
        """Open while a client's body is received. Raises OverloadedError."""
        if (
            self._bodies.total() >= _BODIES_PER_PLACE * self._max_requests
            or self._bodies[client] >= _BODIES_PER_PLACE_AND_CLIENT * self._max_requests
        ):
            raise OverloadedError("too many request bodies are being received")
        reception = Reception(self)
        with _counted(self._bodies, client, 1):
            try:
                yield reception
            finally:
                self._bytes -= reception.received

    @asynccontextmanager
    async def working(self, client: str, images: Sequence[bytes]) -> AsyncIterator[None]:
        """Open while a client's images are processed.

        Raises OverloadedError, and ProblemError for more pixels than a request may have.
        """
        if self._requests >= self._max_requests:
            raise OverloadedError(f"{self._requests} requests with images are already in flight")
        self._requests += 1
        try:
            pixels = await asyncio.to_thread(self._pixels_of, images)
            if pixels > self._max_request_pixels:
                message = f"the images have {pixels} pixels; a request may have {self._max_request_pixels}"
                raise ProblemError(413, "too_many_pixels", message)
            # A client may always have one request.
            if self._pixels[client] and self._pixels[client] + pixels > self._max_client_pixels:
                raise OverloadedError("the images that this client has in flight have too many pixels")
            with _counted(self._pixels, client, pixels):
                yield
        finally:
            self._requests -= 1

    def receive(self, size: int) -> None:
        self._bytes += size

    @property
    def is_full(self) -> bool:
        """Whether incomplete bodies have reached their total limit of bytes."""
        return self._bytes > self._max_bytes

    def _pixels_of(self, images: Sequence[bytes]) -> int:
        return sum(count_pixels(image, self._max_image_pixels, HTTP_FORMATS) for image in images)


class Reception:
    """One body that is being received."""

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self.received = 0  # bytes

    def count(self, size: int) -> None:
        """Counts received bytes. Raises OverloadedError."""
        self.received += size
        self._admission.receive(size)
        if self._admission.is_full:
            raise OverloadedError("the request bodies that are being received have too many bytes in total")


@contextmanager
def _counted(counter: Counter[str], key: str, count: int) -> Iterator[None]:
    counter[key] += count
    try:
        yield
    finally:
        counter[key] -= count
        if not counter[key]:
            del counter[key]  # so that addresses do not accumulate

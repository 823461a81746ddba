"""Every error that Emostream raises on purpose.

    EmostreamError
    ├── MissingExtraError     a library that only some uses need is not installed
    ├── SettingsError         a setting of the environment or of .env cannot be used
    ├── DatasetError          a training or evaluation set cannot be read
    ├── ModelError            a model cannot be used
    │   ├── UnknownModelError     no model of that name
    │   ├── CheckpointError       a weights file is broken or belongs to another network
    │   └── WeightsError          a weights file is not here, or cannot be downloaded
    ├── DetectorError         the face detector's model files are not here, or cannot be used
    ├── ImageError            one image cannot be used; its neighbours are not affected
    │   ├── InvalidImageError     empty, truncated, or of no supported format
    │   ├── ImageTooLargeError    more pixels than allowed
    │   └── ImageTimeoutError     a thread was at it for longer than allowed
    ├── ProtocolError         a client's message breaks the protocol (see emostream.protocol.wire)
    ├── ProblemError          an HTTP request is answered with a problem document (see emostream.api.problems)
    ├── BatcherError          a frame is not computed
    │   ├── SupersededError       a newer frame of its lane came first
    │   ├── LaneFullError         its lane holds as many frames as it may
    │   ├── EngineHangsError      a pass of the networks does not end
    │   ├── BatcherClosedError    the server stops
    │   └── ReplicaError          the engine is elsewhere, and no answer comes from there
    │       ├── ReplicaDiedError      the replica that had the frame has died
    │       ├── ReplicaTimeoutError   no answer in time
    │       └── NoReplicaError        no replica runs, or the cluster cannot be reached
    ├── OverloadedError       the server has as many image requests as it may
    ├── TooManySessionsError  the server has as many streaming sessions as it may
    ├── SourceError           a camera, file or address yields no images
    ├── WriteError            results cannot be written to a file
    ├── FolderFullError       a folder of people's images holds as many bytes as it may
    └── ClientError           a stream to a server cannot go on
        ├── UnreachableError      nobody answers at the address, or nobody does any more
        │   └── LostError             the connection is gone, and should be made again
        └── RefusedError          the server says no, and will say so again

    SystemExit
    └── Terminated            SIGTERM or SIGHUP, as an exception that unwinds everything

Messages are for people; programs read the fields.
"""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any, Literal

ErrorCode = Literal[
    "invalid_frame",
    "invalid_image",
    "image_too_large",
    "too_many_faces",
    "rate_limited",
    "invalid_message",
    "internal_error",
    "message_too_large",
    "unauthorized",
    "too_many_sessions",
]


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Part of a message about a word that nobody knows: " (did you mean …?)", or empty if none is near."""
    close = get_close_matches(word, list(known), 1, cutoff=0.7)
    return f" (did you mean {close[0]}?)" if close else ""


class EmostreamError(Exception):
    """Base of all errors below. They can be pickled, whatever their constructors take."""

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpickled, (type(self), self.args), self.__dict__


def _unpickled(kind: type[EmostreamError], arguments: tuple[object, ...]) -> EmostreamError:
    error = kind.__new__(kind)
    error.args = arguments
    return error


class MissingExtraError(EmostreamError):
    """A library that only some uses need is not installed; ``command`` installs it (see emostream.extras)."""

    def __init__(self, use: str, library: str, command: str) -> None:
        super().__init__(f"{use} needs {library}: {command}")
        self.library = library
        self.command = command


class SettingsError(EmostreamError):
    """A setting of the environment or of ``.env`` cannot be used; the message names it."""


class DatasetError(EmostreamError):
    """A training or evaluation set cannot be read; the message names the file and the line."""


class ModelError(EmostreamError):
    """A model cannot be used."""


class UnknownModelError(ModelError):
    """No model of that name; ``known`` lists those there are."""

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        super().__init__(
            f"there is no model {name!r}{did_you_mean(name, known)}; known are: {', '.join(known)}"
        )
        self.name = name
        self.known = known


class CheckpointError(ModelError):
    """A weights file is broken or belongs to another network."""


class WeightsError(ModelError):
    """A weights file is not on this machine, or cannot be downloaded; the message says what to do."""


class DetectorError(EmostreamError):
    """The face detector cannot be used; the message says what to do."""


class ImageError(EmostreamError):
    """One image cannot be used; ``code`` says why in the protocol's words, and ``index`` which one of
    several it was."""

    code: ErrorCode
    index: int = 0


#: What is wrong with an image that is not too large. "unsupported" is an image, but of another format.
ImageFault = Literal["empty", "unknown", "unsupported", "broken"]


class InvalidImageError(ImageError):
    """Empty, truncated, or not JPEG, PNG or WebP; ``fault`` says which."""

    code = "invalid_image"

    def __init__(self, message: str, fault: ImageFault = "broken") -> None:
        super().__init__(message)
        self.fault = fault


class ImageTooLargeError(ImageError):
    """More pixels than allowed, decided from the file's header before decoding."""

    code = "image_too_large"

    def __init__(self, max_pixels: int, found: str) -> None:
        super().__init__(f"{found}; at most {max_pixels} pixels are accepted")
        self.max_pixels = max_pixels


class ImageTimeoutError(ImageError):
    """A thread was at it for longer than ``timeout_s``."""

    code = "invalid_image"

    def __init__(self, timeout_s: float) -> None:
        super().__init__(f"this image took longer than {timeout_s:g} s; no image may")
        self.timeout_s = timeout_s


class ProtocolError(EmostreamError):
    """A client's message breaks the protocol; ``code`` is one of the protocol's error codes."""

    def __init__(self, code: ErrorCode, message: str, frame_id: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.frame_id = frame_id


class ProblemError(EmostreamError):
    """An HTTP request that is answered with a problem document: ``status``, a stable ``code`` for programs,
    and ``detail`` for people, a list where parameters are wrong."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str | list[dict[str, Any]],
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(str(detail))
        self.status = status
        self.code = code
        self.detail = detail
        self.headers = headers


class BatcherError(EmostreamError):
    """A frame that was handed to the batcher is not computed."""


class SupersededError(BatcherError):
    """A newer frame of the same lane came before this one was started."""


class LaneFullError(BatcherError):
    """A lane in mode ALL holds as many frames as it may. Its user should have waited."""


class EngineHangsError(BatcherError):
    """A pass of the networks has not ended within ``timeout_s``; until there is another engine none will."""

    def __init__(self, timeout_s: float) -> None:
        super().__init__(f"the engine has been at one pass for over {timeout_s:g} s")
        self.timeout_s = timeout_s


class BatcherClosedError(BatcherError):
    """The server stops; this frame will not be computed any more."""


class ReplicaError(BatcherError):
    """The engine is elsewhere, and this frame got no answer from there."""


class ReplicaDiedError(ReplicaError):
    """The replica that had the frame has died; another one may compute it."""


class ReplicaTimeoutError(ReplicaError):
    """No replica has answered within ``timeout_s``."""

    def __init__(self, timeout_s: float) -> None:
        super().__init__(f"the engine has not answered within {timeout_s:g} s")
        self.timeout_s = timeout_s


class NoReplicaError(ReplicaError):
    """No replica runs, or the cluster cannot be reached."""


class OverloadedError(EmostreamError):
    """The server has as many image requests in flight as it may; later there will be room."""


class TooManySessionsError(EmostreamError):
    """The server has as many streaming sessions as it may, or is about to shut down."""


class SourceError(EmostreamError):
    """A camera, file or address yields no images; the message says what to check."""


class WriteError(EmostreamError):
    """Results cannot be written; the message names the file."""


class FolderFullError(EmostreamError):
    """A folder of kept files holds as many bytes as it may; the message names it."""


class ClientError(EmostreamError):
    """A stream to a server cannot go on."""


class UnreachableError(ClientError):
    """Nobody answers at the server's address, or nobody does any more."""


class LostError(UnreachableError):
    """The connection is gone, and should be made again."""


class RefusedError(ClientError):
    """The server says no, and will say so again; ``code`` is the close code or the HTTP status."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


class Terminated(SystemExit):
    """SIGTERM or SIGHUP: unwinds everything, so that a terminal is given back."""

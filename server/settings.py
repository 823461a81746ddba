"""Every setting of the server, read once, from the environment (EMOSTREAM_*) or a file ``.env``."""

from pathlib import Path
from typing import Annotated

from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from .choices import Policy, Precision
from .exceptions import SettingsError

_PACKAGE = Path(__file__).resolve().parent

# Lists are written with commas between, not as JSON.
_Words = Annotated[tuple[str, ...], NoDecode]
_Numbers = Annotated[tuple[float, ...], NoDecode]


class Settings(BaseSettings):
    """Fields are the settings' names in lower case; README.md has the table for people."""

    model_config = SettingsConfigDict(env_prefix="EMOSTREAM_", env_file=".env", extra="ignore")

    host: str = Field(default="127.0.0.1", description="address to listen on; 0.0.0.0 for every interface")
    port: int = Field(default=8000, ge=0, le=65535, description="port to listen on; 0 picks a free one")
    log_level: str = Field(
        default="info", pattern="^(debug|info|warning|error)$", description="debug, info, warning or error"
    )

    model: str = Field(default="default", description="ensemble, or models with commas between")
    policy: Policy | None = Field(default=None, description="how members answer together")
    member_weights: _Numbers = Field(default=(), description="of the policy weighted, one a member")
    model_file: Path | None = Field(
        default=None,
        validation_alias=AliasChoices("model_file", "EMOSTREAM_MODEL_FILE", "MODEL_FILE"),
        description="weights of your own; then labels and arch say what they are",
    )
    labels: _Words = Field(default=(), description="labels of MODEL_FILE, in the order of its outputs")
    arch: str = Field(default="poster_v2", description="architecture of MODEL_FILE, unless it says so itself")
    mean: _Numbers = Field(default=(), description="mean that MODEL_FILE wants: RGB, of values in [0, 1]")
    std: _Numbers = Field(default=(), description="the same for its standard deviation")
    weights_dir: Path = Field(
        default=Path("~/.local/share/emostream/weights"),
        validate_default=True,
        description="downloaded and imported weights",
    )
    device: str = Field(
        default="auto",
        pattern=r"^(auto|cpu|cuda(:\d+)?)$",
        description="auto (a GPU where there is one), cpu, cuda or cuda:N",
    )
    threads: int = Field(default=0, ge=0, description="threads of the CPU engine; 0 leaves it to the engine")
    decode_threads: int = Field(default=2, ge=1, le=64, description="threads that decode pictures")
    precision: Precision = Field(default="auto", description="of the networks' arithmetic; f16 on GPUs only")
    max_batch: int = Field(
        default=0, ge=0, le=256, description="most faces computed together; 0: 8 on a CPU, 32 on a GPU"
    )
    cache_dir: Path = Field(
        default=Path("~/.cache/emostream"),
        description="folder for networks converted for OpenVINO",
        validate_default=True,
    )

    token: SecretStr | None = Field(default=None, description="if set, every client must present it")
    allowed_origins: _Words = Field(
        default=(), description="origins other than the server's own, separated by commas"
    )
    max_sessions: int = Field(default=64, ge=1, description="most streams at a time")
    max_message_bytes: int = Field(default=2 * 1024 * 1024, ge=1024, description="size of one message")
    max_pixels: int = Field(default=3840 * 2160, ge=1, description="pixels of a picture in a stream")
    max_faces: int = Field(default=32, ge=1, le=256, description="most faces in one frame")
    max_frames_per_second: int = Field(default=100, ge=1, description="of one session")
    max_queued_frames: int = Field(default=16, ge=1, description="frames of a session, with ?mode=all")
    idle_timeout_s: float = Field(default=900.0, gt=0, description="a silent session ends")
    shutdown_timeout_s: float = Field(default=10.0, gt=0, description="for frames under way at shutdown")

    max_picture_pixels: int = Field(default=4096 * 4096, ge=1, description="pixels of a picture over HTTP")
    max_upload_bytes: int = Field(default=32 * 1024 * 1024, ge=1024, description="size of one request's body")
    max_pictures: int = Field(default=16, ge=1, description="pictures in one request")
    max_requests: int = Field(default=32, ge=1, description="requests with pictures at a time")
    upload_timeout_s: float = Field(default=60.0, gt=0, description="for a request's body to arrive")
    picture_threads: int = Field(default=2, ge=1, le=64, description="threads that find faces in pictures")
    min_face_px: int = Field(default=24, ge=12, description="smallest face that is looked for")
    faces_dir: Path = Field(
        default=_PACKAGE / "detection" / "models",
        description="the face detector's model files",
    )
    images_dir: Path | None = Field(
        default=None,
        validation_alias=AliasChoices("images_dir", "EMOSTREAM_IMAGES_DIR", "IMAGES_DIR"),
        description="if set, a received crop is kept there every 10 s; if not, none ever is",
    )

    dashboard_dir: Path = Field(default=_PACKAGE / "dashboard", description="the built dashboard")

    @field_validator("allowed_origins", "labels", "member_weights", "mean", "std", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return (
            tuple(part.strip() for part in value.split(",") if part.strip())
            if isinstance(value, str)
            else value
        )

    @field_validator("cache_dir", "weights_dir")
    @classmethod
    def _expand_home(cls, value: Path) -> Path:
        return value.expanduser()


def read_settings(**given: object) -> Settings:
    """The settings, with those given (and not None) instead of the environment's.

    Raises SettingsError that names the first one that cannot be used.
    """
    try:
        return Settings.model_validate({name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = ".".join(str(part) for part in first["loc"])
        shown = f"--{name.replace('_', '-')}" if given.get(name) is not None else f"EMOSTREAM_{name.upper()}"
        raise SettingsError(f"{shown}: {first['msg']} (it is {first['input']!r})") from error

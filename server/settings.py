"""Every setting of the server, read once, from the environment (EMOSTREAM_*) or a file ``.env``."""

import ipaddress
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from .addresses import Origin, split_host
from .choices import Policy, Precision
from .exceptions import SettingsError
from .notice import read_notice

_PACKAGE = Path(__file__).resolve().parent

#: What ``engine`` is where the networks run in the server's own process.
LOCAL_ENGINE = "local"

# Lists are written with commas between, not as JSON.
_Words = Annotated[tuple[str, ...], NoDecode]
_Numbers = Annotated[tuple[float, ...], NoDecode]


class Settings(BaseSettings):
    """Fields are the settings' names in lower case; docs/settings.md describes them for people."""

    model_config = SettingsConfigDict(env_prefix="EMOSTREAM_", env_file=".env", extra="ignore")

    host: str = Field(default="127.0.0.1", description="address to listen on; 0.0.0.0 for every interface")
    port: int = Field(default=8000, ge=0, le=65535, description="port to listen on; 0 picks a free one")
    log_level: str = Field(
        default="info", pattern="^(debug|info|warning|error)$", description="debug, info, warning or error"
    )
    log_format: Literal["text", "json"] = Field(
        default="text", description="text, or json: one object a line"
    )
    access_log: bool = Field(default=False, description="log one line a request")
    ssl_certfile: Path | None = Field(
        default=None,
        description="certificate chain, PEM; the server then accepts TLS only",
    )
    ssl_keyfile: Path | None = Field(
        default=None, description="its private key, unless SSL_CERTFILE contains it"
    )

    model: str = Field(default="default", description="an ensemble, or models separated by commas")
    policy: Policy | None = Field(default=None, description="how the members' probabilities are combined")
    member_weights: _Numbers = Field(default=(), description="for the policy weighted: one number a member")
    model_file: Path | None = Field(
        default=None,
        validation_alias=AliasChoices("model_file", "EMOSTREAM_MODEL_FILE", "MODEL_FILE"),
        description="your own weights, described by labels and arch",
    )
    labels: _Words = Field(default=(), description="labels of MODEL_FILE, in the order of its outputs")
    arch: str = Field(default="poster_v2", description="architecture of MODEL_FILE, unless the file names it")
    mean: _Numbers = Field(
        default=(), description="mean of MODEL_FILE's normalisation: RGB, of values in [0, 1]"
    )
    std: _Numbers = Field(default=(), description="its standard deviation, likewise")
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
    threads: int = Field(default=0, ge=0, description="threads of the CPU engine; 0: the engine decides")
    decode_threads: int = Field(default=2, ge=1, le=64, description="threads that decode images")
    detect_threads: int = Field(
        default=1, ge=1, le=64, description="threads that detect faces in a stream's images"
    )
    decode_timeout_s: float = Field(
        default=10.0, gt=0, description="longest decoding of one image of a stream"
    )
    engine_timeout_s: float = Field(
        default=30.0, gt=0, description="longest inference; an engine that takes longer is replaced"
    )
    engine: str = Field(
        default=LOCAL_ENGINE,
        pattern=r"^(local|ray://[^/?#\s]+)$",
        description="local: in this process; else a Ray cluster, ray://local or ray://HOST:PORT",
    )
    replica_timeout_s: float = Field(
        default=10.0, gt=0, description="for an answer from the cluster, a second try included"
    )
    precision: Precision = Field(default="auto", description="precision of the networks; f16 on GPUs only")
    max_batch: int = Field(
        default=0, ge=0, le=256, description="largest batch, in faces; 0: 8 on a CPU, 32 on a GPU"
    )
    cache_dir: Path = Field(
        default=Path("~/.cache/emostream"),
        description="folder for networks converted for OpenVINO",
        validate_default=True,
    )

    token: SecretStr | None = Field(default=None, description="if set, every client must present it")
    tokens: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        default=(), description="several tokens, separated by commas; each is accepted"
    )
    token_file: Path | None = Field(default=None, description="file with tokens, one a line")
    allowed_origins: _Words = Field(
        default=(), description="origins other than the server's own, separated by commas"
    )
    allowed_hosts: _Words = Field(
        default=(),
        description="names of this server besides localhost and IP addresses; *.example for all below",
    )
    trusted_proxies: _Words = Field(
        default=("127.0.0.1", "::1"),
        description="addresses or networks whose X-Forwarded-* headers are believed",
    )
    root_path: str = Field(
        default="", description="path prefix under which a proxy serves this server, such as /emo"
    )
    frame_ancestors: _Words = Field(
        default=(), description="origins whose pages may show the page in a frame, separated by commas"
    )
    servers: _Words = Field(
        default=(), description="origins of other servers that the page may stream to, separated by commas"
    )
    operator: str | None = Field(default=None, description="who runs this server, as the page names it")
    notice_file: Path | None = Field(
        default=None,
        description="notice that the page shows before the camera starts: text, or JSON by language",
    )
    open_docs: bool = Field(default=False, description="serve /docs and /openapi.json without a token")
    open_metrics: bool = Field(default=False, description="serve /metrics without a token")
    max_connections: int = Field(default=512, ge=1, description="connections at a time, of all kinds")
    max_connections_per_address: int = Field(default=128, ge=1, description="connections from one address")
    headers_timeout_s: float = Field(default=10.0, gt=0, description="how long a request's headers may take")
    max_sessions: int = Field(default=64, ge=1, description="sessions at a time")
    max_message_bytes: int = Field(default=2 * 1024 * 1024, ge=1024, description="bytes of one message")
    max_pixels: int = Field(default=3840 * 2160, ge=1, description="pixels of one image of a stream")
    max_faces: int = Field(default=32, ge=1, le=256, description="faces in one frame or image")
    max_frames_per_second: int = Field(default=100, ge=1, description="frames a second in one session")
    max_queued_frames: int = Field(
        default=16, ge=1, description="queued frames of one session, with ?mode=all"
    )
    idle_timeout_s: float = Field(
        default=900.0, gt=0, description="a session without messages ends after this time"
    )
    shutdown_timeout_s: float = Field(
        default=10.0, gt=0, description="how long frames in flight may take at shutdown"
    )

    max_image_pixels: int = Field(default=4096 * 4096, ge=1, description="pixels of one image over HTTP")
    max_request_pixels: int = Field(
        default=4 * 4096 * 4096, ge=1, description="pixels of all images of one request"
    )
    max_client_pixels: int = Field(
        default=8 * 4096 * 4096, ge=1, description="pixels of one address's images at a time"
    )
    max_upload_bytes: int = Field(
        default=32 * 1024 * 1024, ge=1024, description="bytes of one request's body"
    )
    max_text_bytes: int = Field(
        default=8 * 1024 * 1024, ge=1024, description="bytes of JSON, base64 or one field of a form"
    )
    max_images: int = Field(default=16, ge=1, description="images in one request")
    max_requests: int = Field(default=32, ge=1, description="requests with images at a time")
    upload_timeout_s: float = Field(default=60.0, gt=0, description="how long a request's body may take")
    image_threads: int = Field(
        default=2, ge=1, le=64, description="threads that detect faces in images over HTTP"
    )
    image_timeout_s: float = Field(default=60.0, gt=0, description="longest work on one image over HTTP")
    min_face_px: int = Field(default=24, ge=12, description="smallest face that is detected, in pixels")
    faces_dir: Path = Field(
        default=_PACKAGE / "detection" / "models",
        description="model files of the face detector",
    )
    images_dir: Path | None = Field(
        default=None,
        validation_alias=AliasChoices("images_dir", "EMOSTREAM_IMAGES_DIR", "IMAGES_DIR"),
        description="if set, one received crop is kept there every 10 s",
    )
    corrections_dir: Path | None = Field(
        default=None,
        description="if set, people may keep face crops there with their right label",
    )
    max_kept_bytes: int = Field(
        default=1024 * 1024 * 1024,
        ge=0,
        description="size of each of IMAGES_DIR and CORRECTIONS_DIR",
    )

    dashboard_dir: Path = Field(default=_PACKAGE / "dashboard", description="the built dashboard")

    _from_file: tuple[SecretStr, ...] = ()
    _notice: Mapping[str, str] = {}

    @field_validator(
        "allowed_origins",
        "allowed_hosts",
        "frame_ancestors",
        "servers",
        "trusted_proxies",
        "labels",
        "member_weights",
        "mean",
        "std",
        "tokens",
        mode="before",
    )
    @classmethod
    def _split(cls, value: object) -> object:
        return (
            tuple(part.strip() for part in value.split(",") if part.strip())
            if isinstance(value, str)
            else value
        )

    @field_validator("allowed_origins", "frame_ancestors")
    @classmethod
    def _normalize_origins(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        origins = {value: value if value == "*" else Origin.parse(value) for value in values}
        for value, origin in origins.items():
            if origin is None:
                raise ValueError(f"{value!r} is no origin, such as https://emo.example:8443")
        return tuple(map(str, origins.values()))

    @field_validator("allowed_hosts")
    @classmethod
    def _normalize_hosts(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        hosts = []
        for value in values:
            wildcard = value[: 2 if value.startswith("*.") else 0]
            parts = split_host(value.removeprefix(wildcard))
            if value != "*" and parts is None:
                raise ValueError(f"{value!r} is no host, such as emo.example")
            hosts.append(wildcard + parts[0] if parts else value)
        return tuple(hosts)

    @field_validator("root_path")
    @classmethod
    def _normalize_prefix(cls, value: str) -> str:
        if not re.fullmatch(r"(/[A-Za-z0-9._~-]+)*/?", value):
            raise ValueError(f"{value!r} is no path prefix, such as /emo")
        return value.rstrip("/")

    @field_validator("trusted_proxies")
    @classmethod
    def _normalize_proxies(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        everybody = ("0.0.0.0/0", "::/0")
        networks = [part for value in values for part in (everybody if value == "*" else (value,))]
        return tuple(str(ipaddress.ip_network(network, strict=False)) for network in networks)

    @field_validator("token", "tokens", mode="before")
    @classmethod
    def _refuse_empty(cls, value: object) -> object:
        # A deployment whose secret is missing would be open to everybody without a word.
        if isinstance(value, str) and not value.strip(" ,"):
            raise ValueError("a token must not be empty; leave the setting out to let everybody in")
        return value

    @model_validator(mode="after")
    def _need_certificate(self) -> "Settings":
        if self.ssl_keyfile is not None and self.ssl_certfile is None:
            raise ValueError("EMOSTREAM_SSL_KEYFILE: a key needs its certificate, EMOSTREAM_SSL_CERTFILE")
        return self

    @model_validator(mode="after")
    def _read_token_file(self) -> "Settings":
        if self.token_file is not None:
            try:
                lines = self.token_file.expanduser().read_text().splitlines()
            except (OSError, UnicodeDecodeError) as error:
                raise ValueError(f"EMOSTREAM_TOKEN_FILE cannot be read: {error}") from error
            from_file = tuple(SecretStr(line.strip()) for line in lines if line.strip())
            if not from_file:
                raise ValueError(f"EMOSTREAM_TOKEN_FILE: there is no token in {self.token_file}")
            self._from_file = from_file
        return self

    @field_validator("servers")
    @classmethod
    def _normalize_servers(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        # Never "*": a link could then have the page send faces anywhere.
        origins = {value: Origin.parse(value) for value in values}
        for value, origin in origins.items():
            if origin is None:
                raise ValueError(f"{value!r} is no origin, such as https://emo.example:8443")
        return tuple(map(str, origins.values()))

    @model_validator(mode="after")
    def _read_notice_file(self) -> "Settings":
        if self.notice_file is not None:
            try:
                self._notice = read_notice(self.notice_file)
            except ValueError as error:
                raise ValueError(f"EMOSTREAM_NOTICE_FILE: {error}") from error
        return self

    @property
    def notice(self) -> Mapping[str, str]:
        """The operator's notice by language; empty where there is none."""
        return self._notice

    @property
    def accepted_tokens(self) -> tuple[str, ...]:
        """Every token that lets a client in; none: everybody may come in."""
        given = () if self.token is None else (self.token,)
        return tuple(secret.get_secret_value() for secret in (*given, *self.tokens, *self._from_file))

    @field_validator("cache_dir", "weights_dir")
    @classmethod
    def _expand_home(cls, value: Path) -> Path:
        try:
            return value.expanduser()
        except RuntimeError as error:  # a user without an account, as in some containers
            raise ValueError("there is no home folder to start from: name the folder in full") from error


def read_settings(**given: object) -> Settings:
    """The settings, with those given (and not None) instead of the environment's.

    Raises SettingsError that names the first one that cannot be used.
    """
    try:
        return Settings.model_validate({name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = ".".join(str(part) for part in first["loc"])
        if name.startswith("token") or not name:  # what was given may be a secret
            label = f"EMOSTREAM_{name.upper()}: " if name else ""
            raise SettingsError(f"{label}{first['msg'].removeprefix('Value error, ')}") from None
        shown = f"--{name.replace('_', '-')}" if given.get(name) is not None else f"EMOSTREAM_{name.upper()}"
        raise SettingsError(f"{shown}: {first['msg']} (it is {first['input']!r})") from error

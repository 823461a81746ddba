"""Manages the weights on this machine: their state, downloads, and a user's own weights."""

import shutil
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Any

import tomli_w

from ..choices import Policy
from ..exceptions import ModelError, WeightsError
from ..files import replacing, sha256_of
from .catalogue import Catalogue, EnsembleEntry, ModelEntry, parse_model, read_catalogue
from .checkpoint import load_checkpoint
from .download import Progress, download
from .factory import create_model
from .weight_file import read_description

#: The model that is loaded unless another is chosen.
DEFAULT = "default"

_SHIPPED = Path(__file__).resolve().parent.parent / "weights"


class State(Enum):
    """The state of a model's file."""

    READY = "ready"  # it is on this machine
    ABSENT = "absent"  # it has to be downloaded
    CHANGED = "changed"  # it is on this machine, but its hash is not the pinned one


@dataclass(frozen=True)
class Import:
    """The arguments of ``emostream weights import``. Each that is None comes from the file's own description,
    which the files of ``emostream train`` have."""

    name: str
    file: Path
    architecture: str | None = None
    labels: tuple[str, ...] | None = None
    mean: tuple[float, float, float] | None = None
    std: tuple[float, float, float] | None = None


class WeightsStore:
    """The folder of downloaded and imported weights.

    In this folder, ``catalogue.toml`` lists the imported weights. ``pins.toml`` has the SHA-256 of each file
    at its first download, for files whose authors publish none. ``temperatures.toml`` has the results of
    ``emostream calibrate`` by the name of the model or ensemble, and ``temperatures-before.toml`` the values
    that they replaced. ``in-use.toml`` has the choice of ``emostream weights use``.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._pins_file = folder / "pins.toml"
        self._user_catalogue = folder / "catalogue.toml"
        self._temperatures_file = folder / "temperatures.toml"
        self._temperatures_before_file = folder / "temperatures-before.toml"
        self._in_use_file = folder / "in-use.toml"

    def catalogue(self) -> Catalogue:
        """The built-in models and the user's. Raises ModelError if the user's file is broken."""
        return read_catalogue(self._user_catalogue)

    def find(
        self, names: str, policy: Policy | None = None, weights: tuple[float, ...] = ()
    ) -> EnsembleEntry:
        """As ``Catalogue.find``, with the temperature that was calibrated on this machine, if any."""
        entry = self.catalogue().find(names, policy, weights)
        temperature = _read(self._temperatures_file).get(names)
        return entry if temperature is None else replace(entry, temperature=float(temperature))

    def set_temperature(self, name: str, temperature: float) -> None:
        """Stores the temperature of a model or ensemble for the next time it is loaded."""
        self.folder.mkdir(parents=True, exist_ok=True)
        before = _read(self._temperatures_before_file) | {name: self.find(name).temperature}
        _write(self._temperatures_before_file, before)
        _write(self._temperatures_file, _read(self._temperatures_file) | {name: temperature})

    def restore_temperature(self, name: str) -> None:
        """Undoes the last ``set_temperature``. Raises ModelError if there is none to undo."""
        before = _read(self._temperatures_before_file)
        if name not in before:
            raise ModelError(f"{name} has no temperature that a calibration replaced")
        _write(self._temperatures_file, _read(self._temperatures_file) | {name: before.pop(name)})
        _write(self._temperatures_before_file, before)

    def in_use(self) -> str:
        """The model that is loaded if none is named: ``default``, unless ``use`` chose another."""
        return str(_read(self._in_use_file).get("model", DEFAULT))

    def use(self, name: str) -> EnsembleEntry:
        """Chooses the model or ensemble that is loaded if none is named.

        Raises ModelError, and changes nothing, if it cannot be loaded.
        """
        entry = self.find(name)
        for model in entry.members:
            load_checkpoint(create_model(model.architecture, len(model.labels)), self.require(model))
        if name == DEFAULT:
            self._in_use_file.unlink(missing_ok=True)
        else:
            self.folder.mkdir(parents=True, exist_ok=True)
            _write(self._in_use_file, {"model": name})
        return entry

    def path(self, entry: ModelEntry) -> Path:
        """The path of a model's file, also before it has been downloaded."""
        if entry.shipped is not None:
            return _SHIPPED / entry.shipped
        return entry.path or self.folder / f"{entry.name}.pth"

    def require(self, entry: ModelEntry) -> Path:
        """The path of an existing file. Raises WeightsError that says what to do if it does not exist."""
        path = self.path(entry)
        if path.is_file():
            return path
        if entry.drive is not None or entry.url is not None:
            raise WeightsError(
                f"the weights of {entry.name} are not here: run `emostream weights pull {entry.name}`"
            )
        raise WeightsError(f"the weights of {entry.name} should be at {path}, but there is no such file")

    def pull(self, entry: ModelEntry, progress: Progress | None = None) -> Path:
        """Downloads a model's file unless it exists, and pins its hash if none was known.

        Raises WeightsError, and CheckpointError if the file does not fit the architecture.
        """
        path = self.path(entry)
        if path.is_file():
            return path
        if entry.drive is None and entry.url is None:
            return self.require(entry)
        found = download(
            drive=entry.drive, url=entry.url, to=path, sha256=self.expected_sha256(entry), progress=progress
        )
        try:
            load_checkpoint(create_model(entry.architecture, len(entry.labels)), path)
        except ModelError:
            path.unlink()
            raise
        if self.expected_sha256(entry) is None:
            _write(self._pins_file, self._pins() | {entry.name: found})
        return path

    def expected_sha256(self, entry: ModelEntry) -> str | None:
        """The published hash, or the one pinned at the first download."""
        return entry.sha256 or self._pins().get(entry.name)

    def state(self, entry: ModelEntry, *, check_hash: bool = False) -> State:
        """Whether a model's file exists and, with ``check_hash``, is the expected one (reads all of it)."""
        path = self.path(entry)
        if not path.is_file():
            return State.ABSENT
        expected = self.expected_sha256(entry)
        if check_hash and expected is not None and expected != sha256_of(path):
            return State.CHANGED
        return State.READY

    def add(self, wanted: Import) -> ModelEntry:
        """Checks a user's file against its architecture, copies it into this folder and lists it.

        Raises CheckpointError if it does not fit, ModelError if its description is wrong.
        """
        if not wanted.name or set(wanted.name) & set(",/\\"):
            raise ModelError(f"{wanted.name!r} is no name for a model: choose one with --name")
        built_in = read_catalogue()
        if wanted.name in (*built_in.models, *built_in.ensemble_names):
            raise ModelError(f"{wanted.name} is the name of a built-in model: choose another with --name")
        copy = self.folder / f"{wanted.name}{wanted.file.suffix}"
        table = {
            **_described(wanted),
            "path": str(copy),
            "description": f"imported from {wanted.file.name}",
        }
        # Before anything is written: an invalid catalogue would break every later command.
        entry = parse_model(wanted.name, table, wanted.file)
        load_checkpoint(create_model(entry.architecture, len(entry.labels)), wanted.file)
        self.folder.mkdir(parents=True, exist_ok=True)
        if wanted.file.resolve() != copy.resolve():
            with replacing(copy) as temporary:
                shutil.copyfile(wanted.file, temporary)
        known = _read(self._user_catalogue)
        known.setdefault("models", {})[wanted.name] = table | {"sha256": sha256_of(copy)}
        _write(self._user_catalogue, known)
        # Temperatures of earlier weights of this name do not apply to these.
        for file in (self._temperatures_file, self._temperatures_before_file):
            if wanted.name in (temperatures := _read(file)):
                del temperatures[wanted.name]
                _write(file, temperatures)
        return self.catalogue().model(wanted.name)

    def _pins(self) -> dict[str, str]:
        return {name: str(pin) for name, pin in _read(self._pins_file).items()}


def _described(wanted: Import) -> dict[str, Any]:
    """The catalogue entry of an import: from the arguments, else the file's description, else defaults."""
    described = read_description(wanted.file)
    labels = wanted.labels or (described.labels if described else None)
    if labels is None:
        raise ModelError(
            f"{wanted.file} does not say what its outputs are: name their labels in order, such as "
            "--labels anger,disgust,fear,happiness,neutral,sadness,surprise"
        )
    normalisation: dict[str, Any] = {}
    if described is not None:
        normalisation = asdict(described.normalisation)
    normalisation |= {key: value for key in ("mean", "std") if (value := getattr(wanted, key))}
    normalisation = {key: list(v) if isinstance(v, tuple) else v for key, v in normalisation.items()}
    architecture = wanted.architecture
    if architecture is None:
        architecture = described.architecture if described else "poster_v2"
    table: dict[str, Any] = {"architecture": architecture, "labels": list(labels)}
    if normalisation:
        table["normalisation"] = normalisation
    if described is not None and described.mirrored:
        table["mirrored"] = True
    return table


def _read(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text()) if path.is_file() else {}


def _write(path: Path, table: Mapping[str, Any]) -> None:
    with replacing(path) as temporary:
        temporary.write_text(tomli_w.dumps(table))

"""Finds the detector's model files and checks them against published SHA-256 digests.

``make`` installs them from the npm package ``@mediapipe/face_detection`` (Apache-2.0). None is under version
control.
"""

from pathlib import Path

from ..exceptions import DetectorError
from ..files import sha256_of
from .anchors import FULL_RANGE, SHORT_RANGE, BlazeFaceSpec

#: The default folder; a setting may name another.
MODELS_DIR = Path(__file__).with_name("models")

_SUMS = Path(__file__).with_name("SHA256SUMS")


def find_model(folder: Path) -> tuple[BlazeFaceSpec, Path]:
    """The full-range model if its file is intact, otherwise the short-range one.

    Raises DetectorError that says what is wrong with both files and what to do.
    """
    problems = []
    for spec in (FULL_RANGE, SHORT_RANGE):
        if (problem := _problem(folder, spec)) is None:
            return spec, folder / spec.file_name
        problems.append(problem)
    raise DetectorError(
        f"no face detector in {folder}: {', '.join(problems)}. "
        "`make faces` puts the files in place; EMOSTREAM_FACES_DIR names another folder"
    )


def is_intact(folder: Path, spec: BlazeFaceSpec) -> bool:
    """Whether the folder has the published file of that model."""
    return _problem(folder, spec) is None


def _problem(folder: Path, spec: BlazeFaceSpec) -> str | None:
    path = folder / spec.file_name
    if not path.is_file():
        return f"{spec.file_name} is missing"
    if sha256_of(path) != expected_sha256()[spec.file_name]:
        return f"{spec.file_name} is not the published file (its SHA-256 differs)"
    return None


def expected_sha256() -> dict[str, str]:
    """Digests by file name, from a file in ``sha256sum``'s format that the set-up step also reads."""
    lines = (line.split() for line in _SUMS.read_text().splitlines())
    return {name: digest for digest, name in lines}

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
    expected = expected_sha256()
    problems = []
    for spec in (FULL_RANGE, SHORT_RANGE):
        path = folder / spec.file_name
        if not path.is_file():
            problems.append(f"{spec.file_name} is missing")
        elif sha256_of(path) != expected[spec.file_name]:
            problems.append(f"{spec.file_name} is not the published file (its SHA-256 differs)")
        else:
            return spec, path
    raise DetectorError(
        f"no face detector in {folder}: {', '.join(problems)}. "
        "`make faces` puts the files in place; EMOSTREAM_FACES_DIR names another folder"
    )


def expected_sha256() -> dict[str, str]:
    """Digests by file name, from a file in ``sha256sum``'s format that the set-up step also reads."""
    lines = (line.split() for line in _SUMS.read_text().splitlines())
    return {name: digest for digest, name in lines}

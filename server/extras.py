"""The libraries that only some uses need, and the command that installs each.

    with needed_for("reading videos"):
        import av

raises MissingExtraError ("reading videos needs PyAV: pip install 'emostream[video]'") where PyAV is missing.
"""

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from .exceptions import MissingExtraError

#: Import name: the library's own name, and what pip is to install. pyproject.toml has the same extras.
LIBRARIES = {
    "av": ("PyAV", "emostream[video]"),
    "cv2": ("OpenCV", "emostream[video]"),
    "fastapi": ("FastAPI", "emostream[server]"),
    "fastapi_offline": ("fastapi-offline", "emostream[server]"),
    "pi_heif": ("pi-heif", "emostream[heic]"),
    "gdown": ("gdown", "emostream[server]"),
    "jinja2": ("Jinja", "emostream[server]"),
    "matplotlib": ("Matplotlib", "emostream[server]"),
    "mimeparse": ("python-mimeparse", "emostream[server]"),
    "openvino": ("OpenVINO", "emostream[server]"),
    "prometheus_client": ("prometheus-client", "emostream[server]"),
    "pyarrow": ("PyArrow", "emostream[server]"),
    "pydantic_settings": ("pydantic-settings", "emostream[server]"),
    "python_multipart": ("python-multipart", "emostream[server]"),
    "safetensors": ("safetensors", "emostream[server]"),
    "textual_image": ("textual-image", "emostream[server]"),
    "tomli_w": ("Tomli-W", "emostream[server]"),
    "torch": ("PyTorch", "emostream[server]"),
    "uvicorn": ("Uvicorn", "emostream[server]"),
    "ray": ("Ray", "emostream[ray]"),
    "trustme": ("trustme", "emostream[tls]"),
    "imagehash": ("ImageHash", "emostream[train]"),
    "scipy": ("SciPy", "emostream[train]"),
    "tensorboard": ("TensorBoard", "emostream[train]"),
    "yaml": ("PyYAML", "emostream[train]"),
    "pandas": ("pandas", "pandas"),
    "supervision": ("supervision", "supervision"),
}


@contextmanager
def needed_for(use: str, extra: str | None = None) -> Iterator[None]:
    """Around imports: a library of ``LIBRARIES`` that is missing raises MissingExtraError.

    ``use`` is the sentence's subject ("reading videos"). ``extra`` is what to install where the use needs
    more than the one library.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        missing = missing_extra(error, use, extra)
        if missing is None:
            raise
        raise missing from error


def missing_extra(error: ModuleNotFoundError, use: str, extra: str | None = None) -> MissingExtraError | None:
    """The error to raise instead of ``error``, or None if it is about no library of ``LIBRARIES``."""
    module = (error.name or "").partition(".")[0]
    if module not in LIBRARIES:
        return None
    library, requirement = LIBRARIES[module]
    return MissingExtraError(use, library, _install_command(f"emostream[{extra}]" if extra else requirement))


def check_extra(extra: str, use: str) -> None:
    """Raises MissingExtraError if a library of ``extra`` is missing; none is imported to find out."""
    wanted = f"emostream[{extra}]"
    for module, (_, requirement) in LIBRARIES.items():
        if requirement == wanted and find_spec(module) is None:
            raise MissingExtraError(use, wanted, _install_command(wanted))


def _install_command(requirement: str) -> str:
    quoted = f"'{requirement}'" if "[" in requirement else requirement  # brackets are a pattern in a shell
    pip = shutil.which("pip")
    # A pip that belongs to another Python would install beside the mark.
    is_ours = pip is not None and Path(pip).parent == Path(sys.executable).parent
    return f"{'pip' if is_ours else f'{sys.executable} -m pip'} install {quoted}"

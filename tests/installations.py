"""Environments in which the wheel is installed, as users do: nothing of the checkout is found there."""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

from tests.support import PATIENCE_S, ROOT


def build_wheel(folder: Path) -> Path:
    """What ``make wheel`` makes."""
    environment = {name: value for name, value in os.environ.items() if "MAKE" not in name}
    command = ["make", "wheel", f"DIST={folder}"]
    subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, timeout=600, check=True)
    [wheel] = folder.glob("*.whl")
    return wheel


class Installation:
    """A virtual environment with nothing but the wheel and, unless it is to be ``full``, the libraries of the
    base package, which pip installs.

    A full one finds the libraries of all extras where these tests find them, since PyTorch takes minutes
    to install; a line of a .pth file names a folder, whose own .pth files do not count.
    """

    def __init__(self, folder: Path, wheel: Path, is_full: bool) -> None:
        self._folder = folder / "venv"
        self.python = self._folder / "bin" / "python"
        self.program = self._folder / "bin" / "emostream"
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", self._folder], timeout=60, check=True)
        [self.site_packages] = self._folder.glob("lib/python*/site-packages")
        if is_full:
            self.site_packages.joinpath("libraries.pth").write_text(sysconfig.get_path("purelib"))
        pip = [sys.executable, "-m", "pip", "--python", self.python, "install", "--quiet"]
        options = ["--no-deps"] if is_full else ["--constraint", ROOT / "constraints.txt"]
        subprocess.run(
            [*pip, *options, wheel], env=self.environment(), capture_output=True, timeout=600, check=True
        )

    def run(self, folder: Path, *command: object, **variables: str) -> subprocess.CompletedProcess[str]:
        """A command in a folder, with further variables."""
        return subprocess.run(
            [str(part) for part in command],
            cwd=folder,
            env=self.environment() | variables,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )

    def evaluate(self, folder: Path, program: str, **variables: str) -> str:
        """What a program in Python prints."""
        done = self.run(folder, self.python, "-c", program, **variables)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def environment(self) -> dict[str, str]:
        """This process's, without what leads to the checkout."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        return kept | {"COLUMNS": "200"}

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
    """A virtual environment with nothing but the wheel, the extra asked for, and their libraries."""

    def __init__(self, folder: Path, wheel: Path, extra: str = "", borrows: bool = False) -> None:
        """
        Args:
            extra: such as "[server]"
            borrows: finds the libraries where these tests find them, since PyTorch takes minutes to install
        """
        venv = folder / "venv"
        self.python = venv / "bin" / "python"
        self.program = venv / "bin" / "emostream"
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], timeout=60, check=True)
        [self.site_packages] = venv.glob("lib/python*/site-packages")
        if borrows:
            # The folder's own .pth files, one of which leads to the checkout, do not count.
            self.site_packages.joinpath("libraries.pth").write_text(sysconfig.get_path("purelib"))
        pip = [sys.executable, "-m", "pip", "--python", self.python, "install", "--quiet"]
        what = (
            ["--no-deps", wheel] if borrows else ["--constraint", ROOT / "constraints.txt", f"{wheel}{extra}"]
        )
        subprocess.run([*pip, *what], env=self.environment(), timeout=1800, check=True)

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

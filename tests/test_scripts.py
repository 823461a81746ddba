"""The shell scripts under make, tried with programs that only pretend."""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

#: The tools that the files of deploy/, and the path prefix, are tried with.
DEPLOYING = ("nginx", "caddy", "promtool", "bwrap")


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A folder that stands for PATH, with what the scripts need of an ordinary system and nothing else."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("bash", "cat", "dirname", "env", "rm"):
        found = shutil.which(name)
        assert found is not None
        (folder / name).symlink_to(found)
    return folder


def pretend(folder: Path, name: str, script: str) -> None:
    program = folder / name
    program.write_text(f"#!/usr/bin/env bash\n{script}\n")
    program.chmod(0o755)


def run(programs: Path, script: Path | str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(ROOT / "scripts" / script), *arguments]
    environment = os.environ | {"PATH": str(programs)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


def the_error(result: subprocess.CompletedProcess[str]) -> str:
    """The one line that a person sees."""
    assert result.returncode == 1
    [line] = result.stderr.splitlines()
    return line


def test_a_missing_python_is_named(programs: Path, tmp_path: Path) -> None:
    error = the_error(run(programs, "create-venv.sh", "python3", str(tmp_path / "venv")))

    assert error == "error: python3 not found; install Python 3.11 or newer"


def test_an_old_python_is_refused_with_its_version(programs: Path, tmp_path: Path) -> None:
    pretend(programs, "python3", '[[ $1 == --version ]] && echo "Python 3.9.2" || exit 1')

    error = the_error(run(programs, "create-venv.sh", "python3", str(tmp_path / "venv")))

    assert "3.11 or newer" in error
    assert "Python 3.9.2" in error


def test_a_python_without_venv_is_told_the_package(programs: Path, tmp_path: Path) -> None:
    pretend(programs, "python3", "[[ $2 == *ensurepip* ]] && exit 1 || exit 0")

    assert "apt-get install python3-venv" in the_error(
        run(programs, "create-venv.sh", "python3", str(tmp_path / "venv"))
    )


def test_a_half_made_environment_is_removed(programs: Path, tmp_path: Path) -> None:
    venv = tmp_path / "venv"
    pretend(programs, "python3", f'[[ $1 == -m ]] && {{ echo >"{venv}"; exit 1; }} || exit 0')

    result = run(programs, "create-venv.sh", "python3", str(venv))

    assert result.returncode == 1
    assert not venv.exists()


def test_a_missing_node_is_named(programs: Path) -> None:
    assert the_error(run(programs, "install-web.sh")).startswith("error: node not found")


def test_an_old_node_is_refused_with_its_version(programs: Path) -> None:
    pretend(programs, "node", "[[ $1 == --version ]] && echo v18.1.0 || exit 1")
    pretend(programs, "npm", "echo 9.0.0")

    error = the_error(run(programs, "install-web.sh"))

    assert "20.19 or newer" in error
    assert "v18.1.0" in error


@pytest.mark.parametrize(
    ("version", "command"), [("10.8.2", "npx --yes npm@11 ci"), ("11.0.0", "npm ci"), ("12.1.0", "npm ci")]
)
def test_npm_before_11_is_replaced_for_the_one_command(programs: Path, version: str, command: str) -> None:
    pretend(programs, "node", "exit 0")
    pretend(programs, "npm", f'[[ $1 == --version ]] && echo {version} || echo "npm $*"')
    pretend(programs, "npx", 'echo "npx $*"')

    result = run(programs, "install-web.sh")

    assert result.returncode == 0
    assert result.stdout.startswith(command)


def test_nothing_is_installed_where_all_tools_are_there(programs: Path) -> None:
    for name in ("google-chrome", "ffmpeg", *DEPLOYING, "firefox", "WebKitWebDriver", "Xvfb"):
        pretend(programs, name, "exit 0")
    pretend(programs, "apt-get", "echo apt-get was called; exit 1")

    result = run(programs, "install-test-tools.sh")

    assert (result.returncode, result.stdout) == (0, "")


def test_without_apt_the_other_browsers_are_done_without(programs: Path) -> None:
    for name in ("chromium", "ffmpeg", *DEPLOYING):
        pretend(programs, name, "exit 0")

    assert run(programs, "install-test-tools.sh").returncode == 0


def test_without_apt_the_missing_tools_are_named(programs: Path) -> None:
    for name in ("chromium", "ffmpeg", "nginx", "caddy", "bwrap"):
        pretend(programs, name, "exit 0")

    assert "please install (Debian: sudo apt-get install prometheus)" in the_error(
        run(programs, "install-test-tools.sh")
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="only root installs system packages")
def test_root_installs_only_what_is_missing(programs: Path) -> None:
    for name in ("chromium", *DEPLOYING, "Xvfb"):
        pretend(programs, name, "exit 0")
    pretend(programs, "apt-get", 'echo "apt-get $*"')

    result = run(programs, "install-test-tools.sh")

    assert result.stdout.splitlines() == [
        "apt-get update",
        "apt-get install -y --no-install-recommends ffmpeg firefox-esr webkit2gtk-driver",
    ]


# Model files of the face detector


@pytest.fixture
def installation(tmp_path: Path) -> Path:
    """A checkout with nothing but the script, a package of two files, and their digests."""
    checkout = tmp_path / "checkout"
    package = checkout / "web/node_modules/@mediapipe/face_detection"
    for folder in ("scripts", "server/detection"):
        (checkout / folder).mkdir(parents=True)
    package.mkdir(parents=True)
    shutil.copy(ROOT / "scripts/install-faces.sh", checkout / "scripts")
    sums = []
    for name in ("far.tflite", "near.tflite"):
        (package / name).write_text(name)
        (package / name).chmod(0o600)
        sums.append(f"{hashlib.sha256(name.encode()).hexdigest()}  {name}\n")
    (checkout / "server/detection/SHA256SUMS").write_text("".join(sums))
    return checkout


def install_faces(checkout: Path) -> subprocess.CompletedProcess[str]:
    command = [str(checkout / "scripts/install-faces.sh"), "server/detection/models"]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_the_detectors_files_are_copied_and_readable_for_all(installation: Path) -> None:
    result = install_faces(installation)

    assert (result.returncode, result.stderr) == (0, "")
    copied = sorted((installation / "server/detection/models").iterdir())
    assert [path.name for path in copied] == ["far.tflite", "near.tflite"]
    assert all(path.read_text() == path.name and path.stat().st_mode & 0o777 == 0o644 for path in copied)


def test_a_file_that_is_not_the_published_one_is_not_copied(installation: Path) -> None:
    (installation / "web/node_modules/@mediapipe/face_detection/near.tflite").write_text("something else")

    assert "are not those of server/detection/SHA256SUMS" in the_error(install_faces(installation))
    assert not (installation / "server/detection/models").exists()


def test_without_the_package_the_step_before_is_named(installation: Path) -> None:
    shutil.rmtree(installation / "web/node_modules")

    assert "run scripts/install-web.sh first" in the_error(install_faces(installation))

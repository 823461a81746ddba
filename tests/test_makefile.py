"""What make decides to do, tried in a folder of empty files: nothing is installed or built."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# Each older than the next, as after a complete set-up.
TREE = [
    "pyproject.toml",
    "constraints.txt",
    "server/detection/SHA256SUMS",
    ".venv/bin/python",
    ".venv/.serving-installed",
    ".venv/.developing-installed",
    "web/package.json",
    "web/package-lock.json",
    "web/node_modules/.package-lock.json",
    "server/detection/models/face_detection_short_range.tflite",
    "web/src",
    "web/src/main.tsx",
    "web/src/main.test.tsx",
    "server/emotions.json",
    "server/protocol/reconnect.json",
    "server/dashboard/index.html",
]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    shutil.copy(ROOT / "Makefile", tmp_path)
    for name in TREE:
        path = tmp_path / name
        if path.suffix or path.name.startswith(".") or path.name in ("python", "SHA256SUMS"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    for age, name in enumerate(TREE):
        os.utime(tmp_path / name, (1_000_000 + age, 1_000_000 + age))
    return tmp_path


def make(folder: Path, *arguments: str) -> str:
    # A make that runs these tests hands its own flags down.
    environment = {name: value for name, value in os.environ.items() if "MAKE" not in name and name != "PORT"}
    command = ["make", *arguments]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=True
    ).stdout


def planned(folder: Path, target: str) -> str:
    return make(folder, "--dry-run", target)


def test_a_second_run_only_serves(checkout: Path) -> None:
    assert planned(checkout, "run") == "exec .venv/bin/emostream serve --port 8000\n"


def test_the_port_can_be_chosen(checkout: Path) -> None:
    assert make(checkout, "--dry-run", "run", "PORT=9001").endswith("serve --port 9001\n")


def test_a_changed_source_of_the_dashboard_rebuilds_it_and_installs_nothing(checkout: Path) -> None:
    (checkout / "web/src/main.tsx").touch()

    plan = planned(checkout, "run")

    assert "npm run build" in plan
    assert "pip" not in plan
    assert "install-web" not in plan


def test_a_deleted_source_of_the_dashboard_rebuilds_it(checkout: Path) -> None:
    (checkout / "web/src/main.tsx").unlink()

    assert "npm run build" in planned(checkout, "run")


@pytest.mark.parametrize("name", ["server/emotions.json", "server/protocol/reconnect.json"])
def test_a_changed_table_that_page_and_server_share_rebuilds_the_dashboard(checkout: Path, name: str) -> None:
    (checkout / name).touch()

    assert "npm run build" in planned(checkout, "run")


def test_a_changed_web_test_does_not_rebuild_the_dashboard(checkout: Path) -> None:
    (checkout / "web/src/main.test.tsx").touch()

    assert "npm" not in planned(checkout, "run")


@pytest.mark.parametrize("name", ["pyproject.toml", "constraints.txt"])
def test_changed_python_dependencies_are_installed_and_the_dashboard_is_kept(
    checkout: Path, name: str
) -> None:
    (checkout / name).touch()

    plan = planned(checkout, "run")

    assert "pip install" in plan
    assert "npm" not in plan


def test_a_changed_lock_file_reinstalls_and_rebuilds_the_dashboard(checkout: Path) -> None:
    (checkout / "web/package-lock.json").touch()

    plan = planned(checkout, "run")

    assert plan.index("install-web") < plan.index("npm run build")


def test_missing_model_files_of_the_detector_are_put_in_place_and_nothing_else_is_done(
    checkout: Path,
) -> None:
    (checkout / "server/detection/models/face_detection_short_range.tflite").unlink()

    plan = planned(checkout, "run").splitlines()

    assert plan == [
        "scripts/install-faces.sh server/detection/models",
        "exec .venv/bin/emostream serve --port 8000",
    ]


def test_a_fresh_checkout_is_set_up_whole(checkout: Path) -> None:
    shutil.rmtree(checkout / ".venv")
    shutil.rmtree(checkout / "web/node_modules")
    shutil.rmtree(checkout / "server/dashboard")

    plan = planned(checkout, "run")

    for step in (
        "create-venv",
        "install-web",
        "install-faces",
        "npm run build",
        "pip install",
        "emostream serve",
    ):
        assert step in plan


def test_make_run_installs_what_serving_needs_and_no_more(checkout: Path) -> None:
    (checkout / "pyproject.toml").touch()

    assert re.findall("--editable (.*)", planned(checkout, "run")) == ["'.[server]'"]


def test_the_wheel_is_built_after_the_page_and_the_detectors_files(checkout: Path) -> None:
    shutil.rmtree(checkout / "web/node_modules")
    shutil.rmtree(checkout / "server/dashboard")
    shutil.rmtree(checkout / "server/detection/models")

    plan = planned(checkout, "wheel")

    wheel = plan.index("pip wheel")
    assert plan.index("npm run build") < wheel
    assert plan.index("install-faces") < wheel


def test_nothing_of_an_earlier_wheel_gets_into_the_next(checkout: Path) -> None:
    """setuptools packs whatever lies in build/."""
    plan = planned(checkout, "wheel")

    assert plan.index("rm -rf build dist/emostream-*.whl") < plan.index("pip wheel")


def test_the_last_steps_of_make_test_are_all_of_pytest(checkout: Path) -> None:
    plan = planned(checkout, "test").splitlines()

    in_short = "not e2e and not installs and not ray and not slow"
    assert plan[-2].endswith(f'python -m pytest --numprocesses 2 --dist loadfile -m "{in_short}"')
    assert plan[-1].endswith('python -m pytest -m "e2e or installs"')
    for check in (
        "ruff check",
        "ruff format --check",
        "mypy",
        "npm run lint",
        "npm run typecheck",
        "npm test",
    ):
        assert any(check in line for line in plan)


def test_the_slow_tests_are_those_that_make_test_leaves_out(checkout: Path) -> None:
    *_, last = planned(checkout, "test-slow").splitlines()

    assert last.endswith("--numprocesses 2 --dist loadfile -m slow")


def test_help_is_the_default_and_lists_every_target_for_people(checkout: Path) -> None:
    listed = set(re.findall(r"^  make (\S+)", make(checkout), flags=re.MULTILINE))

    phony = set(re.findall(r"^\.PHONY: (\S+)", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    steps_of_set_up = {"serving", "test-tools"}
    assert listed == phony - steps_of_set_up

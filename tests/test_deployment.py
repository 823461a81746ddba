"""The files that deploy Emostream, checked without a Docker engine.

The Compose Specification's own JSON schema comes with the package check-jsonschema, so nothing is fetched.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
BASE = ROOT / "docker-compose.yml"
GPU = ROOT / "docker-compose.gpu.yml"


def read_yaml(path: Path) -> dict[str, Any]:
    content = yaml.safe_load(path.read_text())
    assert isinstance(content, dict)
    return content


def merge(base: Any, override: Any) -> Any:
    """As Compose merges files: mappings key by key, lists one after the other, all else replaced."""
    if isinstance(base, dict) and isinstance(override, dict):
        return base | {
            key: merge(base[key], value) if key in base else value for key, value in override.items()
        }
    if isinstance(base, list) and isinstance(override, list):
        return base + override
    return override


def validate(file: Path, schema: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, str(file)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def validate_compose(document: Any, folder: Path) -> subprocess.CompletedProcess[str]:
    file = folder / "compose.json"
    file.write_text(json.dumps(document))
    return validate(file, "vendor.compose-spec")


def dockerfile() -> list[tuple[str, str]]:
    """The instructions of Dockerfile.server as (keyword, arguments), continued lines joined."""
    lines = [
        line for line in (ROOT / "Dockerfile.server").read_text().splitlines() if not line.startswith("#")
    ]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [(line.split(maxsplit=1)[0], line.split(maxsplit=1)[1]) for line in joined.splitlines() if line]


def stage(wanted: str) -> list[tuple[str, str]]:
    """The instructions of one stage, by the name after AS."""
    found, name = [], ""
    for keyword, arguments in dockerfile():
        name = arguments.split()[-1] if keyword == "FROM" else name
        found += [(keyword, arguments)] if name == wanted else []
    return found


def argument_of(keyword: str) -> str:
    """The last one wins, as in an image."""
    return [arguments for name, arguments in stage("server") if name == keyword][-1]


MAKE_TARGETS = sorted(
    {
        target
        for keyword, arguments in dockerfile()
        if keyword == "RUN" and (command := re.fullmatch(r"(?:--\S+ )*make (.+)", arguments))
        for target in command[1].split()
    }
)


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(read_yaml(BASE), id="cpu"),
        pytest.param(read_yaml(GPU), id="gpu"),
        pytest.param(merge(read_yaml(BASE), read_yaml(GPU)), id="merged"),
    ],
)
def test_compose_files_obey_the_compose_specification(document: Any, tmp_path: Path) -> None:
    result = validate_compose(document, tmp_path)

    assert result.returncode == 0, result.stdout + result.stderr


def test_a_misspelt_compose_key_is_noticed(tmp_path: Path) -> None:
    document = merge(read_yaml(BASE), {"services": {"emostream": {"helthcheck": {}}}})

    result = validate_compose(document, tmp_path)

    assert result.returncode != 0
    assert "helthcheck" in result.stdout


def test_the_gpu_is_added_to_the_service_and_nothing_else_changes() -> None:
    base, merged = read_yaml(BASE), merge(read_yaml(BASE), read_yaml(GPU))

    deploy = merged["services"]["emostream"].pop("deploy")

    assert merged == base
    [device] = deploy["resources"]["reservations"]["devices"]
    assert device["driver"] == "nvidia"
    assert "gpu" in device["capabilities"]


def test_the_service_can_write_to_its_cache_and_scratch_folders_only() -> None:
    service = read_yaml(BASE)["services"]["emostream"]

    assert service["read_only"] is True
    assert service["tmpfs"] == ["/tmp"]
    assert [volume.partition(":")[2] for volume in service["volumes"]] == [
        service["environment"]["EMOSTREAM_CACHE_DIR"]
    ]


def test_compose_and_image_agree_on_the_health_check() -> None:
    check = read_yaml(BASE)["services"]["emostream"]["healthcheck"]
    options, _, command = argument_of("HEALTHCHECK").partition("CMD ")

    assert ["CMD", *json.loads(command)] == check["test"]
    assert dict(re.findall(r"--(\S+)=(\S+)", options)) == {
        name.replace("_", "-"): str(value) for name, value in check.items() if name != "test"
    }


def test_compose_publishes_the_port_that_the_image_exposes() -> None:
    [port] = read_yaml(BASE)["services"]["emostream"]["ports"]

    assert port.rpartition(":")[2] == argument_of("EXPOSE")
    assert json.loads(argument_of("CMD")) == ["--port", argument_of("EXPOSE")]


def test_compose_publishes_on_this_machine_alone_unless_asked() -> None:
    [port] = read_yaml(BASE)["services"]["emostream"]["ports"]

    assert port.startswith("${EMOSTREAM_PUBLISH:-127.0.0.1}:")


def test_compose_bounds_memory_processes_and_cores() -> None:
    service = read_yaml(BASE)["services"]["emostream"]

    assert re.fullmatch(r"\$\{EMOSTREAM_MEMORY:-\d+g\}", service["mem_limit"])
    assert service["memswap_limit"] == service["mem_limit"]  # no swap on top
    assert re.fullmatch(r"\$\{EMOSTREAM_CPUS:-\d+\}", service["cpus"])
    assert service["pids_limit"] > 0
    assert service["environment"]["EMOSTREAM_THREADS"] == f"${{EMOSTREAM_THREADS:-{service['cpus']}}}"


@pytest.mark.parametrize("target", MAKE_TARGETS)
def test_the_image_is_built_by_existing_make_targets(target: str) -> None:
    environment = {name: value for name, value in os.environ.items() if "MAKE" not in name}

    command = ["make", "--dry-run", target]
    result = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False
    )

    assert result.returncode == 0, result.stderr


def test_the_image_builds_dashboard_and_server_with_make() -> None:
    assert MAKE_TARGETS == ["faces", "serving", "web"]


def test_the_server_in_the_image_is_not_root() -> None:
    user, _, group = argument_of("USER").partition(":")

    assert int(user) > 0
    assert int(group) > 0


def test_everything_that_the_image_copies_is_sent_to_the_builder() -> None:
    rules = (ROOT / ".dockerignore").read_text().splitlines()
    copied = {
        source
        for keyword, arguments in dockerfile()
        if keyword == "COPY" and "--from" not in arguments
        for source in arguments.split()[:-1]
    }

    assert {source.split("/")[0] for source in copied} == {rule[1:] for rule in rules if rule.startswith("!")}
    assert [source for source in copied if not (ROOT / source).exists()] == []


def test_the_image_takes_page_and_detector_from_the_stage_that_made_them_and_not_from_this_machine() -> None:
    made = {"server/dashboard", "server/detection/models"}
    rules = (ROOT / ".dockerignore").read_text().splitlines()

    taken = [arguments for keyword, arguments in stage("server") if keyword == "COPY"]

    assert made <= set(rules)
    assert {f"--from=web /opt/emostream/{folder} ./{folder}" for folder in made} <= set(taken)


def test_the_image_installs_the_package_before_its_code_is_there(tmp_path: Path) -> None:
    """So that a change of the code does not install PyTorch again. Here the package alone is installed."""
    for keyword, arguments in stage("python"):
        if keyword == "COPY":
            *sources, target = arguments.split()
            (tmp_path / target).mkdir(parents=True, exist_ok=True)
            for source in sources:
                if (ROOT / source).is_dir():
                    shutil.copytree(ROOT / source, tmp_path / target, dirs_exist_ok=True)
                else:
                    shutil.copy(ROOT / source, tmp_path / target)
        elif keyword == "RUN" and arguments.startswith("sed "):
            subprocess.run(arguments, shell=True, cwd=tmp_path, timeout=60, check=True)

    program = "from setuptools.build_meta import build_editable; build_editable('.')"
    command = [sys.executable, "-c", program]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)

    assert result.returncode == 0, result.stderr
    [wheel] = tmp_path.glob("*.whl")
    with ZipFile(wheel) as archive:
        [finder] = [name for name in archive.namelist() if name.endswith("_finder.py")]
        assert f"'emostream': '{tmp_path}/server'" in archive.read(finder).decode()


@pytest.mark.parametrize(
    ("pattern", "schema"),
    [
        ("workflows/*.yml", "vendor.github-workflows"),
        ("dependabot.yml", "vendor.dependabot"),
        ("ISSUE_TEMPLATE/[!c]*.yml", "vendor.github-issue-forms"),
        ("ISSUE_TEMPLATE/config.yml", "vendor.github-issue-config"),
    ],
)
def test_files_for_github_obey_its_schemas(pattern: str, schema: str) -> None:
    files = sorted((ROOT / ".github").glob(pattern))

    assert files
    for file in files:
        result = validate(file, schema)
        assert result.returncode == 0, result.stdout + result.stderr

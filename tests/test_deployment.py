"""The files that deploy Emostream, checked without a Docker engine.

The Compose Specification's own JSON schema comes with the package check-jsonschema, so nothing is fetched.
"""

import asyncio
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import httpx
import pytest
import yaml
from emostream.cli.weights import app as weights_command
from emostream.settings import Settings
from typer.testing import CliRunner
from websockets.asyncio.client import connect

from tests.servers import server_thread
from tests.support import PATIENCE_S, ROOT, FakeRecognizer, tool

CADDYFILE = ROOT / "deploy" / "Caddyfile"
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


#: The final stages, both on top of `base`.
IMAGES = ("cpu", "cuda")


def argument_of(keyword: str, image: str = "cpu") -> str:
    """The last one wins, as in an image."""
    return [arguments for name, arguments in (*stage("base"), *stage(image)) if name == keyword][-1]


MAKE_TARGETS = sorted(
    {
        target
        for keyword, arguments in dockerfile()
        if keyword == "RUN" and (command := re.fullmatch(r"(?:--\S+ )*make (.+)", arguments))
        for target in command[1].split()
        if "=" not in target
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
    for name in ("emostream", "weights"):
        service, plain = merged["services"][name], base["services"][name]
        assert (service["build"]["target"], plain["build"]["target"]) == ("cuda", "cpu")
        assert service["image"] == f"{plain['image']}-cuda"
        service |= {"build": plain["build"], "image": plain["image"]}

    assert merged == base
    [device] = deploy["resources"]["reservations"]["devices"]
    assert device["driver"] == "nvidia"
    assert "gpu" in device["capabilities"]


def test_the_service_can_write_to_its_cache_and_scratch_folders_only() -> None:
    service = read_yaml(BASE)["services"]["emostream"]

    assert service["read_only"] is True
    assert service["tmpfs"] == ["/tmp"]
    environment = service["environment"]
    assert [volume.partition(":")[2] for volume in service["volumes"]] == [
        environment["EMOSTREAM_CACHE_DIR"],
        f"{environment['EMOSTREAM_WEIGHTS_DIR']}:ro",
    ]


def test_image_and_compose_agree_on_the_folders_that_are_volumes() -> None:
    environment = read_yaml(BASE)["services"]["emostream"]["environment"]
    in_image = dict(re.findall(r"(EMOSTREAM_\w+_DIR)=(\S+)", argument_of("ENV")))
    [made] = [arguments for keyword, arguments in stage("base") if keyword == "RUN"]

    assert in_image == {name: value for name, value in environment.items() if name in in_image}
    assert len(in_image) == 2
    assert all(f" {folder}" in made for folder in in_image.values())  # with the user as their owner


def test_one_service_pulls_weights_into_the_volume_that_the_server_reads() -> None:
    services = read_yaml(BASE)["services"]
    weights = services["weights"]
    [volume] = weights["volumes"]

    assert weights["image"] == services["emostream"]["image"]
    assert weights["environment"]["EMOSTREAM_WEIGHTS_DIR"] == volume.partition(":")[2]
    assert f"{volume}:ro" in services["emostream"]["volumes"]
    assert weights["profiles"] == ["weights"]  # not with `docker compose up`
    assert CliRunner().invoke(weights_command, ["pull", "--help"]).exit_code == 0
    assert weights["entrypoint"] == ["emostream", "weights"]


@pytest.mark.parametrize("name", sorted(read_yaml(BASE)["services"]))
def test_every_service_is_bounded_read_only_and_without_privileges(name: str) -> None:
    service = read_yaml(BASE)["services"][name]

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert {"mem_limit", "pids_limit"} <= service.keys()
    assert "latest" not in service["image"]


@pytest.mark.parametrize("name", ["emostream", "prometheus", "grafana"])
def test_whatever_speaks_no_tls_is_published_on_this_machine_alone(name: str) -> None:
    for port in read_yaml(BASE)["services"][name]["ports"]:
        assert port.startswith(("127.0.0.1:", "${EMOSTREAM_PUBLISH:-127.0.0.1}:"))


def test_files_that_services_mount_are_in_the_repository() -> None:
    mounted = {
        volume.split(":")[0]
        for service in read_yaml(BASE)["services"].values()
        for volume in service.get("volumes", ())
        if volume.startswith("./")
    }

    assert len(mounted) == 5
    assert [path for path in mounted if not (ROOT / path).exists()] == []


def test_the_server_believes_caddy_and_knows_the_names_by_which_it_is_asked() -> None:
    document = read_yaml(BASE)
    environment = document["services"]["emostream"]["environment"]
    caddy = document["services"]["caddy"]
    address = caddy["networks"]["default"]["ipv4_address"]
    settings = Settings.model_validate(
        {
            name.removeprefix("EMOSTREAM_").lower(): interpolated(environment[name])
            for name in ("EMOSTREAM_TRUSTED_PROXIES", "EMOSTREAM_ALLOWED_HOSTS")
        }
    )

    assert f"{interpolated(address)}/32" in settings.trusted_proxies
    assert settings.allowed_hosts == ("localhost", "emostream")
    [range_] = document["networks"]["default"]["ipam"]["config"]
    assert ip_address(interpolated(address)) in ip_network(interpolated(range_["subnet"]))
    assert ip_address(interpolated(address)) not in ip_network(interpolated(range_["ip_range"]))


def interpolated(text: str) -> str:
    """As Compose does where no variable is set: the defaults, from the inside out."""
    while (inner := re.sub(r"\$\{\w+:-([^${}]*)\}", r"\1", text)) != text:
        text = inner
    return text


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
    assert MAKE_TARGETS == ["faces", "web", "wheel"]


@pytest.mark.parametrize("image", IMAGES)
def test_the_server_in_the_image_is_not_root(image: str) -> None:
    user, _, group = argument_of("USER", image).partition(":")

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


@pytest.mark.parametrize("image", IMAGES)
def test_the_image_holds_the_wheel_over_libraries_that_a_change_of_the_code_leaves_alone(image: str) -> None:
    libraries = f"libraries-{image}"
    copied = [
        source
        for keyword, arguments in (*stage("skeleton"), *stage(libraries))
        if keyword == "COPY"
        for source in arguments.split()[:-1]
    ]

    assert not [source for source in copied if (ROOT / source).suffix == ".py" or (ROOT / source).is_dir()]
    assert ("COPY", f"--from={libraries} /opt/emostream /opt/emostream") in stage(image)
    [install] = [arguments for keyword, arguments in stage(image) if keyword == "RUN"]
    assert install.startswith("--mount=type=bind,from=build,source=/wheel,target=/wheel")
    assert install.endswith("pip install --no-index --no-deps --force-reinstall /wheel/*.whl")
    assert stage("build")[-1][1].endswith("make wheel DIST=/wheel")


def test_page_and_detector_are_made_in_the_image_and_not_taken_from_this_machine() -> None:
    rules = (ROOT / ".dockerignore").read_text().splitlines()

    assert {"server/dashboard", "server/detection/models"} <= set(rules)


def test_the_package_without_its_code_installs_and_asks_for_the_same_libraries(tmp_path: Path) -> None:
    """So that a change of the code does not install PyTorch again. Here the package alone is installed."""
    for keyword, arguments in stage("skeleton"):
        if keyword == "COPY":
            *sources, target = arguments.split()
            (tmp_path / target).mkdir(parents=True, exist_ok=True)
            for source in sources:
                shutil.copy(ROOT / source, tmp_path / target)
        elif keyword == "RUN" and arguments.startswith("sed "):
            subprocess.run(arguments, shell=True, cwd=tmp_path, timeout=60, check=True)

    program = "from setuptools.build_meta import build_wheel; build_wheel('.')"
    command = [sys.executable, "-c", program]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)

    assert result.returncode == 0, result.stderr
    [wheel] = tmp_path.glob("*.whl")
    with ZipFile(wheel) as archive:
        [info] = [name for name in archive.namelist() if name.endswith("/METADATA")]
        asked = message_from_bytes(archive.read(info)).get_all("Requires-Dist")
        assert not [name for name in archive.namelist() if name.endswith(".py")]
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert asked is not None
    assert sum("extra == 'server'" in line.replace('"', "'") for line in asked) == len(extras["server"])


# The proxy that speaks TLS


def test_caddys_configuration_is_valid_and_formatted(tmp_path: Path) -> None:
    caddy, environment = tool("caddy"), os.environ | {"HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path)}
    command = [caddy, "validate", "--adapter", "caddyfile", "--config", CADDYFILE]

    result = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)

    assert result.returncode == 0, result.stderr
    formatted = subprocess.run(
        [caddy, "fmt", CADDYFILE], capture_output=True, text=True, timeout=60, check=False
    )
    assert formatted.stdout == CADDYFILE.read_text()


async def test_caddy_serves_page_and_stream_over_tls_and_keeps_the_metrics_back(tmp_path: Path) -> None:
    """The configuration as it is, on other ports and without a certificate in the system's store."""
    with server_thread(FakeRecognizer(is_open=True), allowed_hosts="localhost") as server:
        https_port, http_port = free_port(), free_port()
        options = f"{{\n\tskip_install_trust\n\thttp_port {http_port}\n\thttps_port {https_port}\n"
        configuration = tmp_path / "Caddyfile"
        configuration.write_text(CADDYFILE.read_text().replace("{\n", options, 1))
        environment = os.environ | {
            "HOME": str(tmp_path),
            "XDG_DATA_HOME": str(tmp_path),
            "XDG_CONFIG_HOME": str(tmp_path),
            "EMOSTREAM_DOMAIN": "localhost",
            "EMOSTREAM_UPSTREAM": server.host,
        }
        # Its certificate comes after it says that it serves.
        with caddy(configuration, environment, until="certificate obtained successfully"):
            tls = ssl.create_default_context(cafile=str(tmp_path / "caddy/pki/authorities/local/root.crt"))
            base = f"https://localhost:{https_port}"
            async with httpx.AsyncClient(verify=tls, trust_env=False, timeout=PATIENCE_S) as client:
                about = await client.get(f"{base}/v1/about")
                metrics = await client.get(f"{base}/metrics")
            async with connect(
                f"wss://localhost:{https_port}/ws",
                ssl=tls,
                proxy=None,
                origin=base,  # type: ignore[arg-type]
            ) as stream:
                created = json.loads(await asyncio.wait_for(stream.recv(), PATIENCE_S))

    assert about.status_code == 200
    assert metrics.status_code == 404
    assert created["type"] == "session.created"


@contextmanager
def caddy(configuration: Path, environment: dict[str, str], until: str) -> Iterator[None]:
    """Caddy, once its log has said something."""
    command = [tool("caddy"), "run", "--adapter", "caddyfile", "--config", configuration]
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    limit = threading.Timer(PATIENCE_S, process.kill)
    limit.start()
    try:
        assert process.stderr is not None
        assert any(until in line for line in process.stderr)
        yield
    finally:
        limit.cancel()
        process.terminate()
        process.communicate(timeout=PATIENCE_S)


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port


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

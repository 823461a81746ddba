"""``emostream serve`` as a process: how it starts, and what it says if it cannot."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from emostream.cli.main import main
from emostream.exceptions import EmostreamError
from emostream.settings import Settings
from emostream.web_server import bind, create_server
from websockets.sync.client import connect

from tests.servers import QUICK_MODEL, ServerProcess
from tests.support import PATIENCE_S, ROOT, FakeRecognizer


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "emostream", *arguments],
        cwd=folder,
        env=os.environ | {"COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def the_error(result: subprocess.CompletedProcess[str]) -> str:
    """The one line that a person sees."""
    assert result.returncode == 1, result.stderr
    assert result.stdout == ""
    [line] = result.stderr.splitlines()
    assert line.startswith("error: ")
    return line


def test_a_port_that_is_taken_is_told_in_one_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        line = the_error(run(tmp_path, "serve", "--port", str(port)))

    assert line == f"error: port {port} is taken; choose another with PORT=… or --port"


def test_a_port_is_taken_from_the_moment_on_that_it_is_bound() -> None:
    """A second server is told so at once, and not when both have loaded their models."""
    with bind("127.0.0.1", 0) as first:
        port = first.getsockname()[1]

        with pytest.raises(EmostreamError, match=f"port {port} is taken"):
            bind("127.0.0.1", port)


def test_help_lists_the_commands(tmp_path: Path) -> None:
    result = run(tmp_path, "--help")

    assert result.returncode == 0
    assert "serve" in result.stdout
    assert "train" in result.stdout


# The same in this process: starting another one takes seconds


@pytest.fixture
def fail_to_serve(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Callable[..., str]:
    """Calls the command with arguments, and returns the one line that it ends with."""

    def call(*arguments: str) -> str:
        monkeypatch.chdir(tmp_path)  # where there is no .env
        monkeypatch.setattr(sys, "argv", ["emostream", "serve", *arguments])
        with pytest.raises(SystemExit) as caught:
            main()
        assert caught.value.code == 1
        [line] = capsys.readouterr().err.splitlines()
        assert line.startswith("error: ")
        return line

    return call


def test_an_address_of_another_machine_is_told_in_one_line(fail_to_serve: Callable[..., str]) -> None:
    line = fail_to_serve("--port", "0", "--host", "192.0.2.1")

    assert line.startswith("error: cannot listen on 192.0.2.1:0: ")


@pytest.mark.slow
def test_a_damaged_or_unwritable_cache_folder_prevents_no_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary, cache, occupied = tmp_path / "temporary", tmp_path / "cache", tmp_path / "file"
    temporary.mkdir()
    occupied.touch()
    monkeypatch.setenv("TMPDIR", str(temporary))
    with ServerProcess(tmp_path, cache, model=QUICK_MODEL) as first:
        assert "made anew" not in first.log
    for graph in cache.glob("*/probabilities.bin"):
        graph.write_bytes(b"")

    with ServerProcess(tmp_path, cache, model=QUICK_MODEL) as damaged:
        assert "cannot be used and is made anew" in damaged.log
    with ServerProcess(tmp_path, occupied, model=QUICK_MODEL) as unwritable:
        assert f"the cache folder {occupied} cannot be written" in unwritable.log
        assert list(temporary.glob("emostream-*")) == []


def test_an_unknown_model_is_told_in_one_line_with_those_there_are(
    fail_to_serve: Callable[..., str],
) -> None:
    line = fail_to_serve("--port", "0", "--model", "nonsense")

    assert "there is no model 'nonsense'; known are: default, " in line


def test_an_unknown_model_may_be_called_anything(fail_to_serve: Callable[..., str]) -> None:
    """Square brackets are markup to the library that prints the line."""
    assert "[/red]" in fail_to_serve("--port", "0", "--model", "[/red]")


def test_a_gpu_that_is_not_there_is_told_in_one_line(fail_to_serve: Callable[..., str]) -> None:
    assert "cuda:77" in fail_to_serve("--port", "0", "--model", QUICK_MODEL, "--device", "cuda:77")


def test_an_engine_in_a_cluster_needs_ray_and_says_how_to_get_it(
    fail_to_serve: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "emostream.cluster.ray_serve", raising=False)
    monkeypatch.setitem(sys.modules, "ray", None)

    line = fail_to_serve("--port", "0", "--engine", "ray://local")

    assert line.startswith("error: --engine ray://local needs Ray: ")
    assert line.endswith("install 'emostream[ray]'")


@pytest.mark.parametrize("engine", ["ray", "ray://", "tcp://10.0.0.1:6379", "ray://a/b"])
def test_an_engine_that_is_no_address_is_told_in_one_line(
    fail_to_serve: Callable[..., str], engine: str
) -> None:
    assert fail_to_serve("--engine", engine).startswith("error: --engine: ")


@pytest.mark.parametrize("options", [(), ("--reload",)])
def test_several_workers_are_refused_with_the_reason_and_where_to_read_on(
    fail_to_serve: Callable[..., str], options: tuple[str, ...]
) -> None:
    line = fail_to_serve("--port", "0", "--workers", "4", *options)

    assert line.startswith("error: --workers 4: every worker would load its own copy of the model")
    [document] = re.findall(r"docs/\S+\.md", line)
    assert (ROOT / document).is_file()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("EMOSTREAM_PORT", "eighty"),
        ("EMOSTREAM_MAX_FACES", "0"),
        ("EMOSTREAM_LOG_LEVEL", "loud"),
        ("EMOSTREAM_DEVICE", "tpu"),
    ],
)
def test_a_setting_that_makes_no_sense_is_told_in_one_line_by_its_name(
    fail_to_serve: Callable[..., str], monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)

    line = fail_to_serve()

    assert line.startswith(f"error: {name}: ")
    assert value in line


def test_help_lists_the_options(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["emostream", "serve", "--help"])

    with pytest.raises(SystemExit):
        main()

    out = capsys.readouterr().out
    assert all(option in out for option in ("--host", "--port", "--model", "--device"))


def test_an_option_that_makes_no_sense_is_told_in_one_line_by_its_name(
    fail_to_serve: Callable[..., str],
) -> None:
    assert fail_to_serve("--max-faces", "many").startswith("error: --max-faces: ")


# What a server that starts says and does


def test_every_setting_may_be_given_as_an_option(tmp_path: Path, cache_dir: Path) -> None:
    """It counts more than the environment, which says 5 here."""
    process = ServerProcess(tmp_path, cache_dir, options=("--max-faces", "3"), model=QUICK_MODEL, max_faces=5)
    try:
        with connect(f"{process.ws}/ws", proxy=None) as client:
            created = json.loads(client.recv(timeout=PATIENCE_S))
    finally:
        process.end()

    assert created["limits"]["max_faces"] == 3


@pytest.mark.slow
def test_with_reload_a_change_of_the_code_starts_the_server_anew(tmp_path: Path, cache_dir: Path) -> None:
    """On a copy of the code, which is to be changed."""
    shutil.copytree(ROOT / "server", tmp_path / "emostream", ignore=shutil.ignore_patterns("__pycache__"))
    process = ServerProcess(
        tmp_path,
        cache_dir,
        options=("--reload",),
        model=QUICK_MODEL,
        faces_dir=ROOT / "server" / "detection" / "models",
    )
    try:
        with (tmp_path / "emostream" / "api" / "sessions.py").open("a") as file:
            file.write("\n")
        process.wait_for(r"changed: .*sessions\.py")
        process.wait_for(r"dashboard and API on", times=2)
    finally:
        code = process.end()
    assert code == 0
    assert "Traceback" not in process.log


def test_a_start_says_what_answers_and_where(tmp_path: Path, cache_dir: Path) -> None:
    process = ServerProcess(tmp_path, cache_dir, model=QUICK_MODEL)
    process.end()

    assert f"{QUICK_MODEL} ({QUICK_MODEL}) on cpu" in process.log
    assert f"http://localhost:{process.port}" in process.log
    assert "Traceback" not in process.log


@pytest.mark.parametrize(
    ("host", "settings", "warns"),
    [("0.0.0.0", {}, True), ("0.0.0.0", {"token": "secret"}, False), ("127.0.0.1", {}, False)],
    ids=["open", "token", "loopback"],
)
def test_a_server_that_is_open_to_other_machines_says_so(
    tmp_path: Path, cache_dir: Path, host: str, settings: dict[str, str], warns: bool
) -> None:
    process = ServerProcess(tmp_path, cache_dir, model=QUICK_MODEL, host=host, **settings)
    process.end()

    assert (f"WARNING emostream.cli.serve: anyone who can reach {host}" in process.log) is warns
    assert "secret" not in process.log


def test_an_empty_token_is_told_in_one_line(
    fail_to_serve: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMOSTREAM_TOKEN", "")

    assert fail_to_serve().startswith("error: EMOSTREAM_TOKEN: a token must not be empty")


def test_streams_are_not_compressed_and_slow_recordings_not_cut_off() -> None:
    """JPEGs do not shrink. A recording's pongs wait behind its frames, which are not read for a while."""
    settings = Settings(_env_file=None, idle_timeout_s=600)  # type: ignore[call-arg]

    config = create_server(settings, FakeRecognizer()).config  # type: ignore[arg-type]

    assert config.ws_per_message_deflate is False
    assert config.ws_ping_timeout == 600

"""What of the image needs no container engine."""

import asyncio
import json
import re
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.servers import QUICK_MODEL, receive, server_thread, session
from tests.support import PATIENCE_S, FakeRecognizer, frame, tool
from tests.test_deployment import argument_of, stage

#: The tests' own; the folder's .pth files, one of which leads to the checkout, do not count in another's.
LIBRARIES = sysconfig.get_path("purelib")


def health_check() -> list[str]:
    command = json.loads(argument_of("HEALTHCHECK").partition("CMD ")[2])
    return [str(word) for word in command]


async def test_the_health_check_sees_an_engine_that_hangs() -> None:
    with server_thread(FakeRecognizer(), engine_timeout_s=0.2) as server:
        server.services.watchdog.end_process = lambda: None
        check = [word.replace(":8000/", f":{server.port}/") for word in health_check()]

        async def ask() -> subprocess.CompletedProcess[str]:
            command = [sys.executable, *check[1:]]
            return await asyncio.to_thread(
                subprocess.run, command, capture_output=True, text=True, timeout=PATIENCE_S, check=False
            )

        before = await ask()
        async with session(server) as client:
            await client.send(frame(1, b"face"))
            answer = await receive(client)
        after = await ask()

    assert before.returncode == 0, before.stderr
    assert answer["code"] == "internal_error"
    assert after.returncode != 0
    assert "HTTP Error 503" in after.stderr


#: What the server's process finds of itself: run in the image's file system, as its user.
INSIDE = """
import json, os, pathlib, signal, subprocess, sys, time, urllib.request

server = subprocess.Popen(sys.argv[2:], stderr=subprocess.PIPE, text=True)
deadline = time.monotonic() + 240
while (health := subprocess.run(json.loads(sys.argv[1]), capture_output=True)).returncode:
    assert server.poll() is None and time.monotonic() < deadline, server.stderr.read()
    time.sleep(0.5)
with urllib.request.urlopen("http://127.0.0.1:8000/v1/model") as answer:
    model = json.load(answer)["name"]
with urllib.request.urlopen("http://127.0.0.1:8000/") as answer:
    page = answer.read().decode()

def may_write(folder):
    try:
        pathlib.Path(folder, "probe").touch()
    except OSError:
        return False
    return True

folders = ["/", "/etc", "/usr", "/opt/emostream", "/var/lib/emostream/weights"]
folders += ["/tmp", "/var/cache/emostream"]
status = pathlib.Path("/proc/self/status").read_text()
server.send_signal(signal.SIGTERM)
code, log = server.wait(30), server.stderr.read()
print(json.dumps({
    "user": [os.getuid(), os.getgid()],
    "writable": [folder for folder in folders if may_write(folder)],
    "capabilities": status.partition("CapEff:")[2].split()[0],
    "model": model,
    "page": page,
    "code": code,
    "log": log,
}))
"""


def sandbox(*options: object) -> list[str]:
    """bwrap with this machine's system in place of the base image's, and nothing of the checkout."""
    options = tuple(map(str, options))
    for path in ("/usr", "/bin", "/lib", "/lib64", "/etc"):
        options = ("--ro-bind-try", path, path, *options)
    # Python, and its libraries, where these tests have them: the layer below the wheel.
    for path in (sys.base_prefix, LIBRARIES):
        options = ("--ro-bind", path, path, *options)
    isolation = ("--unshare-all", "--die-with-parent", "--cap-drop", "ALL", "--clearenv")
    return [tool("bwrap"), *isolation, "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", *options]


@pytest.mark.installs
@pytest.mark.skipif(sys.platform != "linux", reason="bwrap is for Linux")
def test_what_the_last_stage_holds_serves_as_its_user_with_a_read_only_root(
    wheel: Path, tmp_path: Path
) -> None:
    """The stage's own steps, on top of this machine's libraries: the same files and command, no engine."""
    folders = {name: tmp_path / name for name in ("opt", "cache", "weights")}
    for folder in folders.values():
        folder.mkdir()
    python = Path(sys.base_prefix, "bin", "python3")
    [install] = [
        arguments.rpartition("target=/wheel ")[2] for name, arguments in stage("cpu") if name == "RUN"
    ]
    build = f"{python} -m venv /opt/emostream && . /opt/emostream/bin/activate && {install}"
    mounts = ("--bind", folders["opt"], "/opt/emostream", "--ro-bind", wheel.parent, "/wheel")
    run(sandbox(*mounts, "--setenv", "PATH", "/usr/bin:/bin", "sh", "-c", build))
    [packages] = folders["opt"].glob("lib/python*/site-packages")
    packages.joinpath("libraries.pth").write_text(LIBRARIES)

    user, _, group = argument_of("USER").partition(":")
    variables = dict(re.findall(r"(\w+)=(\S+)", argument_of("ENV")))
    variables["PATH"] = variables["PATH"].replace("$PATH", "/usr/bin:/bin")
    environment = [part for name, value in variables.items() for part in ("--setenv", name, value)]
    start = [*json.loads(argument_of("ENTRYPOINT")), *json.loads(argument_of("CMD"))]
    done = run(
        sandbox(
            *("--ro-bind", folders["opt"], "/opt/emostream"),
            *("--bind", folders["cache"], variables["EMOSTREAM_CACHE_DIR"]),
            *("--ro-bind", folders["weights"], variables["EMOSTREAM_WEIGHTS_DIR"]),
            *("--remount-ro", "/", "--uid", user, "--gid", group, *environment),
            *("--setenv", "EMOSTREAM_MODEL", QUICK_MODEL, "python", "-c", INSIDE),
            *(json.dumps(health_check()), *start),
        )
    )

    said = json.loads(done.stdout)
    assert said["user"] == [int(user), int(group)]
    assert said["writable"] == ["/tmp", "/var/cache/emostream"]
    assert int(said["capabilities"], 16) == 0
    assert said["model"] == QUICK_MODEL
    assert "<title>" in said["page"]
    assert "Application shutdown complete" in said["log"]
    assert "Traceback" not in said["log"]
    assert any(folders["cache"].rglob("*"))  # where converted networks are kept


def run(command: list[str]) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    return done

"""What belongs to the whole process."""

import gc
import platform
import subprocess
import sys
from importlib import import_module

import cv2
import pytest
import torch
from emostream.cli.main import app
from emostream.process import configure_process, freeze_heap
from typer.testing import CliRunner


def run_alone(script: str, *arguments: str) -> str:
    """In a process of its own, where nothing else can have imported or set anything."""
    return subprocess.run(
        [sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=True
    ).stdout.strip()


def test_openvinos_telemetry_is_never_loaded() -> None:
    """Its converter works without."""
    script = (
        "import sys; from emostream.process import import_openvino; import_openvino();"
        "import openvino.tools.ovc; print(sys.modules.get('openvino_telemetry', 'not asked for'))"
    )

    assert run_alone(script) == "None"


def test_a_signal_finds_the_process_well_after_another_thread_has_let_a_network_go() -> None:
    script = """
import gc, os, signal, threading
from emostream.detection.verifier import FaceVerifier

held = [FaceVerifier()]
other = threading.Thread(target=lambda: (held.clear(), gc.collect()))
other.start()
other.join()
signal.signal(signal.SIGTERM, lambda *_: print("handled"))
os.kill(os.getpid(), signal.SIGTERM)
"""

    assert run_alone(script) == "handled"


def test_images_are_resized_by_the_thread_that_asks_and_float32_is_float32() -> None:
    cv2.setNumThreads(3)
    torch.backends.cudnn.allow_tf32 = True

    configure_process()

    assert cv2.getNumThreads() == 1
    assert not torch.backends.cudnn.allow_tf32


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another allocator")
def test_a_server_gives_the_memory_of_large_images_back() -> None:
    """After two of the same size: the first teaches glibc to keep the second's."""
    script = """
import os, sys
import emostream.process

def resident_mb():
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGESIZE") / 1e6

if sys.argv[1:]:
    emostream.process.configure_server()
before = resident_mb()
for _ in range(2):
    image = bytearray(b"1") * 20_000_000
    del image
print(resident_mb() - before > 10)
"""

    assert run_alone(script) == "True"
    assert run_alone(script, "configured") == "False"


def test_libraries_that_are_not_installed_are_not_asked_for() -> None:
    script = (
        "import importlib.util, sys; importlib.util.find_spec = lambda name: None;"
        "from emostream.process import configure_process; configure_process();"
        "print({'cv2', 'torch', 'openvino'} & set(sys.modules))"
    )

    assert run_alone(script) == "set()"


def test_importing_the_package_sets_nothing() -> None:
    script = "import sys, emostream, emostream.process; print('openvino_telemetry' in sys.modules)"

    assert run_alone(script) == "False"


def test_what_is_loaded_is_left_alone_by_the_garbage_collector() -> None:
    try:
        freeze_heap()
        assert gc.get_freeze_count() > 10_000
    finally:
        gc.unfreeze()


@pytest.mark.parametrize(
    ("module", "arguments"),
    [
        ("serve", ["serve"]),
        ("evaluate", ["evaluate", "default", "data"]),
        ("calibrate", ["calibrate", "default", "data"]),
        ("train", ["train", "recipe.yaml"]),
        ("data", ["data", "prepare", "fer2013.csv", "--out", "out"]),
        ("bench", ["bench", "engine"]),
    ],
)
def test_commands_that_compute_configure_the_process_first(
    module: str, arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class ConfiguredError(Exception):
        pass

    def configured() -> None:
        raise ConfiguredError

    monkeypatch.setattr(import_module(f"emostream.cli.{module}"), "configure_process", configured)

    assert isinstance(CliRunner().invoke(app, arguments).exception, ConfiguredError)

"""OpenVINO as everything here imports it."""

import subprocess
import sys


def test_its_telemetry_is_never_loaded() -> None:
    """In a process of its own, where nothing else can have imported it; its converter works without."""
    script = (
        "import sys; from emostream.process import import_openvino; import_openvino();"
        "import openvino.tools.ovc; print(sys.modules.get('openvino_telemetry', 'not asked for'))"
    )

    shown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert shown.stdout.strip() == "None"

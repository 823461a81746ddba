import subprocess
import sys


def test_reading_the_settings_loads_no_network_library() -> None:
    program = "import sys, emostream.settings; print('torch' in sys.modules, 'openvino' in sys.modules)"

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=300, check=True
    )

    assert done.stdout.split() == ["False", "False"]

import os
import subprocess
import sys

from tests.support import PATIENCE_S

#: What a client needs none of: the engines, the server, and what reads videos and cameras.
HEAVY = (
    *("av", "cv2", "fastapi", "matplotlib", "openvino", "prometheus_client", "pyarrow", "pydantic_settings"),
    *("torch", "uvicorn", "emostream.analysis", "emostream.api", "emostream.detection"),
    *("emostream.inference", "emostream.settings", "emostream.tracking"),
)


def test_nothing_heavy_is_imported_with_the_client() -> None:
    program = f"import sys, emostream.client; print([name for name in {HEAVY} if name in sys.modules])"

    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env=os.environ,
        timeout=PATIENCE_S,
        check=True,
    )

    assert done.stdout == "[]\n"


def test_the_client_works_where_none_of_it_is_installed() -> None:
    """The address is wrong, but the whole way to it has been gone."""
    program = f"""
import sys
for name in {HEAVY}:
    sys.modules[name] = None
from emostream import connect_sync
from emostream.exceptions import UnreachableError
try:
    with connect_sync("127.0.0.1:9"):
        pass
except UnreachableError:
    print("nobody there")
"""

    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env={**os.environ, "no_proxy": "127.0.0.1"},
        timeout=PATIENCE_S,
        check=True,
    )

    assert done.stdout == "nobody there\n"

"""The examples of docs/python.md and README.md, as a program and as a notebook."""

import base64
import io
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import emostream
import nbformat
import pytest
from PIL import Image

from tests.portraits import crowd, portrait
from tests.servers import ServerThread, server_thread
from tests.support import PATIENCE_S, ROOT, FakeRecognizer
from tests.writers.videos import make_video


def blocks(document: str) -> list[str]:
    text = (ROOT / document).read_text(encoding="utf-8")
    return re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


#: Those of the README that are about a server have tests of their own.
README = [block for block in blocks("README.md") if "emostream.analyze" in block]
EXAMPLES = [*blocks("docs/python.md"), *README]


@pytest.fixture(scope="module")
def server() -> Iterator[ServerThread]:
    with server_thread(FakeRecognizer(max_batch=16, is_open=True)) as server:
        yield server


@pytest.fixture(scope="module")
def examples(server: ServerThread) -> list[str]:
    return [block.replace("localhost:8000", server.host) for block in EXAMPLES]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A working folder with the files that the examples name."""
    crowd((960, 600), [90, 150]).picture.save(tmp_path / "group.jpg")
    (tmp_path / "photos").mkdir()
    for name in ("one.jpg", "two.jpg"):
        portrait().save(tmp_path / "photos" / name)
    make_video(tmp_path / "talk.mp4", 12)
    return tmp_path


@pytest.fixture
def environment(cache_dir: Path) -> dict[str, str]:
    settings = {"EMOSTREAM_CACHE_DIR": str(cache_dir), "EMOSTREAM_DEVICE": "cpu", "no_proxy": "127.0.0.1"}
    return os.environ | settings


def python(*arguments: str, **options: object) -> str:
    """What a program prints."""
    result = subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        timeout=3 * PATIENCE_S,
        check=False,
        **options,  # type: ignore[call-overload]
    )
    assert result.returncode == 0, result.stderr
    return str(result.stdout)


def test_the_examples_are_a_program(examples: list[str], folder: Path, environment: dict[str, str]) -> None:
    (folder / "program.py").write_text("\n".join(examples), encoding="utf-8")

    lines = python("program.py", cwd=folder, env=environment).splitlines()

    assert re.fullmatch(r"happiness (0\.9\d*|1\.0) \(.*\)", lines[0])
    assert any(line.startswith("compact-mobilenet-a (") for line in lines)
    assert [line.partition(" ")[0] for line in lines if line.startswith("photos")] == [
        "photos/one.jpg",
        "photos/two.jpg",
    ]
    assert "the first smile is at 0.00 s" in lines
    # The server's twelve frames. Its fake predictions are of any label, and some faces are marked as unsure.
    assert sum(re.fullmatch(r"0\.\d+ \['[^']+'\]", line) is not None for line in lines) == 12
    assert "nowhere.jpg cannot be read: No such file or directory" in lines
    with Image.open(folder / "group-annotated.jpg") as drawn:
        assert drawn.size == (960, 600)


#: In a process of its own: nbclient leaves its sockets to the end of the process.
EXECUTE = """
import sys
import nbformat
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient

notebook = nbformat.read("notebook.ipynb", nbformat.current_nbformat)
# By way of files, and not of ports that others could connect to.
manager = AsyncKernelManager(kernel_name="this", transport="ipc", ip=sys.argv[1] + "/socket")
NotebookClient(notebook, manager, timeout=200).execute()
nbformat.write(notebook, "notebook.ipynb")
"""


@pytest.mark.slow
def test_the_examples_are_a_notebook(examples: list[str], folder: Path, environment: dict[str, str]) -> None:
    cells = [nbformat.v4.new_code_cell(block) for block in examples]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), folder / "notebook.ipynb")
    # Not under tmp_path: a socket's path may have about a hundred characters.
    with tempfile.TemporaryDirectory(prefix="kernel", dir="/tmp") as short:
        for name in ("JUPYTER_PATH", "JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR", "IPYTHONDIR"):
            environment[name] = short
        spec = Path(short) / "kernels" / "this" / "kernel.json"
        spec.parent.mkdir(parents=True)
        command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        spec.write_text(json.dumps({"argv": command, "display_name": "this", "language": "python"}))
        python("-c", EXECUTE, short, cwd=folder, env=environment)

    executed = nbformat.read(folder / "notebook.ipynb", nbformat.current_nbformat)
    (shown,) = (cell.outputs[0].data for cell in executed.cells if cell.source.strip() == "faces")
    assert shown["text/plain"].startswith("<Faces: happiness")
    with Image.open(io.BytesIO(base64.b64decode(shown["image/jpeg"]))) as image:
        assert (image.format, image.size) == ("JPEG", (960, 600))


def test_importing_loads_nothing_heavy() -> None:
    heavy = ("torch", "openvino", "cv2", "fastapi", "av", "pandas", "PIL", "numpy", "pydantic", "websockets")

    loaded = python("-c", "import emostream, sys; print(*sys.modules)").split()

    assert "emostream" in loaded
    assert set(heavy) & set(loaded) == set()


def test_the_public_names_are_listed_and_each_is_there() -> None:
    assert set(emostream.__all__) <= set(dir(emostream))
    for name in emostream.__all__:
        assert getattr(emostream, name).__name__ == name
    with pytest.raises(AttributeError, match="has no attribute 'analyse'"):
        emostream.analyse  # noqa: B018

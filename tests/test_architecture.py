"""docs/architecture.md is true: who imports from whom, and which functions a frame and an image pass."""

import ast
import json
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import emostream
import httpx
import pytest
from websockets.sync.client import connect

from tests.portraits import portrait_file
from tests.servers import PATIENCE_S, ServerThread, server_thread
from tests.support import ROOT, FakeRecognizer, frame, jpeg

PACKAGE = ROOT / "server"
DOCUMENT = (ROOT / "docs" / "architecture.md").read_text()


def layers() -> dict[str, int]:
    """The layer of each folder or module, as the document has them."""
    found: dict[str, int] = {}
    layer = -1
    table = DOCUMENT.partition("## Layers")[2].partition("## ")[0]
    for first, names in re.findall(r"^\|([^|]*)\| (`[^|]*) \|", table, re.MULTILINE):
        layer += bool(first.strip())
        found |= dict.fromkeys(re.findall(r"`([^`]+)`", names), layer)
    return found


def imports() -> Iterator[tuple[str, str, str]]:
    """(importing file, its folder or module, the one that it imports from), but for types."""
    for path in PACKAGE.rglob("*.py"):
        relative = path.relative_to(PACKAGE)
        tree = ast.parse(path.read_text())
        for_types = {
            id(inner)
            for node in ast.walk(tree)
            if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING"
            for inner in ast.walk(node)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.level and id(node) not in for_types:
                package = relative.parent.parts[: len(relative.parts) - node.level]
                target = (*package, *(node.module or "").split("."))
                names = [target[0]] if target[0] else [alias.name for alias in node.names]
                for name in names:
                    yield str(relative), relative.parts[0].removesuffix(".py"), name


def test_every_folder_and_module_has_its_layer() -> None:
    there = {path.name.removesuffix(".py") for path in PACKAGE.iterdir() if path.suffix == ".py"}
    there |= {path.parent.name for path in PACKAGE.glob("*/__init__.py")}

    assert set(layers()) == there - {"__init__", "__main__"}


def test_nothing_imports_from_above() -> None:
    layer = layers()
    # Drawing is loaded when it is asked for: Faces.draw is for people who have an image in their hands.
    allowed = {("faces.py", "annotation")}

    upward = {
        (file, target)
        for file, home, target in imports()
        if home in layer and home != target and layer[target] > layer[home]
    }

    assert upward == allowed


def test_no_two_folders_import_each_other() -> None:
    pairs = {(home, target) for _, home, target in imports() if home != target}

    assert {pair for pair in pairs if pair[::-1] in pairs} == {
        ("faces", "annotation"),
        ("annotation", "faces"),
    }


def test_one_module_imports_ray_and_no_other_imports_that_module_before_it_is_needed() -> None:
    of_ray, of_the_module = set(), set()
    for path in PACKAGE.rglob("*.py"):
        tree = ast.parse(path.read_text())
        for node in ast.walk(tree):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module or ""]
            if any(name.partition(".")[0] == "ray" for name in names):
                of_ray.add(str(path.relative_to(PACKAGE)))
        for node in tree.body:
            if isinstance(node, ast.ImportFrom) and "ray_serve" in (node.module or ""):
                of_the_module.add(str(path.relative_to(PACKAGE)))

    assert of_ray == {"cluster/ray_serve.py"}
    assert of_the_module == set()


class Tracer:
    """The package's functions in the order in which they are first called, in any thread."""

    def __init__(self) -> None:
        self.called: dict[str, None] = {}
        self.is_on = False
        self._root = f"{PACKAGE}/"

    def __call__(self, frame: FrameType, event: str, argument: object) -> None:
        code = frame.f_code
        if self.is_on and event == "call" and code.co_filename.startswith(self._root):
            self.called.setdefault(f"{code.co_filename.removeprefix(self._root)} {code.co_qualname}")


@pytest.fixture
def traced() -> Iterator[tuple[Tracer, ServerThread]]:
    tracer = Tracer()
    before = threading.getprofile()
    threading.setprofile(tracer)
    try:
        with server_thread(FakeRecognizer(is_open=True)) as server:
            yield tracer, server
    finally:
        threading.setprofile(before)


@contextmanager
def tracing(tracer: Tracer) -> Iterator[None]:
    tracer.is_on = True
    yield
    tracer.is_on = False


def documented(heading: str) -> list[str]:
    """The functions under a heading, in their order."""
    part = DOCUMENT.partition(f"## {heading}")[2].partition("## ")[0]
    steps = re.findall(r"^\d+\. `([^`]+)` `([^`]+)`", part, re.MULTILINE)
    assert len(steps) == len(re.findall(r"^\d+\.", part, re.MULTILINE)) > 10
    return [f"{file} {function}" for file, function in steps]


#: What the fake recogniser stands for.
NETWORKS = {
    "imaging/decoding.py prepare",
    "inference/recognizer.py Recognizer.infer",
    "inference/openvino_engine.py OpenVinoEngine.infer",
}


@pytest.mark.skipif(sys.gettrace() is not None, reason="a debugger traces already")
def test_a_frame_passes_the_functions_that_the_document_names_in_their_order(
    traced: tuple[Tracer, ServerThread],
) -> None:
    tracer, server = traced
    with connect(f"{server.ws}/ws", proxy=None) as client:
        client.recv(PATIENCE_S)
        with tracing(tracer):
            client.send(frame(1, jpeg()))
            assert json.loads(client.recv(PATIENCE_S))["type"] == "result"

    wanted = [
        step
        for step in documented("How a frame travels")
        if step not in NETWORKS | {"imaging/decoding.py decode"}
    ]
    assert [step for step in tracer.called if step in wanted] == wanted


@pytest.mark.skipif(sys.gettrace() is not None, reason="a debugger traces already")
def test_an_image_passes_the_functions_that_the_document_names_in_their_order(
    traced: tuple[Tracer, ServerThread],
) -> None:
    tracer, server = traced
    with tracing(tracer):
        headers = {"Content-Type": "image/jpeg"}
        answer = httpx.post(
            f"{server.http}/v1/faces", content=portrait_file(), headers=headers, trust_env=False
        )
        assert len(answer.json()["faces"]) == 1

    wanted = [step for step in documented("How an image travels") if step not in NETWORKS]
    assert [step for step in tracer.called if step in wanted] == wanted


@pytest.mark.parametrize("heading", ["How a frame travels", "How an image travels"])
def test_every_function_that_the_document_names_exists(heading: str) -> None:
    for step in documented(heading):
        file, _, function = step.partition(" ")
        tree = ast.parse((PACKAGE / file).read_text())
        classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
        owner, _, name = function.rpartition(".")
        body = classes[owner].body if owner else tree.body
        assert any(getattr(node, "name", "") == name for node in body), step


def test_the_package_lies_in_the_folder_that_the_document_describes() -> None:
    assert emostream.__path__ == [str(PACKAGE)]

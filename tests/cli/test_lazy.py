import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from emostream.cli.main import COMMANDS
from emostream.exceptions import MissingExtraError


def commands(command: Any, *path: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command that is no group of others, with the words that call it."""
    if not hasattr(command, "commands"):
        yield path, command
        return
    for name, part in command.commands.items():
        yield from commands(part, *path, name)


@pytest.mark.parametrize("name", COMMANDS)
def test_what_the_list_says_of_a_command_is_what_its_own_help_says(name: str) -> None:
    loaded = COMMANDS[name].load(name)

    assert loaded.name == name
    first_line = " ".join(loaded.help.partition("\n\n")[0].split())
    assert COMMANDS[name].summary == first_line


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_says_in_its_help_what_it_does_with_an_example(name: str) -> None:
    for path, command in commands(COMMANDS[name].load(name), name):
        assert command.help, path
        assert f"emostream {' '.join(path)}" in command.epilog, path


@pytest.mark.parametrize(
    ("name", "module", "extra"), [("serve", "fastapi", "server"), ("train", "yaml", "train")]
)
def test_a_command_whose_extra_is_missing_says_so_before_anything_is_imported(
    monkeypatch: pytest.MonkeyPatch, name: str, module: str, extra: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    unimported = replace(COMMANDS[name], module="emostream.cli.no_such_module")

    with pytest.raises(MissingExtraError, match=f"{name} needs .*: .*pip install 'emostream\\[{extra}]'"):
        unimported.load(name)


@pytest.mark.parametrize(
    ("arguments", "absent"),
    [
        (["--help"], ("torch", "cv2", "fastapi", "av", "pyarrow")),
        (["--version"], ("torch", "cv2", "fastapi", "av", "pyarrow")),
        (["stream", "--help"], ("torch", "openvino", "fastapi", "matplotlib")),
    ],
    ids=lambda value: " ".join(value),
)
def test_what_a_command_does_not_need_is_not_loaded(arguments: list[str], absent: tuple[str, ...]) -> None:
    program = (
        f"import sys; sys.argv = ['emostream', *{arguments!r}]\n"
        "from emostream.cli.main import main\n"
        "try: main()\n"
        f"except SystemExit: print([name for name in {absent!r} if name in sys.modules])"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=300, check=True
    )

    assert done.stdout.splitlines()[-1] == "[]"

import sys
from importlib.metadata import version

import pytest
from emostream.cli import main as module
from emostream.exceptions import DatasetError
from typer.testing import CliRunner


def test_an_error_that_is_the_users_to_mend_is_one_line_and_exit_code_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise DatasetError("labels.csv: line 3 [sic] is broken: " + "x" * 300)

    monkeypatch.setattr(module, "app", fail)

    with pytest.raises(SystemExit) as caught:
        module.main()

    assert caught.value.code == 1
    assert capsys.readouterr().err == "error: labels.csv: line 3 [sic] is broken: " + "x" * 300 + "\n"


def test_an_error_of_the_program_itself_is_one_line_that_says_how_to_see_more(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise ZeroDivisionError("by nothing\nat all")

    monkeypatch.setattr(module, "app", fail)
    monkeypatch.setattr(sys, "argv", ["emostream", "serve"])

    with pytest.raises(SystemExit) as caught:
        module.main()

    assert caught.value.code == 1
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ZeroDivisionError: by nothing (")
    assert "--debug" in line


def test_a_library_that_is_missing_in_the_midst_of_a_command_is_one_line_that_names_the_command_to_type(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise ModuleNotFoundError("No module named 'pyarrow.parquet'", name="pyarrow.parquet")

    monkeypatch.setattr(module, "app", fail)

    with pytest.raises(SystemExit):
        module.main()

    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("error: this command needs PyArrow: ")
    assert line.endswith("pip install 'emostream[server]'")


@pytest.mark.parametrize("error", [ZeroDivisionError, DatasetError])
def test_with_debug_every_error_keeps_its_traceback(
    monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    def fail() -> None:
        raise error("broken")

    monkeypatch.setattr(module, "app", fail)
    monkeypatch.setattr(sys, "argv", ["emostream", "--debug", "serve"])

    with pytest.raises(error):
        module.main()


def call(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int | str | None:
    monkeypatch.setattr(sys, "argv", ["emostream", *arguments])
    with pytest.raises(SystemExit) as caught:
        module.main()
    return caught.value.code


def test_the_version_is_that_of_the_package(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, "--version") == 0

    assert capsys.readouterr().out == f"emostream {version('emostream')}\n"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_complete_commands(shell: str) -> None:
    """Asked as the script asks that ``--show-completion`` prints."""
    environment = {
        "_EMOSTREAM_COMPLETE": f"complete_{shell}",
        "_TYPER_COMPLETE_ARGS": "emostream se",
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
        "COMP_WORDS": "emostream se",
        "COMP_CWORD": "1",
    }
    runner = CliRunner()

    result = runner.invoke(module.app, [], prog_name="emostream", env=environment)

    assert "serve" in result.output
    assert "weights" not in result.output


def test_without_a_command_help_is_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["emostream"])

    with pytest.raises(SystemExit):
        module.main()

    captured = capsys.readouterr()
    assert "serve" in captured.out + captured.err

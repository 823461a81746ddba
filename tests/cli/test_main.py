import sys

import pytest

from server.cli import main as module
from server.exceptions import DatasetError


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


def test_an_error_of_the_program_itself_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(module, "app", fail)

    with pytest.raises(ZeroDivisionError):
        module.main()


def test_without_a_command_help_is_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["emostream"])

    with pytest.raises(SystemExit):
        module.main()

    captured = capsys.readouterr()
    assert "serve" in captured.out + captured.err

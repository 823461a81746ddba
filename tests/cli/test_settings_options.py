import pytest
import typer
from emostream.cli.settings_options import with_settings_options
from emostream.settings import Settings
from typer.testing import CliRunner


def command() -> tuple[typer.Typer, list[dict[str, str | None]]]:
    """A command with every setting, and what it has been called with."""
    calls: list[dict[str, str | None]] = []
    app = typer.Typer()

    @app.command()
    @with_settings_options
    def run(model: str = "own", **given: str | None) -> None:
        calls.append({"model": model, **given})

    return app, calls


def test_every_setting_is_an_option_and_text_or_nothing() -> None:
    app, calls = command()

    result = CliRunner().invoke(app, ["--port", "9000", "--max-faces", "3"])

    assert result.exit_code == 0, result.output
    [call] = calls
    assert set(call) == set(Settings.model_fields)
    assert (call["port"], call["max_faces"], call["host"]) == ("9000", "3", None)


def test_an_option_of_the_commands_own_stays_its_own() -> None:
    app, calls = command()

    CliRunner().invoke(app, [])

    assert calls[0]["model"] == "own"


def test_help_says_what_each_is_what_it_takes_and_its_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    app, _ = command()

    text = CliRunner().invoke(app, ["--help"]).output

    for line in (
        ("--port", "NUMBER", "Port to listen on", "[default: 8000]"),
        ("--policy", "mean|weighted|random", "How the members' probabilities are combined."),
        ("--precision", "auto|f16|bf16|f32", "[default: auto]"),
        ("--labels", "TEXT,…", "Labels of MODEL_FILE"),
        ("--mean", "NUMBER,…"),
        ("--model-file", "PATH", "Your own weights"),
    ):
        [found] = [row for row in text.splitlines() if f" {line[0]} " in row]
        assert all(part in found for part in line)


def test_every_setting_is_described() -> None:
    undescribed = [name for name, field in Settings.model_fields.items() if not field.description]

    assert undescribed == []


def test_an_unknown_option_is_a_mistake_in_usage() -> None:
    app, calls = command()

    assert CliRunner().invoke(app, ["--prot", "1"]).exit_code == 2
    assert calls == []

import io

import pytest
from emostream.cli.console import messages, results
from rich.console import Console
from rich.table import Table

HOSTILE = "a\x1b]0;owned\x07\x9b2J\u202eb\rc"
SHOWN = "a\\x1b]0;owned\\x07\\x9b2J\\u202eb\\rc"


@pytest.mark.parametrize("console", [results, messages], ids=["results", "messages"])
def test_what_is_printed_does_not_control_the_terminal(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a line, with markup and without, and in a table; its own colours stay."""
    table = Table("name")
    table.add_row(HOSTILE)
    shown = io.StringIO()
    # Not the property: what it says now would be written back, and every later message would go there.
    monkeypatch.setattr(console, "_file", shown)
    monkeypatch.setattr(console, "_color_system", None)

    console.print(f"first\n{HOSTILE}", markup=False)
    console.print(f"{HOSTILE}")
    console.print(table)

    text = shown.getvalue()
    assert set(text) <= {"\n"} | {character for character in text if character.isprintable()}
    assert text.startswith("first\na\\x1b]0;owned")
    assert text.count("owned") == 3

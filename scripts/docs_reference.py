"""Pages of the documentation site that are made from the code.

Run by MkDocs (mkdocs.yml, plugin gen-files); `make docs` starts it.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mkdocs_gen_files
import typer.main
import yaml
from emostream.app import create_app
from emostream.cli.main import app as command_line
from typer.core import TyperGroup

ROOT = Path(__file__).resolve().parent.parent


def write(name: str, text: str) -> None:
    with mkdocs_gen_files.open(name, "w") as page:
        page.write(text)


def as_page(file: str, links: dict[str, str]) -> str:
    """A document of the repository's root as a page of the site."""
    text = (ROOT / file).read_text()
    for target, name in links.items():
        text = text.replace(f"]({target}", f"]({name}")
    return text


def table(head: str, *rows: tuple[object, ...]) -> list[str]:
    """A Markdown table; ``head`` has the columns' names with bars between."""
    lines = ["", f"| {head} |", "|" + " --- |" * (head.count("|") + 1)]
    for row in rows:
        cells = (" ".join(str(cell).split()).replace("|", "\\|") for cell in row)
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def http_page() -> str:
    document: dict[str, Any] = create_app().openapi()
    lines = ["# The HTTP API", ""]
    lines += [
        "Made from the server's OpenAPI document. It serves that at `/openapi.json`, with a page at `/docs`."
    ]
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            lines += ["", f"## `{method.upper()} {path}`", ""]
            lines += [operation.get("description") or operation["summary"]]
            if parameters := operation.get("parameters"):
                rows = [(f"`{one['name']}`", one["in"], one.get("description", "")) for one in parameters]
                lines += table("parameter | in | what", *rows)
            answers = [(code, answer["description"]) for code, answer in operation["responses"].items()]
            lines += table("answer | what", *answers)
    return "\n".join(lines)


def stream_page() -> str:
    components = yaml.safe_load((ROOT / "docs" / "asyncapi.yaml").read_text())["components"]
    lines = ["# Messages of the stream", ""]
    lines += ["Made from `docs/asyncapi.yaml`. [The protocol](../protocol.md) says how they go together."]
    for name, message in components["messages"].items():
        lines += ["", f"## {message.get('name', name)}", ""]
        lines += [message.get("summary") or message.get("description") or ""]
        schema = message.get("payload", {})
        if reference := schema.get("$ref"):
            schema = components["schemas"][reference.rsplit("/", 1)[-1]]
        rows = []
        for field, facts in schema.get("properties", {}).items():
            kind = facts.get("type") or facts.get("$ref", "").rsplit("/", 1)[-1] or "one of several"
            must = "" if field in schema.get("required", ()) else ", optional"
            rows.append((f"`{field}`", f"{kind}{must}", facts.get("description", "")))
        if rows:
            lines += table("field | type | what", *rows)
    return "\n".join(lines)


def commands(name: str, command: Any) -> Iterator[str]:
    """The lines for a command and each of its subcommands."""
    yield from ["", f"## `{name}`", "", " ".join((command.help or "").split())]
    hidden = ("help", "install_completion", "show_completion")
    options = [one for one in command.params if one.name not in hidden]
    if options:
        rows = [
            (", ".join(f"`{each}`" for each in one.opts), getattr(one, "help", None) or "") for one in options
        ]
        yield from table("option | what", *rows)
    if isinstance(command, TyperGroup):
        context = typer.Context(command)
        for each in command.list_commands(context):
            if (inner := command.get_command(context, each)) is not None:
                yield from commands(f"{name} {each}", inner)


def cli_page() -> str:
    command = typer.main.get_command(command_line)
    return "\n".join(["# The command line", *commands("emostream", command)])


PYTHON = """# Python

[Use it from Python](../python.md) shows how the parts go together.

::: emostream.analysis.analyzer.analyze

::: emostream.analysis.analyzer.Analyzer

::: emostream.faces.Faces

::: emostream.faces.Face

::: emostream.client.connect

::: emostream.client.connect_sync

::: emostream.exceptions
    options:
      members: false
"""

LINKS = {
    "docs/": "",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "bench/README.md": "bench.md",
    "web/README.md": "page.md",
}

write("index.md", as_page("README.md", LINKS))
write("contributing.md", as_page("CONTRIBUTING.md", LINKS))
write("changelog.md", as_page("CHANGELOG.md", LINKS))
write("page.md", as_page("web/README.md", {"../docs/": ""}))
write("security.md", as_page("SECURITY.md", LINKS))
write("bench.md", re.sub(r"\]\(\.\./docs/", "](", as_page("bench/README.md", {"results/": "bench-results/"})))
for picture in (ROOT / "bench" / "results").glob("*.png"):
    with mkdocs_gen_files.open(f"bench-results/{picture.name}", "wb") as copy:
        copy.write(picture.read_bytes())
write("reference/http.md", http_page())
write("reference/stream.md", stream_page())
write("reference/cli.md", cli_page())
write("reference/python.md", PYTHON)

"""The documentation site (mkdocs.yml) has every document. `make docs` in CI refuses broken links."""

from collections.abc import Iterator
from typing import Any

import yaml

from tests.support import ROOT

#: Made from the code and from documents outside of docs/, by scripts/docs_reference.py.
MADE = {"index.md", "bench.md", "changelog.md", "contributing.md", "page.md", "security.md"}


def pages(navigation: list[Any]) -> Iterator[str]:
    for entry in navigation:
        for value in entry.values() if isinstance(entry, dict) else [entry]:
            if isinstance(value, list):
                yield from pages(value)
            else:
                yield value


def test_every_document_is_in_the_navigation() -> None:
    config = yaml.safe_load((ROOT / "mkdocs.yml").read_text())
    written = {str(path.relative_to(ROOT / "docs")) for path in (ROOT / "docs").rglob("*.md")}
    listed = set(pages(config["nav"]))

    assert written <= listed
    assert {page for page in listed - written if not page.startswith("reference/")} <= MADE

"""Hooks of the documentation site.

The package is linked under its own name, and links that leave docs/ go to the pages that stand in for them.
"""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

#: File in the repository, from docs/, to its page on the site.
PAGES = {
    "../README.md": "index.md",
    "../bench/README.md": "bench.md",
    "../CONTRIBUTING.md": "contributing.md",
    "../CHANGELOG.md": "changelog.md",
    "../SECURITY.md": "security.md",
    "../web/README.md": "page.md",
}


def on_startup(**_: object) -> None:
    """mkdocstrings reads sources, and looks for a folder called as the package."""
    link = ROOT / "build" / "docs" / "emostream"
    link.parent.mkdir(parents=True, exist_ok=True)
    if not link.is_symlink():
        link.symlink_to(ROOT / "server", target_is_directory=True)


def on_page_markdown(markdown: str, page: object, **_: object) -> str:
    """Called by MkDocs for every page, before it becomes HTML."""
    depth = getattr(page, "file").src_uri.count("/")  # noqa: B009  # MkDocs has no types here
    up = "../" * depth
    for target, name in PAGES.items():
        markdown = re.sub(rf"\]\({re.escape(up + target)}(#[^)]*)?\)", rf"]({up}{name}\1)", markdown)
    return markdown

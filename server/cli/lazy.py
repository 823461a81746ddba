"""Commands that are imported when they are called. PyTorch alone takes seconds to load, and neither
``--help`` nor a shell's completion needs it."""

from dataclasses import dataclass
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from ..extras import check_extra


@dataclass(frozen=True)
class LazyCommand:
    """Where a command is defined, and its line in the list of commands.

    ``attribute`` of ``module`` is the command's function, or the Typer of a group of commands. ``extra`` is
    what the command needs beyond the base package.
    """

    module: str
    attribute: str
    summary: str
    panel: str
    examples: tuple[str, ...] = ()
    extra: str | None = "server"

    def load(self, name: str) -> Any:
        """Imports the command. Raises MissingExtraError, before any import, if its extra is missing."""
        if self.extra:
            check_extra(self.extra, f"emostream {name}")
        found = getattr(import_module(self.module), self.attribute)
        if isinstance(found, typer.Typer):
            group = typer.main.get_group(found)
            group.name = name
            return group
        app = typer.Typer(rich_markup_mode="rich", add_completion=False)
        app.command(name, epilog=examples(*self.examples))(found)
        return typer.main.get_command(app)


class LazyGroup(TyperGroup):
    """A group whose ``lazy_commands`` are imported when they are called, not to list them."""

    lazy_commands: dict[str, LazyCommand]

    def list_commands(self, ctx: Any) -> list[str]:
        return list(self.lazy_commands)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        lazy = self.lazy_commands.get(cmd_name)
        if lazy is None:
            return None
        if self._is_listing:
            return TyperCommand(cmd_name, help=lazy.summary, rich_help_panel=lazy.panel)
        return lazy.load(cmd_name)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        self._is_listing = True
        super().format_help(ctx, formatter)
        self._is_listing = False

    def shell_complete(self, ctx: Any, incomplete: str) -> Any:
        self._is_listing = True
        found = super().shell_complete(ctx, incomplete)
        self._is_listing = False
        return found

    _is_listing = False


def examples(*commands: str) -> str:
    """The end of a command's help: example commands, one per line."""
    return "[bold]Examples[/]\n\n" + "\n\n".join(f"[cyan]{command}[/]" for command in commands)

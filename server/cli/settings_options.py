"""The settings as options of a command; emostream.settings defines their names, defaults and help texts."""

import inspect
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

import typer
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from ..settings import Settings

_PANEL = "Settings"


def with_settings_options(command: Callable[..., None]) -> Callable[..., None]:
    """Adds an option to the command for every setting that it does not declare itself.

    The command receives them as keyword arguments, as text or None; ``read_settings`` parses them.
    """
    own = inspect.signature(command)
    named = [p for p in own.parameters.values() if p.kind is not inspect.Parameter.VAR_KEYWORD]
    added = [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=None,
            annotation=Annotated[str | None, _option(name, field)],
        )
        for name, field in Settings.model_fields.items()
        if name not in own.parameters
    ]
    # Typer reads these.
    command.__signature__ = own.replace(parameters=[*named, *added])  # type: ignore[attr-defined]
    command.__annotations__ = {p.name: p.annotation for p in (*named, *added)}
    return command


def _option(name: str, field: FieldInfo) -> Any:
    default = field.get_default(call_default_factory=True)
    shown = "" if default in (None, (), PydanticUndefined) else f" \\[default: {_plain(default)}]"
    description = field.description or name.replace("_", " ")
    return typer.Option(
        f"--{name.replace('_', '-')}",
        metavar=_metavar(field.annotation),
        help=f"{description[:1].upper()}{description[1:]}.{shown}",
        show_default=False,
        rich_help_panel=_PANEL,
    )


def _plain(value: object) -> str:
    if isinstance(value, Path):
        return str(value).replace(str(Path.home()), "~", 1)
    return str(value)


def _metavar(annotation: Any) -> str:
    """What a value looks like: NUMBER, PATH, one|of|these, or TEXT."""
    candidates = [part for part in get_args(annotation) if part is not type(None)] or [annotation]
    first = candidates[0]
    if get_origin(annotation) is Literal or (isinstance(first, str) and len(candidates) > 1):
        return "|".join(map(str, candidates))
    if get_origin(annotation) is tuple:
        return "TEXT,…" if first is str else "NUMBER,…"
    if isinstance(first, type) and issubclass(first, Enum):
        return "|".join(str(member.value) for member in first)
    if first in (int, float):
        return "NUMBER"
    return "PATH" if first is Path else "TEXT"

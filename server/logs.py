"""Log lines for people or as JSON: without tokens, and with the session or request that they belong to."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

from .addresses import without_tokens
from .inert import in_json

_TEXT = "%(asctime)s %(levelname)s %(name)s: %(message)s"

_context: ContextVar[dict[str, str] | None] = ContextVar("emostream_log_context", default=None)


@contextmanager
def log_context(**fields: str) -> Iterator[None]:
    """Every line that is logged inside, and in tasks that begin there, has these fields, where it is JSON."""
    token = _context.set((_context.get() or {}) | fields)
    try:
        yield
    finally:
        _context.reset(token)


def formatter(log_format: str) -> logging.Formatter:
    """The formatter for "text" or "json"."""
    return _JsonFormatter() if log_format == "json" else _TextFormatter(_TEXT)


def _drop_clients_mistakes(record: logging.LogRecord) -> None:
    """No traceback for what clients send: a text message that is no UTF-8."""
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, UnicodeDecodeError) and record.name == "uvicorn.error":
        record.exc_info = None


class _TextFormatter(logging.Formatter):
    """Tokens, which browsers must put into the address, and libraries log with it, are left out."""

    def format(self, record: logging.LogRecord) -> str:
        _drop_clients_mistakes(record)
        return without_tokens(super().format(record))


class _JsonFormatter(logging.Formatter):
    """One object a line: ``time`` (UTC), ``level``, ``logger``, ``message``, ``exception`` if there was one,
    and the context; for uvicorn's access lines ``client``, ``method``, ``path`` and ``status``, too."""

    def format(self, record: logging.LogRecord) -> str:
        _drop_clients_mistakes(record)
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": without_tokens(record.getMessage()),
        }
        if record.name == "uvicorn.access" and isinstance(record.args, tuple):
            client, method, path, _, status = record.args
            line |= {"client": client, "method": method, "path": without_tokens(str(path)), "status": status}
        if record.exc_info:
            line["exception"] = without_tokens(self.formatException(record.exc_info))
        return in_json(json.dumps(line | (_context.get() or {}), ensure_ascii=False, default=str))

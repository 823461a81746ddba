"""Text of others, such as a file's name, made harmless where it is shown: no controls for terminals, no
formulas for spreadsheets. What programs read (JSON) says the same as before."""

import json
import unicodedata
from functools import lru_cache

#: They join letters of several scripts, and parts of an emoji.
_JOINERS = "\u200c\u200d"
#: Controls, surrogates, separators of lines and paragraphs, and what is invisible or turns text round.
_UNSEEN = frozenset(("Cc", "Cs", "Zl", "Zp", "Cf"))

#: What spreadsheets take for the beginning of a formula, the full-width forms included.
_FORMULA_SIGNS = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def visible(text: str, keep: str = "") -> str:
    """The text with every control and invisible character but those of ``keep`` as its escape, ``\\x1b`` say.

    A byte of a file's name that is no UTF-8 is shown as that byte.
    """
    return text if text.isprintable() else "".join(c if c in keep else _shown(c) for c in text)


def shown_value(value: object) -> object:
    """For Jinja's ``finalize``: strings visible; numbers, and markup of a template's own, as they are."""
    return visible(value) if type(value) is str else value


def in_cell(text: str) -> str:
    """The text for a cell of a CSV file: visible, and never a formula. One that would be gets an apostrophe
    before it, as OWASP recommends ("CSV injection")."""
    shown = visible(text)
    return f"'{shown}" if shown.lstrip().startswith(_FORMULA_SIGNS) else shown


def in_json(encoded: str) -> str:
    """JSON in which every control and invisible character is escaped: a terminal that shows it is safe,
    surrogates can be encoded, and who reads it gets the same text."""
    if encoded.isprintable():
        return encoded
    return "".join(c if _is_seen(c) else json.dumps(c)[1:-1] for c in encoded)


@lru_cache(maxsize=1024)
def _shown(character: str) -> str:
    if _is_seen(character):
        return character
    if "\udc80" <= character <= "\udcff":  # os.fsdecode's
        return f"\\x{ord(character) - 0xDC00:02x}"
    return character.encode("unicode_escape").decode()


def _is_seen(character: str) -> bool:
    return character in _JOINERS or unicodedata.category(character) not in _UNSEEN

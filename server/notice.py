"""What an operator tells the people before the camera, in one language or in several."""

import json
import re
from collections.abc import Mapping
from pathlib import Path

#: Of a notice file, in bytes: it is sent to every page that is opened.
MAX_BYTES = 64 * 1024

#: BCP 47's tag for text whose language nobody has named.
UNDETERMINED = "und"

_TAG = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")


def read_notice(path: Path) -> Mapping[str, str]:
    """Texts by their language's BCP 47 tag.

    A file whose name ends in ``.json`` holds an object ``{"en": "…", "de": "…"}``; any other holds one text,
    whose tag is then ``UNDETERMINED``. Raises ValueError that says what is wrong with the file.
    """
    try:
        with path.expanduser().open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        text = content.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} cannot be read: {error}") from error
    if len(content) > MAX_BYTES:
        raise ValueError(f"{path} has more than {MAX_BYTES} bytes")
    texts = _by_language(text, path) if path.suffix.lower() == ".json" else {UNDETERMINED: text}
    notice = {language: text.strip() for language, text in texts.items()}
    if not notice or not all(notice.values()):
        raise ValueError(f"{path}: a notice must not be empty")
    return notice


def _by_language(text: str, path: Path) -> dict[str, str]:
    try:
        texts = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is no JSON: {error}") from error
    if not isinstance(texts, dict) or not all(isinstance(value, str) for value in texts.values()):
        raise ValueError(f'{path} must hold an object of texts by language, such as {{"en": "…"}}')
    for language in texts:
        if _TAG.fullmatch(language) is None:
            raise ValueError(f"{path}: {language!r} is no language tag, such as en or de-AT")
    return texts

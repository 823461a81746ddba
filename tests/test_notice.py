"""What an operator may write into a notice file."""

import re
from pathlib import Path

import pytest
from emostream.exceptions import SettingsError
from emostream.notice import MAX_BYTES, read_notice
from emostream.settings import read_settings

from tests.support import ROOT


def written(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def test_a_text_is_of_no_particular_language(tmp_path: Path) -> None:
    file = written(tmp_path, "notice.txt", "\ufeffThe museum’s study.\n".encode())

    assert read_notice(file) == {"und": "The museum’s study."}


def test_a_json_file_has_a_text_for_each_language(tmp_path: Path) -> None:
    file = written(tmp_path, "notice.json", b'{"en": "A study.", "de-AT": "Eine Studie."}')

    assert read_notice(file) == {"en": "A study.", "de-AT": "Eine Studie."}


@pytest.mark.parametrize("document", ["docs/privacy.md", "docs/eu-ai-act.md"])
def test_the_notices_to_copy_are_read_in_english_and_german(document: str, tmp_path: Path) -> None:
    (notice,) = re.findall(r"^```json\n(.*?)^```", (ROOT / document).read_text(), re.MULTILINE | re.DOTALL)

    assert list(read_notice(written(tmp_path, "notice.json", notice.encode()))) == ["en", "de"]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("notice.txt", b" \n", "must not be empty"),
        ("notice.json", b"{}", "must not be empty"),
        ("notice.json", b'{"en": ""}', "must not be empty"),
        ("notice.json", b"A study.", "is no JSON"),
        ("notice.json", b"[" * 50_000, "is no JSON"),
        ("notice.json", b'["A study."]', "must hold an object"),
        ("notice.json", b'{"en": 3}', "must hold an object"),
        ("notice.json", b'{"../../etc": "A study."}', "is no language tag"),
        ("notice.txt", b"\xff\xfe", "cannot be read"),
        ("notice.txt", b"x" * (MAX_BYTES + 1), f"more than {MAX_BYTES} bytes"),
    ],
)
def test_a_file_that_is_no_notice_is_an_error_that_names_the_setting(
    tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    file = written(tmp_path, name, content)

    with pytest.raises(SettingsError, match=said) as caught:
        read_settings(notice_file=file)
    assert str(caught.value).startswith("EMOSTREAM_NOTICE_FILE: ")


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"^EMOSTREAM_NOTICE_FILE: .*cannot be read"):
        read_settings(notice_file=tmp_path / "missing.txt")

import re
from pathlib import Path

import pytest
from emostream import settings as settings_module
from emostream.exceptions import SettingsError
from emostream.settings import Settings, read_settings
from pydantic import ValidationError


@pytest.fixture(autouse=True)
def _in_an_empty_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A developer's own .env changes nothing here."""
    monkeypatch.chdir(tmp_path)


def test_without_any_setting_the_server_is_for_this_machine_only() -> None:
    settings = Settings()

    assert (settings.host, settings.port) == ("127.0.0.1", 8000)
    assert (settings.model, settings.device) == ("default", "auto")
    assert settings.token is None
    assert settings.allowed_origins == ()


def test_limits_are_those_of_the_protocol_document() -> None:
    settings = Settings()

    assert settings.max_message_bytes == 2097152
    assert settings.max_pixels == 8294400
    assert settings.max_faces == 32
    assert settings.max_frames_per_second == 100


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMOSTREAM_PORT", "9001")
    monkeypatch.setenv("EMOSTREAM_IDLE_TIMEOUT_S", "1.5")

    assert Settings().port == 9001
    assert Settings().idle_timeout_s == 1.5


def test_a_file_is_read_and_the_environment_goes_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("EMOSTREAM_PORT=9001\nEMOSTREAM_MAX_FACES=5\nANOTHER_PROGRAMS=setting\n")
    monkeypatch.setenv("EMOSTREAM_PORT", "9002")

    assert (Settings().port, Settings().max_faces) == (9002, 5)


def test_options_go_before_the_environment_and_none_is_no_option(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMOSTREAM_PORT", "9001")
    monkeypatch.setenv("EMOSTREAM_HOST", "0.0.0.0")

    settings = read_settings(port=9003, host=None)

    assert (settings.port, settings.host) == (9003, "0.0.0.0")


@pytest.mark.parametrize(
    ("value", "origins"),
    [
        ("https://a.example", ("https://a.example",)),
        ("https://a.example, http://b.example:8080 ,", ("https://a.example", "http://b.example:8080")),
        ("", ()),
        (" , ", ()),
    ],
    ids=["one", "two", "nothing", "commas"],
)
def test_origins_are_separated_by_commas(
    monkeypatch: pytest.MonkeyPatch, value: str, origins: tuple[str, ...]
) -> None:
    monkeypatch.setenv("EMOSTREAM_ALLOWED_ORIGINS", value)

    assert Settings().allowed_origins == origins


@pytest.mark.parametrize("device", ["auto", "cpu", "cuda", "cuda:0", "cuda:11"])
def test_devices_are_named_as_pytorch_names_them(device: str) -> None:
    assert Settings(device=device).device == device


@pytest.mark.parametrize("device", ["gpu", "CPU", "cuda:", "cuda:x", "cuda:1 ", "cpu\n"])
def test_other_devices_are_refused(device: str) -> None:
    with pytest.raises(ValidationError):
        Settings(device=device)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("port", -1),
        ("port", 65536),
        ("log_level", "loud"),
        ("threads", -1),
        ("decode_threads", 0),
        ("max_batch", -1),
        ("max_sessions", 0),
        ("max_message_bytes", 1023),
        ("max_pixels", 0),
        ("max_faces", 0),
        ("max_faces", 257),
        ("max_frames_per_second", 0),
        ("max_queued_frames", 0),
        ("idle_timeout_s", 0),
        ("shutdown_timeout_s", 0),
        ("precision", "f64"),
    ],
)
def test_a_value_that_makes_no_sense_is_an_error_that_names_its_setting(name: str, value: object) -> None:
    with pytest.raises(SettingsError, match=f"^--{name.replace('_', '-')}: "):
        read_settings(**{name: value})


def test_a_file_of_ones_own_is_named_once_in_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMOSTREAM_MEAN", "0.5,grey,0.5")

    with pytest.raises(SettingsError, match=r"^EMOSTREAM_MEAN"):
        read_settings()


def test_the_token_is_not_shown_by_accident() -> None:
    assert "sesame" not in repr(Settings(token="sesame"))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["EMOSTREAM_TOKEN", "EMOSTREAM_TOKENS"])
@pytest.mark.parametrize("value", ["", "  ", ","])
def test_an_empty_token_is_an_error_and_not_an_open_server(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(SettingsError, match=f"^{name}: a token must not be empty"):
        read_settings()


def test_tokens_come_from_three_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    file.write_text("four\n\n five \n")
    monkeypatch.setenv("EMOSTREAM_TOKEN", "one, as it is")
    monkeypatch.setenv("EMOSTREAM_TOKENS", "two, three")
    monkeypatch.setenv("EMOSTREAM_TOKEN_FILE", str(file))

    settings = read_settings()

    assert settings.accepted_tokens == ("one, as it is", "two", "three", "four", "five")
    assert "five" not in repr(settings)


@pytest.mark.parametrize(
    "content", [None, b"", b"\n \n", b"\xff"], ids=["no file", "empty", "blank", "no UTF-8"]
)
def test_a_token_file_without_a_token_is_an_error(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "tokens"
    if content is not None:
        file.write_bytes(content)

    with pytest.raises(SettingsError, match=r"^EMOSTREAM_TOKEN_FILE"):
        read_settings(token_file=file)


def test_the_home_folder_may_be_written_as_a_tilde(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/somebody")

    assert Settings().cache_dir == Path("/home/somebody/.cache/emostream")
    assert Settings(cache_dir=Path("~/mine")).cache_dir == Path("/home/somebody/mine")


def test_the_environment_is_read_nowhere_else() -> None:
    """One place for it, so that the table of settings is all there is to know."""
    server = Path(__file__).resolve().parent.parent / "server"

    readers = [
        path.relative_to(server).as_posix()
        for path in server.rglob("*.py")
        if "os.environ" in path.read_text() or "getenv" in path.read_text()
    ]

    assert readers == []


def test_origins_hosts_and_proxies_are_kept_in_one_spelling() -> None:
    settings = read_settings(
        allowed_origins="HTTPS://Emo.Example:443/,http://b.example:8080,*",
        allowed_hosts="Emo.Example.,*.Lan.Example,bücher.example,nas:9000",
        trusted_proxies="10.1.2.3/8, ::1",
    )

    assert settings.allowed_origins == ("https://emo.example", "http://b.example:8080", "*")
    assert settings.allowed_hosts == ("emo.example", "*.lan.example", "xn--bcher-kva.example", "nas")
    assert settings.trusted_proxies == ("10.0.0.0/8", "::1/128")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("allowed_origins", "emo.example"),
        ("allowed_origins", "https://emo.example/page"),
        ("allowed_origins", "null"),
        ("allowed_hosts", "https://emo.example"),
        ("allowed_hosts", "a.*.example"),
        ("trusted_proxies", "proxy.example"),
        ("cache_dir", "~nobody.of.this.name/cache"),
    ],
)
def test_an_origin_host_proxy_or_folder_that_cannot_be_one_is_an_error(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"^--{name.replace('_', '-')}: "):
        read_settings(**{name: value})


#: What docs/settings.md says in words instead of the field's value, and what that value is.
IN_WORDS = {
    "the ensemble's": None,
    "ImageNet's": (),
    "~/.local/share/emostream/weights": Path("~/.local/share/emostream/weights").expanduser(),
    "~/.cache/emostream": Path("~/.cache/emostream").expanduser(),
    "127.0.0.1,::1": ("127.0.0.1/32", "::1/128"),
    "false": False,
}


def test_the_document_has_every_setting_with_its_default() -> None:
    document = (Path(__file__).parent.parent / "docs" / "settings.md").read_text()
    documented = {}
    for names, default in re.findall(r"^\| (`.*?`) \| (.*?) \|", document, re.MULTILINE):
        for name in re.findall(r"`([A-Z_]+)`", names):
            documented[name.removeprefix("EMOSTREAM_").lower()] = default.strip("`")

    assert documented.keys() == Settings.model_fields.keys()
    settings = Settings()
    for name, words in documented.items():
        value = getattr(settings, name)
        if words == "none":
            assert value in (None, (), ""), name
        elif words == "in the package":
            assert value.is_relative_to(Path(settings_module.__file__).parent), name
        elif words in IN_WORDS:
            assert value == IN_WORDS[words], name
        else:
            assert str(value).removesuffix(".0") == words, name

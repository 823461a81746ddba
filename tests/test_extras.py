import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from emostream.exceptions import MissingExtraError
from emostream.extras import LIBRARIES, check_extra, missing_extra, needed_for

from tests.support import ROOT

EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]


@pytest.mark.parametrize("extra", ["video", "heic", "server", "tls", "ray", "train"])
def test_every_library_of_an_extra_is_known_with_the_command_that_installs_it(extra: str) -> None:
    named = {re.split(r"[\[<>=]", requirement)[0] for requirement in EXTRAS[extra]} - {"emostream"}

    known = {module for module, (_, requirement) in LIBRARIES.items() if requirement == f"emostream[{extra}]"}

    homes = packages_distributions()
    assert {homes[module][0].lower().replace("_", "-") for module in known} == named


@pytest.fixture
def activated(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A shell whose ``pip`` is the one beside the running Python."""
    for name in ("pip", "python"):
        tmp_path.joinpath(name).touch(mode=0o755)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.fixture
def without_av(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)


@pytest.mark.usefixtures("activated", "without_av")
def test_a_missing_library_is_one_line_that_names_the_command_to_type():
    with pytest.raises(MissingExtraError) as raised, needed_for("reading videos"):
        import av  # noqa: F401
    assert str(raised.value) == "reading videos needs PyAV: pip install 'emostream[video]'"
    assert (raised.value.library, raised.value.command) == ("PyAV", "pip install 'emostream[video]'")


@pytest.mark.usefixtures("without_av")
def test_a_part_of_a_missing_library_is_that_library(monkeypatch):
    with pytest.raises(MissingExtraError, match="needs PyAV"), needed_for("reading videos"):
        import av.container  # noqa: F401


@pytest.mark.usefixtures("activated", "without_av")
def test_a_use_that_needs_more_than_the_one_library_names_its_own_extra():
    with pytest.raises(MissingExtraError) as raised, needed_for("analysis", extra="server"):
        import av  # noqa: F401
    assert str(raised.value) == "analysis needs PyAV: pip install 'emostream[server]'"


@pytest.mark.usefixtures("activated")
def test_a_library_of_no_extra_is_installed_by_its_own_name():
    missing = missing_extra(ModuleNotFoundError(name="pandas"), "to_pandas()")
    assert str(missing) == "to_pandas() needs pandas: pip install pandas"


def test_the_command_is_of_the_running_python_where_the_shells_pip_is_another_ones(monkeypatch, tmp_path):
    tmp_path.joinpath("pip").touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    missing = missing_extra(ModuleNotFoundError(name="yaml"), "training")
    assert missing is not None
    assert missing.command == f"{sys.executable} -m pip install 'emostream[train]'"


def test_a_module_that_nobody_knows_stays_a_mistake_of_ours():
    with pytest.raises(ModuleNotFoundError, match="no_such_module"), needed_for("reading videos"):
        import no_such_module  # noqa: F401


@pytest.mark.usefixtures("activated")
def test_an_extra_is_checked_before_anything_of_it_is_imported(monkeypatch):
    monkeypatch.setattr("emostream.extras.find_spec", lambda module: None if module == "yaml" else module)
    check_extra("server", "emostream serve")
    with pytest.raises(
        MissingExtraError, match=r"^emostream train needs emostream\[train]: pip install 'emostream\[train]'$"
    ):
        check_extra("train", "emostream train")

import base64
import io
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from emostream.exceptions import WriteError
from emostream.training.datasets import LABELS
from emostream.training.evaluate import Evaluation, GroupResult, GroupResults
from emostream.training.reporting.report import check_report, write_report
from PIL import Image

from tests.training.evaluations import made_up_evaluation

_VOID = {"meta", "img", "br", "link"}


class Page(HTMLParser):
    """Collects sources and words, and checks that what is opened is closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.sources: list[str] = []
        self.tags: set[str] = set()
        self.words = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.sources += [value or "" for name, value in attrs if name in ("src", "href")]
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data


@pytest.fixture(scope="module")
def evaluation() -> Evaluation:
    return made_up_evaluation()


@pytest.fixture(scope="module")
def html(evaluation: Evaluation, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return write_report(evaluation, tmp_path_factory.mktemp("reports") / "deep/report.html")


@pytest.fixture(scope="module")
def markdown(evaluation: Evaluation, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return write_report(evaluation, tmp_path_factory.mktemp("reports") / "report.md")


def test_html_is_one_file_with_its_plots_in_it(html: list[Path]) -> None:
    assert [path.name for path in html] == ["report.html", "report.json"]
    text = html[0].read_text()
    page = Page(text)
    assert not page.tags & {"script", "link", "iframe"}
    assert len(page.sources) == 4
    for source in page.sources:
        kind, _, data = source.partition(",")
        assert kind == "data:image/png;base64"
        with Image.open(io.BytesIO(base64.b64decode(data, validate=True))) as image:
            assert image.width > 500
    assert "http" not in re.sub(r'base64,[^"]*', "", text)


def test_pages_of_both_formats_have_the_figures(
    evaluation: Evaluation, html: list[Path], markdown: list[Path]
) -> None:
    for words in (Page(html[0].read_text()).words, markdown[0].read_text()):
        assert f"{100 * evaluation.intervals.accuracy.value:.2f} %" in words
        assert f"{evaluation.intervals.macro_f1.value:.3f}" in words
        assert f"{evaluation.intervals.f1[0].low:.3f} to {evaluation.intervals.f1[0].high:.3f}" in words
        assert all(label in words for label in LABELS)
        assert "worse conditions" in words
        assert "dusk 1" in words
        assert "mine-a, mine-b" in words


def test_markdown_has_its_plots_beside_it(markdown: list[Path]) -> None:
    linked = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", markdown[0].read_text())

    assert sorted(linked) == sorted(path.name for path in markdown[2:])
    assert len(linked) == 4
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in markdown[2:])


def test_json_beside_it_has_everything(
    evaluation: Evaluation, html: list[Path], markdown: list[Path]
) -> None:
    for page in (html[0], markdown[0]):
        assert json.loads(page.with_suffix(".json").read_text()) == evaluation.as_dict()


def test_a_quick_evaluation_says_nothing_of_conditions_and_a_name_of_markup_changes_nothing(
    tmp_path: Path,
) -> None:
    evaluation = made_up_evaluation("<script>alert(1)</script>", conditions=0)

    page = Page(write_report(evaluation, tmp_path / "report.html")[0].read_text())

    assert "worse conditions" not in page.words
    assert "script" not in page.tags
    assert "<script>alert(1)</script>" in page.words


@pytest.mark.parametrize("ending", [".html", ".md"])
def test_groups_have_their_own_figures_and_classes(
    evaluation: Evaluation, tmp_path: Path, ending: str
) -> None:
    group = GroupResult("<night>", evaluation.scores, evaluation.intervals)
    grouped = replace(evaluation, groups=GroupResults("light", (group,), 3))

    text = write_report(grouped, tmp_path / f"report{ending}")[0].read_text()

    assert "By light" in text
    assert "&lt;night&gt;" in text
    assert "3 images are in no group" in text
    balanced = evaluation.intervals.balanced_accuracy
    assert text.count(f"{100 * balanced.low:.1f} to {100 * balanced.high:.1f}") >= (ending == ".md") + 1
    known = json.loads((tmp_path / "report.json").read_text())["groups"]
    assert known["by_name"]["<night>"]["images"] == 140


def test_another_ending_is_refused_before_anything_is_written(evaluation: Evaluation, tmp_path: Path) -> None:
    with pytest.raises(WriteError, match=r"report\.pdf: the name must end in \.html, \.md"):
        write_report(evaluation, tmp_path / "report.pdf")
    with pytest.raises(WriteError):
        check_report(Path("report"))
    assert list(tmp_path.iterdir()) == []

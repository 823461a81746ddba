"""The page writes the same files, to the byte: web/src/engine/export/sharedCase.test.ts."""

import json
from itertools import groupby
from pathlib import Path

import pytest
from emostream.faces import Face, Faces, Quality
from emostream.writers import Run, open_writer

from tests.support import ROOT

_FOLDER = ROOT / "tests" / "data" / "session"


@pytest.mark.parametrize(
    "name",
    ["faces.csv", "faces.long.csv", "faces.jsonl", "faces.eaf", "faces.boris.csv", "faces_events.tsv"],
)
def test_a_session_is_written_as_the_page_writes_it(tmp_path: Path, name: str) -> None:
    case = json.loads((_FOLDER / "session.json").read_text("utf-8"))
    run = Run(case["session"], case["model"], case["smoothing"], case["interval_ms"], case["started_at"])

    with open_writer(tmp_path / name, case["labels"], run) as writer:
        for _, rows in groupby(case["rows"], key=lambda row: row["frame"]):
            writer.write(_faces(case, list(rows)))

    written = sorted(path.name for path in tmp_path.iterdir())
    assert written == (["faces_events.json", "faces_events.tsv"] if name.endswith(".tsv") else [name])
    for path in tmp_path.iterdir():
        assert path.read_bytes().decode() == (_FOLDER / path.name).read_bytes().decode()


def _faces(case: dict, rows: list[dict]) -> Faces:  # type: ignore[type-arg]
    faces = tuple(
        Face(
            None if row["box"] is None else tuple(row["box"]),
            row["predictions"],
            None,
            row["face_id"],
            None if row["quality"] is None else Quality(**row["quality"]),
            row["uncertain"],
            tuple(row["reasons"]),
        )
        for row in rows
    )
    return Faces(
        faces, (640, 480), tuple(case["labels"]), case["source"], rows[0]["frame"], rows[0]["time_s"]
    )

"""Formats of research software: BIDS events, ELAN tiers, BORIS' spreadsheet of events.

The page writes the same (web/src/engine/export/labFormats.ts); tests/data/session compares the two.
"""

import csv
import io
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree

from ..inert import in_cell
from .episodes import Episode, rounded


def bids_events(episodes: Sequence[Episode]) -> str:
    """One row per episode, as in bids-specification.readthedocs.io under "Task events"."""
    lines = ["onset\tduration\ttrial_type\tvalue\tperson\tconfidence"]
    for episode in episodes:
        duration = rounded(episode.end_s - episode.start_s, 3)
        names = (" ".join(text.split()) or "n/a" for text in (episode.emotion, episode.person))
        lines.append(
            "\t".join([f"{episode.start_s}", f"{duration}", "emotion", *names, f"{episode.confidence}"])
        )
    return "".join(f"{line}\n" for line in lines)


def bids_sidecar(model: str, labels: Sequence[str]) -> str:
    """The meaning of the columns of ``bids_events``, as JSON."""
    levels = {
        "emotion": "One emotion was the person's most likely one",
        "marker": "A marker set by hand",
        "gap": "Nothing could be seen or recorded",
    }
    value = f"The emotion ({', '.join(labels)}), the marker's text, or the gap's reason"
    sidecar: dict[str, dict[str, Any]] = {
        "onset": {"Description": "Start, from the beginning of the session", "Units": "s"},
        "duration": {"Description": "Duration; 0 for a marker", "Units": "s"},
        "trial_type": {"Description": "Type of the row", "Levels": levels},
        "value": {"Description": value},
        "person": {"Description": "The face's name, or its number"},
        "confidence": {"Description": f"Mean probability that {model} gave the emotion, in [0, 1]"},
    }
    return json.dumps(sidecar, indent=2, ensure_ascii=False) + "\n"


def boris_events(episodes: Sequence[Episode]) -> str:
    """State events: one row for the start of an episode, and one for its end."""
    rows: list[tuple[float, bool, list[str]]] = []
    for episode in episodes:
        who = [episode.person, episode.emotion, ""]
        rows.append((episode.start_s, True, [*who, f"start, confidence {episode.confidence}"]))
        rows.append((episode.end_s, False, [*who, "stop"]))
    rows.sort(key=lambda row: row[:2])  # a stop comes before the start at the same time
    out = io.StringIO(newline="")
    table = csv.writer(out, lineterminator="\n")
    table.writerow(["time", "subject", "code", "modifier", "comment"])
    table.writerows([time_s, *map(in_cell, texts)] for time_s, _, texts in rows)
    return out.getvalue()


_SCHEMA = {
    "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
    "xsi:noNamespaceSchemaLocation": "http://www.mpi.nl/tools/elan/EAFv3.0.xsd",
}


def elan_file(episodes: Sequence[Episode], started_at_ms: float) -> str:
    """EAF 3.0 with a tier for each person. ``started_at_ms`` is Unix time."""
    started = datetime.fromtimestamp(started_at_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    about = {"AUTHOR": "Emostream", "DATE": started, "FORMAT": "3.0", "VERSION": "3.0", **_SCHEMA}
    document = ElementTree.Element("ANNOTATION_DOCUMENT", about)
    add = ElementTree.SubElement
    add(document, "HEADER", MEDIA_FILE="", TIME_UNITS="milliseconds")
    slots = add(document, "TIME_ORDER")

    def slot(time_s: float) -> str:
        name = f"ts{len(slots) + 1}"
        add(slots, "TIME_SLOT", TIME_SLOT_ID=name, TIME_VALUE=str(int(rounded(time_s * 1000, 0))))
        return name

    tiers: dict[str, ElementTree.Element] = {}
    by_person = sorted(episodes, key=lambda episode: (episode.person, episode.start_s))
    for count, episode in enumerate(by_person, start=1):
        tier = tiers.get(episode.person)
        if tier is None:
            tier = add(document, "TIER", LINGUISTIC_TYPE_REF="default-lt", TIER_ID=episode.person)
            tiers[episode.person] = tier
        place = {
            "ANNOTATION_ID": f"a{count}",
            "TIME_SLOT_REF1": slot(episode.start_s),
            # ELAN does not show annotations of length 0.
            "TIME_SLOT_REF2": slot(max(episode.end_s, episode.start_s + 0.001)),
        }
        annotation = add(add(tier, "ANNOTATION"), "ALIGNABLE_ANNOTATION", place)
        add(annotation, "ANNOTATION_VALUE").text = episode.emotion
    kind = {"GRAPHIC_REFERENCES": "false", "LINGUISTIC_TYPE_ID": "default-lt", "TIME_ALIGNABLE": "true"}
    add(document, "LINGUISTIC_TYPE", kind)
    ElementTree.indent(document, "  ")
    text = ElementTree.tostring(document, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'

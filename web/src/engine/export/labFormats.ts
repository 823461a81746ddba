import { csvText, pythonFloat, rounded, tsvText, xmlAttribute, xmlText } from "./text";
import type { Episode, LabSession } from "./episodes";

/*
 * The command line writes the same (server/writers/lab_formats.py); tests/data/session holds both to it.
 */

/** BIDS (bids-specification.readthedocs.io, "Task events"): a row an episode, marker or gap. */
export function bidsEvents({ episodes, happenings }: LabSession): string {
  const rows = [
    ...episodes.map(({ startS, endS, emotion, person, confidence }) => ({
      startS,
      endS,
      fields: ["emotion", emotion, person, pythonFloat(confidence)],
    })),
    ...happenings.map(({ kind, startS, endS, label }) => ({ startS, endS, fields: [kind, label, "", ""] })),
  ].sort((a, b) => a.startS - b.startS);
  const lines = rows.map(({ startS, endS, fields }) =>
    [pythonFloat(startS), pythonFloat(rounded(endS - startS, 3)), ...fields.map(tsvText)].join("\t"),
  );
  return ["onset\tduration\ttrial_type\tvalue\tperson\tconfidence", ...lines]
    .map((text) => `${text}\n`)
    .join("");
}

/** The sidecar that says what the columns of `bidsEvents` mean. */
export function bidsSidecar(model: string, labels: readonly string[]): string {
  const sidecar = {
    onset: { Description: "Start, from the beginning of the session", Units: "s" },
    duration: { Description: "Duration; 0 for a marker", Units: "s" },
    trial_type: {
      Description: "Type of the row",
      Levels: {
        emotion: "One emotion was the person's most likely one",
        marker: "A marker set by hand",
        gap: "Nothing could be seen or recorded",
      },
    },
    value: { Description: `The emotion (${labels.join(", ")}), the marker's text, or the gap's reason` },
    person: { Description: "The face's name, or its number" },
    confidence: { Description: `Mean probability that ${model} gave the emotion, in [0, 1]` },
  };
  return `${JSON.stringify(sidecar, null, 2)}\n`;
}

/** BORIS' spreadsheet of events: state events have a row where they start and one where they stop. */
export function borisEvents({ episodes, happenings }: LabSession): string {
  const rows = [
    ...episodes.flatMap(({ startS, endS, emotion, person, confidence }) => [
      { atS: startS, fields: [person, emotion, "", `start, confidence ${pythonFloat(confidence)}`] },
      { atS: endS, fields: [person, emotion, "", "stop"] },
    ]),
    ...happenings.flatMap(({ kind, startS, endS, label }) =>
      kind === "marker"
        ? [{ atS: startS, fields: ["", "marker", "", label] }]
        : [
            { atS: startS, fields: ["", "gap", label, "start"] },
            { atS: endS, fields: ["", "gap", label, "stop"] },
          ],
    ),
  ];
  // A stop comes before the start at the same time.
  const isStart = (fields: readonly string[]): number => (fields[3]?.startsWith("stop") === true ? 0 : 1);
  rows.sort((a, b) => a.atS - b.atS || isStart(a.fields) - isStart(b.fields));
  const lines = rows.map(({ atS, fields }) => [pythonFloat(atS), ...fields.map(csvText)].join(","));
  return ["time,subject,code,modifier,comment", ...lines].map((text) => `${text}\n`).join("");
}

interface Annotation {
  readonly startS: number;
  readonly endS: number;
  readonly value: string;
}

/** ELAN (EAF 3.0): a tier a person, one for markers and one for gaps. @param startedAtMs Unix time in ms */
export function elanFile({ episodes, happenings }: LabSession, startedAtMs: number): string {
  const tiers = new Map<string, Annotation[]>();
  const add = (tier: string, annotation: Annotation): unknown =>
    tiers.get(tier)?.push(annotation) ?? tiers.set(tier, [annotation]);
  const byPerson = [...episodes].sort((a, b) => compare(a.person, b.person) || a.startS - b.startS);
  for (const { person, startS, endS, emotion } of byPerson) add(person, { startS, endS, value: emotion });
  for (const { kind, startS, endS, label } of happenings) add(`${kind}s`, { startS, endS, value: label });

  const slots: number[] = [];
  const slot = (seconds: number): string => `ts${slots.push(Math.round(seconds * 1000))}`;
  let annotations = 0;
  const tierLines = [...tiers].flatMap(([name, list]) => [
    `  <TIER LINGUISTIC_TYPE_REF="default-lt" TIER_ID="${xmlAttribute(name)}">`,
    ...list.flatMap(({ startS, endS, value }) => [
      "    <ANNOTATION>",
      // ELAN shows nothing that has no length.
      `      <ALIGNABLE_ANNOTATION ANNOTATION_ID="a${++annotations}" TIME_SLOT_REF1="${slot(startS)}" TIME_SLOT_REF2="${slot(Math.max(endS, startS + 0.001))}">`,
      `        <ANNOTATION_VALUE>${xmlText(value)}</ANNOTATION_VALUE>`,
      "      </ALIGNABLE_ANNOTATION>",
      "    </ANNOTATION>",
    ]),
    "  </TIER>",
  ]);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<ANNOTATION_DOCUMENT AUTHOR="Emostream" DATE="${isoSeconds(startedAtMs)}" FORMAT="3.0" VERSION="3.0" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:noNamespaceSchemaLocation="http://www.mpi.nl/tools/elan/EAFv3.0.xsd">`,
    '  <HEADER MEDIA_FILE="" TIME_UNITS="milliseconds" />',
    "  <TIME_ORDER>",
    ...slots.map((value, index) => `    <TIME_SLOT TIME_SLOT_ID="ts${index + 1}" TIME_VALUE="${value}" />`),
    "  </TIME_ORDER>",
    ...tierLines,
    '  <LINGUISTIC_TYPE GRAPHIC_REFERENCES="false" LINGUISTIC_TYPE_ID="default-lt" TIME_ALIGNABLE="true" />',
    "</ANNOTATION_DOCUMENT>",
    "",
  ].join("\n");
}

/** 2026-11-26T16:00:00Z */
export function isoSeconds(unixMs: number): string {
  return `${new Date(unixMs).toISOString().slice(0, 19)}Z`;
}

function compare(a: Episode["person"], b: Episode["person"]): number {
  return a < b ? -1 : Number(a > b);
}

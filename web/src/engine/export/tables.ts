import { QUALITY_FIELDS } from "../recording/rows";
import type { SessionRecord } from "../recording/session";
import type { TableRow } from "./rows";
import { csvText, pythonBool, pythonFloat } from "./text";

/*
 * Tables with the columns of the command line (server/writers/tables.py); tests/data/session holds both to them.
 */

const FIRST = ["frame", "time_s", "source", "face_id", "box_x", "box_y", "box_width", "box_height"];
const EMOTION = ["score", "emotion", "confidence"];
const LAST = [
  ...QUALITY_FIELDS,
  "uncertain",
  "reasons",
  "captured_at",
  "person",
  "marker",
  "session",
  "model",
  "smoothing",
  "interval_ms",
];

/** A row a face and frame, a column a label. */
export function wideHeader(labels: readonly string[]): string {
  return line([...FIRST, ...EMOTION, ...labels.map((label) => `p_${label}`), ...LAST].map(csvText));
}

export function wideLine(row: TableRow, session: SessionRecord): string {
  const probabilities = session.labels.map((label) => {
    const at = row.settings.labels.indexOf(label);
    return at < 0 ? "" : pythonFloat(row.probabilities[at] ?? 0);
  });
  return line([...firstFields(row), ...probabilities, ...lastFields(row, session)]);
}

/** A row a face, frame and label. */
export function longHeader(): string {
  return line([...FIRST, ...EMOTION, "label", "probability", ...LAST]);
}

export function longLines(row: TableRow, session: SessionRecord): string {
  const [first, last] = [firstFields(row), lastFields(row, session)];
  return row.settings.labels
    .map((label, at) => line([...first, csvText(label), pythonFloat(row.probabilities[at] ?? 0), ...last]))
    .join("");
}

/** An object a face and frame. Floats are written as Python does, which JSON.stringify would not. */
export function jsonLine(row: TableRow, session: SessionRecord): string {
  const { settings, quality, boxXywh } = row;
  const isMeasured = quality.some((value) => value !== null);
  const fields: [string, string][] = [
    ["frame", String(row.frame)],
    ["time_s", pythonFloat(row.timeS)],
    ["source", JSON.stringify(settings.source)],
    ["face_id", String(row.faceId)],
    ["box", boxXywh === null ? "null" : `[${boxXywh.join(",")}]`],
    ["score", "null"],
    ["emotion", JSON.stringify(row.emotion)],
    ["confidence", pythonFloat(row.confidence)],
    [
      "predictions",
      object(settings.labels.map((label, at) => [label, pythonFloat(row.probabilities[at] ?? 0)])),
    ],
    [
      "quality",
      isMeasured ? object(QUALITY_FIELDS.map((name, at) => [name, jsonFloat(quality[at])])) : "null",
    ],
    ["uncertain", String(row.uncertain)],
    ["reasons", JSON.stringify(row.reasons)],
    ["captured_at", pythonFloat(row.capturedAtMs)],
    ["person", JSON.stringify(row.person)],
    ["marker", JSON.stringify(row.marker)],
    ["session", JSON.stringify(session.name)],
    ["model", JSON.stringify(settings.model)],
    ["smoothing", pythonFloat(settings.smoothing)],
    ["interval_ms", String(settings.intervalMs)],
  ];
  return `${object(fields)}\n`;
}

function firstFields(row: TableRow): string[] {
  return [
    String(row.frame),
    pythonFloat(row.timeS),
    csvText(row.settings.source ?? ""),
    String(row.faceId),
    ...(row.boxXywh?.map(String) ?? ["", "", "", ""]),
    "", // score: the page sends no detector's score
    csvText(row.emotion),
    pythonFloat(row.confidence),
  ];
}

function lastFields(row: TableRow, session: SessionRecord): string[] {
  return [
    ...row.quality.map((value) => (value === null ? "" : pythonFloat(value))),
    row.uncertain === null ? "" : pythonBool(row.uncertain),
    row.reasons.join(" "),
    pythonFloat(row.capturedAtMs),
    csvText(row.person ?? ""),
    csvText(row.marker ?? ""),
    csvText(session.name),
    csvText(row.settings.model),
    pythonFloat(row.settings.smoothing),
    String(row.settings.intervalMs),
  ];
}

function line(fields: readonly string[]): string {
  return `${fields.join(",")}\n`;
}

function object(fields: readonly (readonly [string, string])[]): string {
  return `{${fields.map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(",")}}`;
}

function jsonFloat(value: number | null | undefined): string {
  return value === null || value === undefined ? "null" : pythonFloat(value);
}

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { labSessionOf } from "./episodes";
import { exportSession } from "./exportSession";
import { bidsEvents, bidsSidecar } from "./labFormats";
import { sourceOf } from "./testing";

const FOLDER = new URL("../../../../tests/data/session/", import.meta.url);

interface Case {
  readonly session: string;
  readonly model: string;
  readonly labels: readonly string[];
  readonly smoothing: number;
  readonly interval_ms: number;
  readonly started_at: number;
  readonly source: string;
  readonly rows: readonly {
    readonly captured_at: number;
    readonly face_id: number;
    readonly box: readonly number[] | null;
    readonly predictions: Readonly<Record<string, number>>;
    readonly quality: Readonly<Record<string, number | null>> | null;
    readonly uncertain: boolean;
    readonly reasons: readonly string[];
  }[];
}

const read = (name: string): string => readFileSync(new URL(name, FOLDER), "utf8");
const shared = JSON.parse(read("session.json")) as Case;

const source = sourceOf(
  {
    model: shared.model,
    labels: shared.labels,
    smoothing: shared.smoothing,
    intervalMs: shared.interval_ms,
    source: shared.source,
  },
  // The emotion is left to the row: it is the likeliest label.
  shared.rows.map((row) => ({ ...row, capturedAtMs: row.captured_at, emotion: "" })),
  { name: shared.session, startedAtMs: shared.started_at, updatedAtMs: shared.started_at + 2600 },
);

/** tests/writers/test_shared_session.py holds the command line to the same files. */
describe("the page's files are the command line's, byte for byte", () => {
  it.each([
    ["csv", "faces.csv"],
    ["csv_long", "faces.long.csv"],
    ["jsonl", "faces.jsonl"],
    ["elan", "faces.eaf"],
    ["boris", "faces.boris.csv"],
  ] as const)("%s", async (format, name) => {
    const { blob } = await exportSession(source, format);
    expect(await blob.text()).toBe(read(name));
  });

  it("bids", async () => {
    expect(bidsEvents(await labSessionOf(source))).toBe(read("faces_events.tsv"));
    expect(bidsSidecar(shared.model, shared.labels)).toBe(read("faces_events.json"));
  });
});

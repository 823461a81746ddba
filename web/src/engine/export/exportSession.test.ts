import { parquetReadObjects } from "hyparquet";
import { describe, expect, it } from "vitest";
import type { SessionEvent } from "../recording/session";
import { exportSession, fileStem } from "./exportSession";
import { sourceOf, type TimedFace } from "./testing";

const SETTINGS = { model: "m", labels: ["glad", "sad"], smoothing: 0, intervalMs: 100, source: null };
const START_MS = 1_790_000_000_000;

function face(secondsIn: number, face_id: number, glad: number): TimedFace {
  return {
    capturedAtMs: START_MS + 1000 * secondsIn,
    face_id,
    emotion: glad > 0.5 ? "glad" : "sad",
    predictions: { glad, sad: 1 - glad },
  };
}

const EVENTS: readonly SessionEvent[] = [
  { kind: "marker", id: "a", atMs: START_MS + 950, key: "1", note: "" },
  { kind: "marker", id: "b", atMs: START_MS + 1000, key: null, note: "=question <2>" },
  { kind: "gap", id: "c", fromMs: START_MS + 2000, toMs: START_MS + 4500, reason: "hidden" },
];

const source = sourceOf(
  SETTINGS,
  [face(0, 1, 0.75), face(1, 1, 0.75), face(1, 2, 0.25), face(5, 1, 0.125)],
  { name: "Pilot", startedAtMs: START_MS, updatedAtMs: START_MS + 6000, people: { 1: "Ada & Bo" } },
  EVENTS,
);

async function linesOf(format: "csv" | "jsonl" | "boris"): Promise<readonly string[]> {
  return (await (await exportSession(source, format)).blob.text()).trimEnd().split("\n");
}

describe("exportSession", () => {
  it("has names, and markers in all rows of the first frame after them", async () => {
    const rows = (await linesOf("jsonl")).map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(rows.map(({ frame, time_s, person, marker }) => [frame, time_s, person, marker])).toEqual([
      [0, 0, "Ada & Bo", null],
      [1, 1, "Ada & Bo", "1; =question <2>"],
      [1, 1, null, "1; =question <2>"],
      [2, 5, "Ada & Bo", null],
    ]);
  });

  it("keeps spreadsheets from running what somebody wrote", async () => {
    expect((await linesOf("boris")).find((line) => line.includes("question"))).toBe(
      "1.0,,marker,,'=question <2>",
    );
  });

  it("gives programs for behaviour each marker as a point, and each gap with a start and a stop", async () => {
    const lines = await linesOf("boris");
    expect(lines[0]).toBe("time,subject,code,modifier,comment");
    expect(lines.filter((line) => /,(marker|gap),/.test(line))).toEqual([
      "0.95,,marker,,1",
      "1.0,,marker,,'=question <2>",
      "2.0,,gap,hidden,start",
      "4.5,,gap,hidden,stop",
    ]);
  });

  it("gives ELAN a tier for each person, for markers and for gaps", async () => {
    const text = await (await exportSession(source, "elan")).blob.text();
    expect([...text.matchAll(/TIER_ID="([^"]*)"/g)].map(([, name]) => name)).toEqual([
      "Ada &amp; Bo",
      "Face 2",
      "markers",
      "gaps",
    ]);
    expect(text).toContain("<ANNOTATION_VALUE>=question &lt;2&gt;</ANNOTATION_VALUE>");
  });

  it("gives BIDS its two files in one", async () => {
    const { name, blob } = await exportSession(source, "bids");
    const text = await blob.text();
    expect(name).toBe("emostream-Pilot_bids.zip");
    expect(text).toContain("2.0\t2.5\tgap\thidden\tn/a\tn/a\n");
    expect(text).toContain("0.95\t0.0\tmarker\t1\tn/a\tn/a\n");
    expect(text).toContain("emostream-Pilot_events.json");
  });

  it("gives Parquet with types", async () => {
    const { blob } = await exportSession(source, "parquet");
    const rows = await parquetReadObjects({ file: await blob.arrayBuffer() });
    expect(rows).toHaveLength(4);
    expect(rows[3]).toMatchObject({
      frame: 2n,
      time_s: 5,
      face_id: 1n,
      emotion: "sad",
      p_glad: 0.125,
      uncertain: null,
      box_x: null,
      person: "Ada & Bo",
      captured_at: START_MS + 5000,
      session: "Pilot",
      interval_ms: 100,
    });
  });

  it("is a header alone where nobody was seen", async () => {
    const { blob } = await exportSession(sourceOf(SETTINGS, []), "csv");
    expect(await blob.text()).toMatch(/^frame,time_s,.*,interval_ms\n$/);
  });

  it("leaves a cell empty where a model did not know the label", async () => {
    const two = sourceOf(SETTINGS, [face(0, 1, 0.75)], { labels: ["glad", "sad", "calm"] });
    const [header = "", row = ""] = (await (await exportSession(two, "csv")).blob.text()).split("\n");
    expect(row.split(",")[header.split(",").indexOf("p_calm")]).toBe("");
  });
});

describe("fileStem", () => {
  it("says the session's name, or else its time, in what file systems take", () => {
    expect(fileStem("Müller / 3. Test", 0)).toBe("emostream-Müller-3-Test");
    expect(fileStem("…", START_MS)).toBe("emostream-2026-09-21T14-13-20");
  });
});

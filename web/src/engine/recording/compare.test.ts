import "fake-indexeddb/auto";
import { describe, expect, it } from "vitest";
import { resultOf } from "../testing";
import { compareSessions } from "./compare";
import { SessionDatabase } from "./database";
import { Recorder } from "./recorder";
import { Replay } from "./replay";

let databases = 0;

/** Records what a function says of each frame, for so many of them. */
async function record(
  database: SessionDatabase,
  id: string,
  emotionAt: (frame: number) => string | null,
  frames: number,
  stepMs = 100,
): Promise<void> {
  let nowMs = 0;
  let ids = 0;
  const recorder = new Recorder(database, {
    now: () => nowMs,
    newId: () => (ids++ === 0 ? id : `${id}-${ids}`),
    hold: () => () => {},
  });
  const labels = ["happiness", "fear", "other"];
  recorder.setSettings({ model: id, labels, smoothing: 0, intervalMs: 100, source: null });
  await recorder.start(id);
  for (let frame = 0; frame < frames; frame++) {
    nowMs = stepMs * frame;
    const emotion = emotionAt(frame);
    if (emotion !== null) recorder.addResult(resultOf([1], emotion, nowMs), nowMs);
    if (frame % 50 === 49) await recorder.keep();
  }
  await recorder.stop();
}

function setup(): SessionDatabase {
  return new SessionDatabase(`compare-${databases++}`);
}

describe("compareSessions", () => {
  it("lists the stretches in which the same face is named otherwise", async () => {
    const database = setup();
    await record(database, "a", () => "happiness", 100);
    await record(database, "b", (frame) => (frame >= 30 && frame < 50 ? "fear" : "happiness"), 100);
    const { compared, differing, differences } = await compareSessions(database, "a", "b");
    expect([compared, differing]).toEqual([100, 20]);
    expect(differences).toMatchObject([
      { faceId: 1, fromMs: 3000, toMs: 4900, rows: 20, first: "happiness", second: "fear" },
    ]);
    expect(differences[0]?.distance).toBeCloseTo(0.8, 6);
  });

  it("compares only the frames that both have", async () => {
    const database = setup();
    await record(database, "a", () => "happiness", 50);
    await record(database, "b", (frame) => (frame % 5 === 0 ? "happiness" : null), 80);
    expect(await compareSessions(database, "a", "b")).toEqual({
      compared: 10,
      differing: 0,
      differences: [],
    });
  });
});

describe("Replay", () => {
  it("opens a session with its timeline, and knows the rows of any moment", async () => {
    const database = setup();
    await record(database, "a", (frame) => (frame < 50 ? "happiness" : "fear"), 100);
    const replay = await Replay.open(database, "a");
    expect(replay?.timeline.lanes()).toMatchObject([{ name: "Face 1", rows: 100 }]);
    expect((await replay?.rowsAt(2050))?.map(({ emotion, capturedAtMs }) => [emotion, capturedAtMs])).toEqual(
      [["happiness", 2000]],
    );
    expect((await replay?.rowsAt(9000))?.[0]?.emotion).toBe("fear");
    expect(await replay?.rowsAt(60_000)).toEqual([]);
  });

  it("reads a short stretch of a long session in full detail", async () => {
    const database = setup();
    await record(database, "a", () => "happiness", 1200, 1000);
    const replay = await Replay.open(database, "a");
    if (replay === null) throw new Error("it is there");
    const span = { fromMs: 60_000, toMs: 70_000 };
    expect(replay.timelineFor({ fromMs: 0, toMs: 1_200_000 }, () => {})).toBe(replay.timeline);
    const detailed = await new Promise<typeof replay.timeline>((resolve) => {
      replay.timelineFor(span, () => resolve(replay.timelineFor(span, () => {})));
    });
    expect(detailed).not.toBe(replay.timeline);
    expect(detailed.spanMs?.[0]).toBeLessThanOrEqual(span.fromMs);
    expect(detailed.lanes()[0]?.rows).toBeLessThan(600);
  });

  it("is null for a session that has been deleted", async () => {
    expect(await Replay.open(setup(), "gone")).toBeNull();
  });
});

import "fake-indexeddb/auto";
import { describe, expect, it, vi } from "vitest";
import { resultOf } from "../testing";
import { ROWS_PER_CHUNK } from "./chunkWriter";
import { SessionDatabase } from "./database";
import { Recorder } from "./recorder";
import type { Chunk } from "./session";

const SETTINGS = { model: "m", labels: ["happiness", "other"], smoothing: 0, intervalMs: 100, source: null };

let databases = 0;

/** A recorder with a clock and a database of its own. */
function setup() {
  const database = new SessionDatabase(`test-${databases++}`);
  const clock = { nowMs: 1_000_000 };
  const held = new Set<string>();
  let ids = 0;
  const create = () =>
    new Recorder(database, {
      now: () => clock.nowMs,
      newId: () => `id-${String(ids++).padStart(3, "0")}`,
      hold: (name) => {
        held.add(name);
        return () => held.delete(name);
      },
    });
  const recorder = create();
  recorder.setSettings(SETTINGS);
  const answer = (faceIds: readonly number[] = [1]) =>
    recorder.addResult(resultOf(faceIds, "happiness", clock.nowMs), clock.nowMs);
  return { database, clock, held, create, recorder, answer };
}

async function chunksOf(database: SessionDatabase, id: string, fromMs?: number, toMs?: number) {
  const chunks: Chunk[] = [];
  for await (const chunk of database.chunks(id, fromMs, toMs)) chunks.push(chunk);
  return chunks;
}

function timesOf(chunks: readonly Chunk[]): number[] {
  return chunks.flatMap(({ columns }) => [...columns.capturedAtMs]);
}

describe("Recorder", () => {
  it("keeps nothing until it is started", async () => {
    const { database, recorder, answer } = setup();
    answer();
    await recorder.keep();
    expect(await database.sessions()).toEqual([]);
  });

  it("has kept every row but those of the last second when the page is lost", async () => {
    const { database, clock, recorder, answer } = setup();
    await recorder.start("Monday");
    for (let frame = 0; frame < 35; frame++) {
      clock.nowMs += 100;
      answer([1, 2]);
      if (frame % 10 === 9) await recorder.keep();
    }
    const [session] = await database.sessions();
    expect(session).toMatchObject({ name: "Monday", rows: 60, lastFaceId: 2, isEnded: false });
    expect(timesOf(await chunksOf(database, session?.id ?? ""))).toHaveLength(60);
  });

  it("joins the chunks of seconds to large ones, without losing or doubling a row", async () => {
    const { database, clock, recorder, answer } = setup();
    await recorder.start("");
    const id = recorder.sessionId ?? "";
    const faces = Array.from({ length: 32 }, (_, index) => index + 1);
    for (let frame = 0; frame < 300; frame++) {
      clock.nowMs += 100;
      answer(faces);
      if (frame % 10 === 9) await recorder.keep();
    }
    const chunks = await chunksOf(database, id);
    expect(chunks.length).toBeLessThan(15);
    expect(chunks[0]?.columns.rows).toBe(ROWS_PER_CHUNK);
    const expected = Array.from({ length: 300 }, (_, frame) =>
      faces.map(() => 1_000_100 + 100 * frame),
    ).flat();
    expect(timesOf(chunks)).toEqual(expected);
    expect((await database.session(id))?.rows).toBe(expected.length);
  });

  it("finds the chunks of a stretch of time", async () => {
    const { database, clock, recorder, answer } = setup();
    await recorder.start("");
    for (let second = 0; second < 60; second++) {
      clock.nowMs += 1000;
      answer();
      await recorder.keep();
    }
    const chunks = await chunksOf(database, recorder.sessionId ?? "", 1_020_500, 1_023_500);
    expect(timesOf(chunks)).toEqual([1_021_000, 1_022_000, 1_023_000]);
  });

  it("begins a new chunk where the settings change", async () => {
    const { database, recorder, answer } = setup();
    await recorder.start("");
    const id = recorder.sessionId ?? "";
    answer();
    recorder.setSettings({ ...SETTINGS, smoothing: 0.6 });
    answer();
    await recorder.stop();
    expect((await chunksOf(database, id)).map(({ settings }) => settings.smoothing)).toEqual([0, 0.6]);
  });

  it("records no row while it is paused, and marks the pause as a gap", async () => {
    const { database, clock, recorder, answer } = setup();
    await recorder.start("");
    const id = recorder.sessionId ?? "";
    clock.nowMs += 5000;
    recorder.pause();
    answer();
    clock.nowMs += 3000;
    recorder.resume();
    clock.nowMs += 2000;
    answer();
    await recorder.stop();
    expect(await database.events(id)).toMatchObject([
      { kind: "gap", reason: "paused", fromMs: 1_005_000, toMs: 1_008_000 },
    ]);
    expect(await database.session(id)).toMatchObject({ rows: 1, isEnded: true });
  });

  it("counts the time without pauses", async () => {
    const { clock, recorder } = setup();
    await recorder.start("");
    clock.nowMs += 5000;
    recorder.pause();
    clock.nowMs += 3000;
    recorder.resume();
    clock.nowMs += 2000;
    await recorder.keep();
    expect(recorder.view.get().recordedMs).toBe(7000);
  });

  it("marks what was away when it began, and what goes later, as gaps of their own", async () => {
    const { database, clock, recorder } = setup();
    recorder.setAway("no_server", true);
    clock.nowMs += 1000;
    await recorder.start("");
    const id = recorder.sessionId ?? "";
    clock.nowMs += 1000;
    recorder.setAway("hidden", true);
    recorder.setAway("hidden", true);
    clock.nowMs += 1000;
    recorder.setAway("no_server", false);
    await recorder.stop();
    expect(await database.events(id)).toMatchObject([
      { reason: "no_server", fromMs: 1_001_000, toMs: 1_003_000 },
      { reason: "hidden", fromMs: 1_002_000, toMs: 1_003_000 },
    ]);
  });

  it("keeps markers and names at once", async () => {
    const { database, recorder } = setup();
    await recorder.start("");
    const id = recorder.sessionId ?? "";
    const marker = recorder.mark("3");
    recorder.annotate(marker?.id ?? "", "  the question\nbegins ");
    recorder.namePerson(4, "Ada");
    recorder.namePerson(5, "Bo");
    recorder.namePerson(5, "");
    await recorder.keep();
    expect(await database.events(id)).toMatchObject([
      { kind: "marker", key: "3", note: "the question begins" },
    ]);
    expect((await database.session(id))?.people).toEqual({ 4: "Ada" });
  });

  it("goes on with an interrupted session: faces get new ids, and the time between is a gap", async () => {
    const { database, clock, create, recorder, answer } = setup();
    await recorder.start("");
    const id = recorder.sessionId ?? "";
    answer([1, 2]);
    recorder.setAway("hidden", true);
    await recorder.keep();

    clock.nowMs += 60_000;
    const reloaded = create();
    reloaded.setSettings(SETTINGS);
    await reloaded.carryOn(id);
    reloaded.addResult(resultOf([1], "happiness", clock.nowMs), clock.nowMs);
    await reloaded.stop();

    const faceIds = (await chunksOf(database, id)).flatMap(({ columns }) => [...columns.faceIds]);
    expect(faceIds).toEqual([1, 2, 3]);
    expect(await database.events(id)).toMatchObject([
      { reason: "hidden", fromMs: 1_000_000, toMs: 1_000_000 },
      { reason: "interrupted", fromMs: 1_000_000, toMs: 1_060_000 },
    ]);
  });

  it("holds its lock exactly as long as it records", async () => {
    const { held, recorder } = setup();
    await recorder.start("");
    expect([...held]).toEqual(["emostream-recording-id-000"]);
    await recorder.stop();
    expect(held.size).toBe(0);
  });

  it("says that the browser's storage is full, keeps what waits, and takes it when there is room", async () => {
    const { database, recorder, answer } = setup();
    await recorder.start("");
    const id = recorder.sessionId ?? "";
    const full = vi
      .spyOn(database, "putChunk")
      .mockRejectedValueOnce(new DOMException("no room", "QuotaExceededError"));
    answer();
    await recorder.keep();
    expect(recorder.view.get()).toMatchObject({ kind: "recording", problem: "full" });
    full.mockRestore();
    answer();
    await recorder.keep();
    expect(recorder.view.get().problem).toBeNull();
    expect((await database.session(id))?.rows).toBe(2);
  });

  it("ends by itself, and says why, where nothing can be kept for long", async () => {
    const { database, recorder, answer } = setup();
    await recorder.start("");
    vi.spyOn(database, "putChunk").mockRejectedValue(new DOMException("no room", "QuotaExceededError"));
    for (let second = 0; second < 200 && recorder.sessionId !== null; second++) {
      answer();
      await recorder.keep();
    }
    expect(recorder.view.get()).toMatchObject({ kind: "off", problem: "full" });
  });

  it("deletes a session with all that belongs to it", async () => {
    const { database, recorder, answer } = setup();
    await recorder.start("");
    const id = recorder.sessionId ?? "";
    answer();
    recorder.mark(null);
    await recorder.stop();
    await database.deleteSession(id);
    expect([await database.session(id), await database.events(id), await chunksOf(database, id)]).toEqual([
      undefined,
      [],
      [],
    ]);
  });
});

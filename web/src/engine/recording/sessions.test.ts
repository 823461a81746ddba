import "fake-indexeddb/auto";
import { afterEach, describe, expect, it } from "vitest";
import { resultOf } from "../testing";
import { SessionDatabase } from "./database";
import { lockName } from "./recorder";
import { Sessions } from "./sessions";

let databases = 0;
let made: Sessions[] = [];

function setup(database = new SessionDatabase(`sessions-${databases++}`), held = new Set<string>()) {
  const clock = { nowMs: 1000 };
  let ids = 0;
  const sessions = new Sessions(database, {
    now: () => clock.nowMs,
    newId: () => `id-${String(ids++)}`,
    hold: (name) => {
      held.add(name);
      return () => held.delete(name);
    },
    heldNames: async () => held,
    storage: async () => ({ usedBytes: 1, quotaBytes: 2, isPersistent: true }),
    persist: async () => {},
    record: () => {
      throw new Error("no recorder here");
    },
    streamTo: () => {
      throw new Error("no stream here");
    },
  });
  made.push(sessions);
  sessions.onSettings({
    model: "m",
    labels: ["happiness", "other"],
    smoothing: 0,
    intervalMs: 100,
    source: null,
  });
  return { sessions, database, clock, held };
}

afterEach(() => {
  for (const sessions of made) sessions.dispose();
  made = [];
});

describe("Sessions", () => {
  it("tells an interrupted session from one that another page records", async () => {
    const { sessions, database, held } = setup();
    await sessions.record("first");
    const id = sessions.recorder.sessionId ?? "";

    const other = setup(database, held).sessions;
    await other.refresh();
    expect(other.list.get()).toMatchObject([{ isRecording: true, isInterrupted: false }]);

    held.delete(lockName(id));
    await other.refresh();
    expect(other.list.get()).toMatchObject([{ isRecording: false, isInterrupted: true }]);
  });

  it("begins the gap of a lost server with the first frame that it did not answer", async () => {
    const { sessions, clock } = setup();
    sessions.onConnection({ kind: "open", session: {} as never });
    await sessions.record("first");
    sessions.onSent(2000);
    sessions.onResult(resultOf([1], "happiness", 2000), 2050);
    sessions.onSent(3000);
    sessions.onSent(3100);
    clock.nowMs = 8000;
    sessions.onConnection({ kind: "waiting", cause: "lost", nextAttemptAtMs: 9000 });
    const gaps = sessions.recorder.view.get().events.filter((event) => event.kind === "gap");
    expect(gaps.find(({ reason }) => reason === "no_server")).toMatchObject({ fromMs: 3000, toMs: null });
  });

  it("takes over names that faces had before the recording", async () => {
    const { sessions, database } = setup();
    sessions.onResult(resultOf([1, 2]), 1000);
    sessions.namePerson([1], "Ada");
    await sessions.record("first");
    expect((await database.session(sessions.recorder.sessionId ?? ""))?.people).toEqual({ 1: "Ada" });
    expect(sessions.timeline.lanes().map(({ name }) => name)).toEqual(["Ada", "Face 2"]);
  });

  it("has a switch for video of its own, off at first, and says where a browser cannot", async () => {
    const { sessions } = setup();
    expect(sessions.keepsVideo.get()).toBe(false);
    await sessions.delete("nothing");
    expect(sessions.storage.get()).toMatchObject({ usedBytes: 1, isPersistent: true });
  });
});

import { describe, expect, it } from "vitest";
import { mayDetectForBoxes, SendPacer, wantedFaces } from "./pacing";

/** How many of the given frames are sent. */
function countSent(frameTimesMs: readonly number[], intervalMs: number): number {
  const pacer = new SendPacer();
  return frameTimesMs.filter((time) => {
    if (!pacer.isDue(time)) return false;
    pacer.sent(time, intervalMs);
    return true;
  }).length;
}

const tenSecondsOf = (framesPerSecond: number) =>
  Array.from({ length: 10 * framesPerSecond }, (_, frame) => (1000 * frame) / framesPerSecond);

describe("SendPacer", () => {
  it.each([
    [50, 200],
    [100, 100],
    [500, 20],
    [1000, 10],
  ])("sends every %d ms on average, although video frames come every 33 ms", (intervalMs, expected) => {
    expect(countSent(tenSecondsOf(30), intervalMs)).toBeGreaterThanOrEqual(expected - 1);
    expect(countSent(tenSecondsOf(30), intervalMs)).toBeLessThanOrEqual(expected + 1);
  });

  it("sends every frame where frames come more slowly than asked for", () => {
    expect(countSent(tenSecondsOf(15), 10)).toBe(150);
  });

  it("does not catch up after a pause", () => {
    const pause = [0, 100, 200, 5000, 5010, 5020, 5030, 5100];
    expect(countSent(pause, 100)).toBe(5);
  });
});

describe("mayDetectForBoxes", () => {
  it("lets cheap detection run on every frame, and expensive detection half of the time", () => {
    expect(mayDetectForBoxes(33, 10)).toBe(true);
    expect(mayDetectForBoxes(33, 40)).toBe(false);
    expect(mayDetectForBoxes(80, 40)).toBe(true);
  });
});

describe("wantedFaces", () => {
  it.each([
    [32, 100, 12],
    [32, 1000, 32],
    [32, 10, 4],
    [2, 100, 2],
  ])("of a server that takes %d, every %d ms, asks for %d", (limit, intervalMs, wanted) => {
    expect(wantedFaces(limit, intervalMs)).toBe(wanted);
  });
});

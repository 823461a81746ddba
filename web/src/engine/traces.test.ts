import { describe, expect, it } from "vitest";
import { Traces } from "./traces";

describe("Traces", () => {
  it("gives a column of times in seconds and one for each label, in their order", () => {
    const traces = new Traces();
    traces.add(1, 1000, { anger: 0.2, fear: 0.8 });
    traces.add(1, 2000, { anger: 0.3, fear: 0.7 });
    expect(traces.columns(1, ["fear", "anger", "joy"])).toEqual([
      [1, 2],
      [0.8, 0.7],
      [0.2, 0.3],
      [0, 0],
    ]);
  });

  it("keeps half a minute, however many answers come", () => {
    const traces = new Traces();
    for (let time = 0; time <= 120_000; time += 10) traces.add(1, time, { anger: 1 });
    const [times] = traces.columns(1, ["anger"]);
    expect(times.length).toBeLessThanOrEqual(301);
    expect(times[0]).toBe(90);
    expect(times.at(-1)).toBe(120);
  });

  it("forgets faces that have left", () => {
    const traces = new Traces();
    traces.add(1, 0, { anger: 1 });
    traces.add(2, 0, { anger: 1 });
    traces.keepOnly(new Set([2]));
    expect(traces.columns(1, ["anger"])).toEqual([[], []]);
    expect(traces.columns(2, ["anger"])).toEqual([[0], [1]]);
  });

  it("has empty columns where no face is selected", () => {
    expect(new Traces().columns(null, ["anger"])).toEqual([[], []]);
  });
});

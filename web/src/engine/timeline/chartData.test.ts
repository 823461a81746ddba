import { describe, expect, it } from "vitest";
import { chartColumns } from "./chartData";

const POINTS = {
  bucketMs: 250,
  timesMs: [0, 250, 5000],
  means: [
    [0.5, 0.6, 0.1],
    [0.5, 0.4, 0.9],
  ],
};

describe("chartColumns", () => {
  it("breaks lines where nothing was seen for a while", () => {
    expect(chartColumns(POINTS, "lines", 100)).toEqual([
      [0, 0.25, 0.5, 5],
      [0.5, 0.6, null, 0.1],
      [0.5, 0.4, null, 0.9],
    ]);
  });

  it("does not take a slow stream for pauses", () => {
    expect(chartColumns(POINTS, "lines", 2000)[0]).toEqual([0, 0.25, 5]);
  });

  it("stacks bands up to 1", () => {
    expect(chartColumns(POINTS, "bands", 100)[2]).toEqual([1, 1, null, 1]);
  });
});

import { describe, expect, it } from "vitest";
import { allowedIntervalMs, readInterval } from "./interval";

const read = (query: string) => readInterval(new URLSearchParams(query));

describe("readInterval", () => {
  it("is 100 ms where nothing is asked for", () => {
    expect(read("")).toEqual({ intervalMs: 100, rejected: null });
  });

  it.each([10, 50, 500, 1000])("takes %d ms as it is", (intervalMs) => {
    expect(read(`interval=${intervalMs}`)).toEqual({ intervalMs, rejected: null });
  });

  it.each([
    ["5", 10],
    ["-1", 10],
    ["0", 10],
    ["1001", 1000],
    ["1e9", 1000],
  ])("moves %s to the nearest bound and says so", (asked, intervalMs) => {
    expect(read(`interval=${asked}`)).toEqual({ intervalMs, rejected: { asked, because: "out of range" } });
  });

  it.each(["", " ", "fast", "10ms", "NaN", "Infinity"])("takes the default for “%s” and says so", (asked) => {
    expect(read(`interval=${encodeURIComponent(asked)}`)).toEqual({
      intervalMs: 100,
      rejected: { asked, because: "not a number" },
    });
  });
});

describe("allowedIntervalMs", () => {
  it("slows down to the server's largest rate, and never speeds up", () => {
    expect(allowedIntervalMs(10, 20)).toBe(50);
    expect(allowedIntervalMs(200, 20)).toBe(200);
  });

  it("does without a rate that makes no sense", () => {
    expect(allowedIntervalMs(10, 0)).toBe(10);
  });
});

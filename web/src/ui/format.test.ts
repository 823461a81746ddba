import { describe, expect, it } from "vitest";
import { formatMs, toPercent } from "./format";

describe("toPercent", () => {
  it("is a whole number from 0 to 100", () => {
    expect([0, 0.004, 0.005, 0.934, 1, 1.0001, -0.1].map(toPercent)).toEqual([0, 0, 1, 93, 100, 100, 0]);
  });
});

describe("formatMs", () => {
  it("has a decimal for short times only, and a dash for unknown ones", () => {
    expect([0.72, 9.99, 10.4, 1234.5, null, undefined].map(formatMs)).toEqual([
      "0.7",
      "10.0",
      "10",
      "1235",
      "–",
      "–",
    ]);
  });
});

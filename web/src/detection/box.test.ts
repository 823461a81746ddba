import { describe, expect, it } from "vitest";
import { boxCentre, boxIou, largestFirst } from "./box";

describe("boxIou", () => {
  it("is 1 for a box with itself, 0 for boxes that only touch", () => {
    expect(boxIou([0, 0, 10, 10], [0, 0, 10, 10])).toBe(1);
    expect(boxIou([0, 0, 10, 10], [10, 0, 10, 10])).toBe(0);
  });

  it("is the shared part of the joint area", () => {
    expect(boxIou([0, 0, 10, 10], [5, 0, 10, 10])).toBeCloseTo(50 / 150);
  });
});

describe("boxCentre", () => {
  it("is the middle of the box", () => {
    expect(boxCentre([10, 20, 30, 40])).toEqual([25, 40]);
  });
});

describe("largestFirst", () => {
  it("sorts by area, whatever the score", () => {
    const small = { boxXywh: [0, 0, 5, 5], score: 0.9 } as const;
    const large = { boxXywh: [0, 0, 9, 9], score: 0.5 } as const;
    expect([small, large].sort(largestFirst)).toEqual([large, small]);
  });
});

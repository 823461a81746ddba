import { describe, expect, it } from "vitest";
import { matchBestFirst } from "./matching";

const near = (limit: number) => (a: number, b: number) =>
  Math.abs(a - b) <= limit ? -Math.abs(a - b) : null;

describe("matchBestFirst", () => {
  it("takes the best pair first, whatever the order of the lists", () => {
    expect(matchBestFirst([10, 20], [19, 11], [near(5)])).toEqual([
      [0, 1],
      [1, 0],
    ]);
  });

  it("gives nobody two partners", () => {
    expect(matchBestFirst([10, 11], [10.4], [near(5)])).toEqual([[0, 0]]);
  });

  it("asks the next scorer only about what is left over", () => {
    const pairs = matchBestFirst([10, 50], [10, 80], [near(1), near(100)]);
    expect(pairs).toEqual([
      [0, 0],
      [1, 1],
    ]);
  });

  it("leaves alone what cannot belong together", () => {
    expect(matchBestFirst([10], [99], [near(5)])).toEqual([]);
  });
});

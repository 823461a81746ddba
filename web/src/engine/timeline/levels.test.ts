import { describe, expect, it } from "vitest";
import { FINEST_MS, Levels, pointsOf } from "./levels";

const HOUR_MS = 3_600_000;

/** An hour at ten rows a second, in which the first label rises from 0 to 1. */
function hour(): Levels {
  const levels = new Levels(2);
  for (let atMs = 0; atMs < HOUR_MS; atMs += 100) levels.add(atMs, [atMs / HOUR_MS, 1 - atMs / HOUR_MS]);
  return levels;
}

describe("pointsOf", () => {
  it("gives each bucket's mean, at its middle", () => {
    const levels = new Levels(1);
    for (const [atMs, value] of [
      [0, 0.2],
      [100, 0.4],
      [260, 1],
    ] as const) {
      levels.add(atMs, [value]);
    }
    const points = pointsOf([levels], 1, 0, 1000, 100);
    expect(points.timesMs).toEqual([FINEST_MS / 2, 1.5 * FINEST_MS]);
    expect(points.means[0]?.[0]).toBeCloseTo(0.3, 6);
    expect(points.means[0]?.[1]).toBeCloseTo(1, 6);
  });

  it("shows an hour in as few points as a minute, and still true to it", () => {
    const levels = hour();
    const points = pointsOf([levels], 2, 0, HOUR_MS, 1000);
    expect(points.timesMs.length).toBeLessThanOrEqual(1001);
    expect(points.timesMs.length).toBeGreaterThan(200);
    points.timesMs.forEach((atMs, index) => {
      expect(points.means[0]?.[index]).toBeCloseTo(atMs / HOUR_MS, 2);
    });
    expect(pointsOf([levels], 2, HOUR_MS - 60_000, HOUR_MS, 1000).bucketMs).toBe(FINEST_MS);
  });

  it("takes a coarser width where the fine one no longer reaches back, rather than show nothing", () => {
    const points = pointsOf([hour()], 2, 0, 60_000, 1000);
    expect(points.bucketMs).toBeGreaterThan(FINEST_MS);
    expect(points.timesMs.length).toBeGreaterThan(0);
    expect(points.means[0]?.[0]).toBeLessThan(0.01);
  });

  it("needs no more memory for hours than it keeps buckets", () => {
    const levels = hour();
    for (let atMs = HOUR_MS; atMs < 8 * HOUR_MS; atMs += 1000) levels.add(atMs, [1, 0]);
    expect([0, 1, 2, 3].map((index) => levels.level(index).size)).toEqual([2048, 2048, 2048, 1800]);
  });

  it("is the mean of several faces, each counting by its rows", () => {
    const [a, b] = [new Levels(1), new Levels(1)];
    a.add(0, [1]);
    a.add(10, [1]);
    a.add(20, [1]);
    b.add(30, [0]);
    expect(pointsOf([a, b], 1, 0, 1000, 100).means).toEqual([[0.75]]);
  });

  it("puts an answer that comes late where it belongs", () => {
    const levels = new Levels(1);
    levels.add(0, [1]);
    levels.add(300, [0]);
    levels.add(100, [0]);
    expect(pointsOf([levels], 1, 0, 1000, 100).means).toEqual([[0.5, 0]]);
  });
});

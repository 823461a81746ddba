import { describe, expect, it } from "vitest";
import cases from "../../../tests/data/tag_places.json";
import type { BoxXywh } from "../detection/box";
import { fitted, placeLabels } from "./placing";

const sizeOf = ([width = 0, height = 0]: readonly number[]) => ({ width, height });

describe("placeLabels", () => {
  it.each(cases)("puts labels where the server does: $name", ({ size, boxes, labels, gap, kept, places }) => {
    const faces = boxes.map((box, index) => ({
      boxXywh: box as unknown as BoxXywh,
      label: sizeOf(labels[index] ?? []),
      kept: kept?.[index],
    }));
    const found = placeLabels(sizeOf(size), faces, gap);
    expect(found).toHaveLength(places.length);
    found.forEach(({ x, y, number }, index) => {
      const [expectedX = Number.NaN, expectedY = Number.NaN, expectedNumber] = places[index] ?? [];
      expect(x).toBeCloseTo(expectedX, 6);
      expect(y).toBeCloseTo(expectedY, 6);
      expect(number).toBe(expectedNumber);
    });
  });
});

describe("fitted", () => {
  it("leaves a box that lies inside", () => {
    expect(fitted([10, 20, 30, 40], { width: 640, height: 480 }, 2)).toEqual([10, 20, 30, 40]);
  });

  it("cuts what reaches out of the picture, and a close face on all sides", () => {
    expect(fitted([-50, 20, 100, 40], { width: 640, height: 480 }, 2)).toEqual([2, 20, 48, 40]);
    expect(fitted([-50, -60, 900, 900], { width: 640, height: 480 }, 2)).toEqual([2, 2, 636, 476]);
  });

  it("is empty at the edge for a box that lies outside altogether", () => {
    expect(fitted([700, -90, 50, 50], { width: 640, height: 480 })).toEqual([640, 0, 0, 0]);
  });
});

import { describe, expect, it } from "vitest";
import { CROP_MARGIN, cropSquare } from "./crop";

const FRAME = { width: 640, height: 480 };

describe("cropSquare", () => {
  it("is a square of the margin times the longer side, a tenth of that side above the box's centre", () => {
    expect(cropSquare([300, 200, 100, 80], FRAME, 1.5)).toEqual([275, 155, 150, 150]);
  });

  it("uses the exported margin unless told otherwise", () => {
    const [, , width, height] = cropSquare([300, 200, 100, 80], FRAME);
    expect(width).toBeCloseTo(100 * CROP_MARGIN);
    expect(height).toBeCloseTo(100 * CROP_MARGIN);
  });

  it.each([
    ["left", [-20, 200, 100, 100], [0, 165, 150, 150]],
    ["top", [200, -20, 100, 100], [175, 0, 150, 150]],
    ["right", [600, 200, 100, 100], [490, 165, 150, 150]],
    ["bottom", [200, 440, 100, 100], [175, 330, 150, 150]],
  ] as const)("is moved inside, at its full size, where it crosses the %s edge", (_, box, expected) => {
    expect(cropSquare(box, FRAME, 1.5)).toEqual(expected);
  });

  it("is shrunk to the frame's shorter side where it is larger, and stays as near the face as it can", () => {
    expect(cropSquare([100, 40, 400, 400], FRAME, 1.5)).toEqual([60, 0, 480, 480]);
    expect(cropSquare([400, 40, 400, 400], FRAME, 1.5)).toEqual([160, 0, 480, 480]);
  });

  it("works upright as well", () => {
    expect(cropSquare([40, 100, 400, 400], { width: 480, height: 640 }, 1.5)).toEqual([0, 20, 480, 480]);
  });

  it("stays inside the frame for a box that lies wholly outside", () => {
    expect(cropSquare([900, -300, 100, 100], FRAME, 1.5)).toEqual([490, 0, 150, 150]);
  });
});

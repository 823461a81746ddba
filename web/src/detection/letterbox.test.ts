import { describe, expect, it } from "vitest";
import { boxToFrame, detectionToFrame, letterboxOf } from "./letterbox";

describe("letterboxOf", () => {
  it("pads above and below a wide frame", () => {
    expect(letterboxOf({ width: 640, height: 480 }, 256)).toEqual({ scale: 0.4, padX: 0, padY: 32 });
  });

  it("pads left and right of an upright frame", () => {
    expect(letterboxOf({ width: 480, height: 640 }, 256)).toEqual({ scale: 0.4, padX: 32, padY: 0 });
  });
});

describe("boxToFrame", () => {
  it("undoes the letterbox without changing the box's shape", () => {
    const letterbox = letterboxOf({ width: 640, height: 480 }, 256);
    expect(boxToFrame([40, 72, 20, 40], letterbox)).toEqual([100, 100, 50, 100]);
  });
});

describe("detectionToFrame", () => {
  it("takes a face's landmarks along with its box", () => {
    const letterbox = letterboxOf({ width: 640, height: 480 }, 256);
    const face = { boxXywh: [40, 72, 20, 40] as const, score: 0.7, landmarksXy: [[44, 80] as const] };
    expect(detectionToFrame(face, letterbox)).toEqual({
      boxXywh: [100, 100, 50, 100],
      score: 0.7,
      landmarksXy: [[110, 120]],
    });
  });
});

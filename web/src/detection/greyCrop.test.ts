import { describe, expect, it } from "vitest";
import { GREY_CROP_PX, greyCrop } from "./greyCrop";

const SIZE = { width: 96, height: 96 };

/** A picture with the given grey, of 0 to 255, at each place. */
function picture(levelAt: (x: number, y: number) => number): Float32Array {
  const pixels = new Float32Array(SIZE.width * SIZE.height * 3);
  for (let y = 0; y < SIZE.height; y++) {
    for (let x = 0; x < SIZE.width; x++)
      pixels.fill(levelAt(x, y) / 127.5 - 1, 3 * (y * 96 + x), 3 * (y * 96 + x) + 3);
  }
  return pixels;
}

const at = (crop: Float32Array, x: number, y: number) => crop[y * GREY_CROP_PX + x];

describe("greyCrop", () => {
  it("is the square of the crop that the server sees, pixel by pixel where it is as large", () => {
    // Side 48 = 1.2 × 40; the centre is 4 px above the box's.
    const crop = greyCrop(
      picture((x, y) => x + y),
      SIZE,
      [28, 32, 40, 40],
    );

    expect(at(crop, 0, 0)).toBeCloseTo(24 + 24, 3);
    expect(at(crop, 47, 0)).toBeCloseTo(71 + 24, 3);
    expect(at(crop, 0, 47)).toBeCloseTo(24 + 71, 3);
  });

  it("means several pixels where the face is larger", () => {
    // Side 96: each pixel of the crop covers 2 × 2, one white and three black.
    const crop = greyCrop(
      picture((x, y) => (x % 2 === 0 && y % 2 === 0 ? 200 : 0)),
      SIZE,
      [8, 16, 80, 80],
    );

    expect(at(crop, 20, 20)).toBeCloseTo(50, 3);
  });

  it("is black outside of the picture", () => {
    const crop = greyCrop(
      picture(() => 255),
      SIZE,
      [-20, 32, 40, 40],
    );

    expect(at(crop, 0, 24)).toBe(0);
    expect(at(crop, 47, 24)).toBeCloseTo(255, 3);
  });

  it.each([
    [1, [75, 28]],
    [2, [71, 79]],
    [3, [20, 75]],
  ] as const)("shows a face upright that is turned by %i quarters", (turn, [cornerX, cornerY]) => {
    // The corner at the face's upper left; the square reaches 4 px further beyond the forehead than below the chin.
    const crop = greyCrop(
      picture((x, y) => (x === cornerX && y === cornerY ? 255 : 0)),
      SIZE,
      [28, 32, 40, 40],
      turn,
    );

    expect(at(crop, 0, 0)).toBeCloseTo(255, 3);
  });

  it("weighs colours as eyes do", () => {
    const green = picture(() => 0);
    for (let index = 1; index < green.length; index += 3) green[index] = 1;

    expect(at(greyCrop(green, SIZE, [28, 32, 40, 40]), 24, 24)).toBeCloseTo(0.587 * 255, 3);
  });
});

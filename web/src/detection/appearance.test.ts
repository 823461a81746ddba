import { describe, expect, it } from "vitest";
import { appearanceDistance, appearanceOf } from "./appearance";
import type { BoxXywh } from "./box";

const SIZE = { width: 64, height: 64 };
const BOX: BoxXywh = [16, 16, 32, 32];

type Rgb = readonly [red: number, green: number, blue: number];

/** A picture with the given colour, of 0 to 255, at each place. */
function picture(colourAt: (x: number, y: number) => Rgb): Float32Array {
  const pixels = new Float32Array(SIZE.width * SIZE.height * 3);
  for (let y = 0; y < SIZE.height; y++) {
    for (let x = 0; x < SIZE.width; x++) {
      pixels.set(
        colourAt(x, y).map((value) => value / 127.5 - 1),
        3 * (y * SIZE.width + x),
      );
    }
  }
  return pixels;
}

/** Dark hair over skin of the given colour. */
const head = (skin: Rgb, light = 1) =>
  picture((_, y) =>
    y < 20 ? [50 * light, 40 * light, 35 * light] : [skin[0] * light, skin[1] * light, skin[2] * light],
  );

describe("appearanceOf", () => {
  it("has the numbers that server/tracking/appearance.py gives the same picture", () => {
    const appearance = appearanceOf(
      picture((x, y) => [(7 * x + 3 * y) % 256, (2 * x + 5 * y) % 256, (x * y) % 256]),
      SIZE,
      [10.3, 20.7, 30.5, 41.2],
    );
    expect(appearance).toHaveLength(48);
    const some = [0, 5, 15, 16, 31, 32, 47].map((index) => appearance[index]);
    [0.007646, 0.336659, 0.07084, 0.096304, 0.284087, 0.138827, -0.010344].forEach((value, index) =>
      expect(some[index]).toBeCloseTo(value, 5),
    );
  });

  it("changes little with the light, and much with the person", () => {
    const before = appearanceOf(head([200, 150, 120]), SIZE, BOX);
    const dimmer = appearanceOf(head([200, 150, 120], 0.5), SIZE, BOX);
    const other = appearanceOf(head([120, 125, 130]), SIZE, BOX);
    expect(appearanceDistance(before, dimmer)).toBeLessThan(0.3);
    expect(appearanceDistance(before, other)).toBeGreaterThan(0.7);
  });

  it("takes boxes that reach outside", () => {
    for (const value of appearanceOf(head([200, 150, 120]), SIZE, [-40, 50, 60, 60])) {
      expect(value).toBeTypeOf("number");
      expect(Number.isFinite(value)).toBe(true);
    }
  });
});

describe("appearanceDistance", () => {
  it("is nothing where one says nothing", () => {
    expect(appearanceDistance([], [1, 2])).toBe(0);
    expect(appearanceDistance([1, 5], [1, 2])).toBe(3);
  });
});

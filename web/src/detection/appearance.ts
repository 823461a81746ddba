import type { BoxXywh, SizePx } from "./box";

/*
 * How a face looks from afar: a few colours in their places. Enough to tell two people in one video apart.
 *
 * It is about colour, not identity: 48 numbers of a 4 × 4 raster, in which hair, skin and collar can be told but no
 * face. It is compared within this page, kept for as long as the face is followed, and never sent or stored.
 * The same measure as server/tracking/appearance.py, which has the reasons for the numbers.
 */

/** Numbers that belong to one face; empty where nothing is known. */
export type Appearance = readonly number[];

const CELLS = 4;
const SAMPLES = 4;
const ABOVE = 0.25;
const BESIDE = 0.1;
const BELOW = 0.05;
const DARK = 8;
const MIN_CONTRAST = 0.15;
const COLOUR = 3;

/**
 * The appearance of the face in a box of a picture.
 *
 * @param pixels (H, W, 3) RGB in [−1, 1], rows first, as the detector sees them
 * @param boxXywh in pixels of that picture
 */
export function appearanceOf(pixels: Float32Array, { width, height }: SizePx, boxXywh: BoxXywh): Appearance {
  const [x, y, boxWidth, boxHeight] = boxXywh;
  const left = x - BESIDE * boxWidth;
  const top = y - ABOVE * boxHeight;
  const step = 1 / (CELLS * SAMPLES);
  const stepX = (1 + 2 * BESIDE) * boxWidth * step;
  const stepY = (1 + ABOVE + BELOW) * boxHeight * step;
  const sums = new Float64Array(CELLS * CELLS * 3);
  for (let row = 0; row < CELLS * SAMPLES; row++) {
    const pixelY = clamp(Math.floor(top + (row + 0.5) * stepY), height - 1);
    for (let column = 0; column < CELLS * SAMPLES; column++) {
      const pixelX = clamp(Math.floor(left + (column + 0.5) * stepX), width - 1);
      const cell = Math.floor(row / SAMPLES) * CELLS + Math.floor(column / SAMPLES);
      const from = 3 * (pixelY * width + pixelX);
      for (let channel = 0; channel < 3; channel++) {
        sums[3 * cell + channel] = (sums[3 * cell + channel] ?? 0) + (pixels[from + channel] ?? 0);
      }
    }
  }
  const light: number[] = [];
  const red: number[] = [];
  const blue: number[] = [];
  for (let cell = 0; cell < CELLS * CELLS; cell++) {
    const [r, g, b] = [0, 1, 2].map(
      (channel) => 127.5 * ((sums[3 * cell + channel] ?? 0) / SAMPLES ** 2 + 1),
    ) as [number, number, number];
    light.push(Math.log((r + g + b) / 3 + DARK));
    red.push(Math.log(r + DARK) - Math.log(g + DARK));
    blue.push(Math.log(b + DARK) - Math.log(g + DARK));
  }
  const mean = meanOf(light);
  const contrast = Math.max(Math.sqrt(meanOf(light.map((value) => (value - mean) ** 2))), MIN_CONTRAST);
  const weight = COLOUR / (Math.SQRT2 * CELLS);
  return [
    ...light.map((value) => (value - mean) / contrast / CELLS),
    ...red.map((value) => value * weight),
    ...blue.map((value) => value * weight),
  ];
}

/**
 * How much two appearances differ: about 0.3 from frame to frame of one face, and 1.3 between two people's faces.
 * 0 where one says nothing.
 */
export function appearanceDistance(a: Appearance, b: Appearance): number {
  if (a.length === 0 || b.length === 0) return 0;
  let total = 0;
  for (let index = 0; index < a.length; index++) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0);
    total += difference * difference;
  }
  return Math.sqrt(total);
}

function clamp(value: number, high: number): number {
  return Math.min(Math.max(value, 0), high);
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

import type { BoxXywh, SizePx } from "./box";
import { faceSquare } from "./crop";
import type { Quarters } from "./looks";

/** Side in pixels of the verifier's input: the crop of a face, in grey. */
export const GREY_CROP_PX = 48;

/** Samples along each axis for one pixel of the crop, at most: a larger face is only seen less exactly. */
const MOST_SAMPLES = 4;

/** Cosine and sine of each number of quarters of a turn. */
const TURNS = [
  [1, 0],
  [0, 1],
  [-1, 0],
  [0, -1],
] as const;

/** Of red, green and blue, as the server's cv2.COLOR_RGB2GRAY has them. */
const WEIGHTS = [0.299, 0.587, 0.114] as const;

/**
 * The crop of a face in grey, turned upright, black outside of the picture, each pixel the mean of what it covers.
 *
 * @param pixels (H, W, 3) RGB in [−1, 1], rows first, as the detector sees them
 * @param boxXywh the detector's box in pixels of that picture
 * @param turn by how many quarters the face is turned clockwise
 * @returns (48, 48), rows first, in levels of 0 to 255
 */
export function greyCrop(
  pixels: Float32Array,
  size: SizePx,
  boxXywh: BoxXywh,
  turn: Quarters = 0,
): Float32Array {
  const [left, top, side] = faceSquare(boxXywh, 90 * turn);
  const [centreX, centreY] = [left + side / 2, top + side / 2];
  const [cosine, sine] = TURNS[turn];
  const step = side / GREY_CROP_PX;
  const samples = Math.min(Math.max(Math.ceil(step), 1), MOST_SAMPLES);
  const crop = new Float32Array(GREY_CROP_PX * GREY_CROP_PX);
  for (let row = 0; row < GREY_CROP_PX; row++) {
    for (let column = 0; column < GREY_CROP_PX; column++) {
      let sum = 0;
      for (let sampleY = 0; sampleY < samples; sampleY++) {
        const y = step * (row + (sampleY + 0.5) / samples) - side / 2;
        for (let sampleX = 0; sampleX < samples; sampleX++) {
          const x = step * (column + (sampleX + 0.5) / samples) - side / 2;
          sum += levelAt(pixels, size, centreX + cosine * x - sine * y, centreY + sine * x + cosine * y);
        }
      }
      crop[row * GREY_CROP_PX + column] = sum / samples ** 2;
    }
  }
  return crop;
}

/** The level at a place between four pixels, whose own places are their middles. */
function levelAt(pixels: Float32Array, { width, height }: SizePx, x: number, y: number): number {
  if (x < 0 || y < 0 || x >= width || y >= height) return 0;
  const [left, top] = [Math.floor(x - 0.5), Math.floor(y - 0.5)];
  const [partX, partY] = [x - 0.5 - left, y - 0.5 - top];
  const [x1, x2] = [Math.max(left, 0), Math.min(left + 1, width - 1)];
  const [y1, y2] = [Math.max(top, 0), Math.min(top + 1, height - 1)];
  const grey = (column: number, row: number): number => {
    const from = 3 * (row * width + column);
    const [r, g, b] = [pixels[from] ?? 0, pixels[from + 1] ?? 0, pixels[from + 2] ?? 0];
    return 127.5 * (WEIGHTS[0] * r + WEIGHTS[1] * g + WEIGHTS[2] * b + 1);
  };
  const above = grey(x1, y1) * (1 - partX) + grey(x2, y1) * partX;
  const below = grey(x1, y2) * (1 - partX) + grey(x2, y2) * partX;
  return above * (1 - partY) + below * partY;
}

import type { BoxXywh, SizePx } from "./box";
import { boxCentre } from "./box";

/** Side of the crop as a multiple of the detector box's longer side. */
export const CROP_MARGIN = 1.2;

/**
 * How far the crop's centre lies above the box's, as a part of the box's longer side: the training pictures
 * reach from the hairline to the chin, the detector's boxes from the brow to below the chin.
 */
export const CROP_RAISE = 0.1;

/** Side in pixels of the square picture that is sent to the server. */
export const CROP_SIZE_PX = 224;

/** JPEG quality in [0, 1] of that picture. */
export const CROP_JPEG_QUALITY = 0.9;

/**
 * The part of the frame that is cut out for one face: a square of side `margin × max(width, height)`, its
 * centre `CROP_RAISE × max(width, height)` above the detector box's. A square that crosses the frame's edge is moved inside; one that is larger
 * than the frame is first shrunk to the frame's shorter side. The answer therefore never needs padding.
 *
 * @param boxXywh the detector's box in frame pixels; it may reach outside of the frame
 * @param frame size of the frame, both sides above 0
 * @param margin at least 1
 * @returns `[x, y, side, side]` in frame pixels, not rounded: 0 ≤ x ≤ frame.width − side, likewise y
 */
export function cropSquare(boxXywh: BoxXywh, frame: SizePx, margin: number = CROP_MARGIN): BoxXywh {
  const [cx, boxCy] = boxCentre(boxXywh);
  const longer = Math.max(boxXywh[2], boxXywh[3]);
  const cy = boxCy - CROP_RAISE * longer;
  const wanted = margin * longer;
  const side = Math.min(wanted, frame.width, frame.height);
  return [
    clamp(cx - side / 2, 0, frame.width - side),
    clamp(cy - side / 2, 0, frame.height - side),
    side,
    side,
  ];
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}

import type { BoxXywh, PointXy, SizePx } from "./box";
import { boxCentre } from "./box";

/*
 * The crop of a face, as server/imaging/crop.py cuts it; docs/crop.md has the reasons, and tests/data/crop_cases.json
 * the cases that both must answer alike.
 */

/** Side of the crop as a multiple of the detector box's longer side. */
export const CROP_MARGIN = 1.2;

/**
 * How far the crop's centre lies above the box's, as a part of the box's longer side: the training pictures
 * reach from the hairline to the chin, the detector's boxes from the brow to below the chin.
 */
export const CROP_RAISE = 0.1;

/** A crop is turned upright where its face is turned by this angle or more. */
export const MIN_TURN_DEG = 12;

/**
 * Landmarks are believed where the eyes are so far apart, and the mouth is so far below them, as parts of the box's
 * longer side, and the mouth is where the line of the eyes says that down is, but for so many degrees.
 */
const EYES_APART = [0.2, 0.7] as const;
const MOUTH_BELOW = [0.2, 0.8] as const;
const MAX_ASKEW_DEG = 25;

/** Side in pixels of the square picture that is sent to the server. */
export const CROP_SIZE_PX = 224;

/** JPEG quality in [0, 1] of that picture. */
export const CROP_JPEG_QUALITY = 0.9;

/**
 * By how many degrees a face's crop is turned about its centre, clockwise as the unmirrored frame shows it, in
 * [−180, 180]; 0 for a face that is upright as it is, and where the landmarks are not to be believed. The mean of what
 * the line of the eyes and the line from them to the mouth say, each by its length.
 *
 * @param landmarksXy as of `Detection`, in the box's pixels
 */
export function cropTurn(boxXywh: BoxXywh, landmarksXy: readonly PointXy[] = []): number {
  const [rightEye, leftEye, , mouth] = landmarksXy;
  if (rightEye === undefined || leftEye === undefined || mouth === undefined) return 0;
  const longer = Math.max(boxXywh[2], boxXywh[3]);
  const acrossX = leftEye[0] - rightEye[0];
  const acrossY = leftEye[1] - rightEye[1];
  const apart = Math.hypot(acrossX, acrossY);
  if (apart === 0 || !isPart(apart, EYES_APART, longer)) return 0;
  const downX = mouth[0] - (rightEye[0] + leftEye[0]) / 2;
  const downY = mouth[1] - (rightEye[1] + leftEye[1]) / 2;
  // How far the mouth is from the eyes in the face's own axes: down, and across.
  const below = (acrossX * downY - acrossY * downX) / apart;
  const beside = (acrossX * downX + acrossY * downY) / apart;
  if (!isPart(below, MOUTH_BELOW, longer)) return 0;
  if (Math.abs(beside) > below * Math.tan(radians(MAX_ASKEW_DEG))) return 0;
  const turn = (Math.atan2(acrossY - downX, acrossX + downY) * 180) / Math.PI;
  return Math.abs(turn) >= MIN_TURN_DEG ? turn : 0;
}

/**
 * The part of the frame that is cut out for one face, before it is turned about its centre: a square of side
 * `CROP_MARGIN × max(width, height)`, its centre `CROP_RAISE × max(width, height)` above the detector box's, as the
 * face sees it. A square that crosses the frame's edge is moved inside; one that is larger than the frame is first
 * shrunk to the frame's shorter side. Only the corners of a turned one reach outside.
 *
 * @param boxXywh the detector's box in frame pixels; it may reach outside of the frame
 * @param frame size of the frame, both sides above 0
 * @param turnDeg as `cropTurn` gives it
 * @returns `[x, y, side, side]` in frame pixels, not rounded: 0 ≤ x ≤ frame.width − side, likewise y
 */
export function cropSquare(boxXywh: BoxXywh, frame: SizePx, turnDeg = 0): BoxXywh {
  const longest = CROP_MARGIN * Math.max(boxXywh[2], boxXywh[3]);
  const side = Math.min(longest, frame.width, frame.height);
  const [x, y] = squareOf(boxXywh, side, turnDeg);
  return [clamp(x, 0, frame.width - side), clamp(y, 0, frame.height - side), side, side];
}

/** The same square wherever it lies and as large as it is: it may reach outside of the frame. */
export function faceSquare(boxXywh: BoxXywh, turnDeg = 0): BoxXywh {
  return squareOf(boxXywh, CROP_MARGIN * Math.max(boxXywh[2], boxXywh[3]), turnDeg);
}

function squareOf(boxXywh: BoxXywh, side: number, turnDeg: number): BoxXywh {
  const [cx, cy] = boxCentre(boxXywh);
  const raised = CROP_RAISE * Math.max(boxXywh[2], boxXywh[3]);
  const x = cx + raised * Math.sin(radians(turnDeg)) - side / 2;
  const y = cy - raised * Math.cos(radians(turnDeg)) - side / 2;
  return [x, y, side, side];
}

function isPart(length: number, [low, high]: readonly [number, number], whole: number): boolean {
  return length >= low * whole && length <= high * whole;
}

function radians(degrees: number): number {
  return (degrees * Math.PI) / 180;
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}

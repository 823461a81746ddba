import type { BoxXywh, Detection, PointXy, SizePx } from "./box";

/** How a frame lies, undistorted and centred, inside the detector's square input. */
export interface Letterbox {
  /** Input pixels per frame pixel. */
  readonly scale: number;
  /** Empty margin at the left and the right, in input pixels. */
  readonly padX: number;
  /** Empty margin at the top and the bottom, in input pixels. */
  readonly padY: number;
}

/** @param part the frame's longer side as a part of the input's, in (0, 1] */
export function letterboxOf(frame: SizePx, inputSizePx: number, part = 1): Letterbox {
  const scale = (part * inputSizePx) / Math.max(frame.width, frame.height);
  return {
    scale,
    padX: (inputSizePx - frame.width * scale) / 2,
    padY: (inputSizePx - frame.height * scale) / 2,
  };
}

/** A box in input pixels, taken back to frame pixels. */
export function boxToFrame([x, y, width, height]: BoxXywh, { scale, padX, padY }: Letterbox): BoxXywh {
  return [(x - padX) / scale, (y - padY) / scale, width / scale, height / scale];
}

/** A box in frame pixels, as it lies in the input. */
export function boxToInput([x, y, width, height]: BoxXywh, { scale, padX, padY }: Letterbox): BoxXywh {
  return [x * scale + padX, y * scale + padY, width * scale, height * scale];
}

/** A face in input pixels, taken back to frame pixels. */
export function detectionToFrame(
  { boxXywh, score, landmarksXy = [] }: Detection,
  letterbox: Letterbox,
): Detection {
  const { scale, padX, padY } = letterbox;
  return {
    boxXywh: boxToFrame(boxXywh, letterbox),
    score,
    landmarksXy: landmarksXy.map(([x, y]): PointXy => [(x - padX) / scale, (y - padY) / scale]),
  };
}

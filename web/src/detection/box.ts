/** `[x, y, width, height]` in pixels of the unmirrored video frame; x grows rightwards, y downwards. */
export type BoxXywh = readonly [x: number, y: number, width: number, height: number];

/** Width and height in pixels. */
export interface SizePx {
  readonly width: number;
  readonly height: number;
}

/** In pixels of whatever the box beside it is in. */
export type PointXy = readonly [x: number, y: number];

/** One face as the detector reports it: its own box, neither enlarged nor squared, and a score in [0, 1]. */
export interface Detection {
  readonly boxXywh: BoxXywh;
  readonly score: number;
  /** The person's right eye, left eye, nose tip, mouth, right ear and left ear. */
  readonly landmarksXy?: readonly PointXy[];
  /** By how much its crop is turned upright; see `cropTurn`. */
  readonly turnDeg?: number;
  /** What the tracker tells it from other faces by; see `appearance.ts`. */
  readonly appearance?: readonly number[];
}

export function boxCentre([x, y, width, height]: BoxXywh): readonly [cx: number, cy: number] {
  return [x + width / 2, y + height / 2];
}

/** Area in square pixels; 0 for an empty or inverted box. */
export function boxArea([, , width, height]: BoxXywh): number {
  return Math.max(0, width) * Math.max(0, height);
}

/** Intersection over union in [0, 1]; 0 where the two do not touch. */
export function boxIou(a: BoxXywh, b: BoxXywh): number {
  const overlapWidth = Math.min(a[0] + a[2], b[0] + b[2]) - Math.max(a[0], b[0]);
  const overlapHeight = Math.min(a[1] + a[3], b[1] + b[3]) - Math.max(a[1], b[1]);
  if (overlapWidth <= 0 || overlapHeight <= 0) return 0;
  const intersection = overlapWidth * overlapHeight;
  return intersection / (boxArea(a) + boxArea(b) - intersection);
}

export function largestFirst(a: Detection, b: Detection): number {
  return boxArea(b.boxXywh) - boxArea(a.boxXywh);
}

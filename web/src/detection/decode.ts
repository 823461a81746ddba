import type { Detection, PointXy } from "./box";
import { boxIou } from "./box";

/*
 * Reading the raw outputs of BlazeFace (Bazarevsky et al., arXiv 1907.05047), the 256×256 "back camera" variant.
 *
 * The network answers for 896 anchors: two for each cell of a 16×16 grid (stride 16), then six for each cell of
 * an 8×8 grid (stride 32). An anchor has one logit and 16 offsets in input pixels: the box's centre relative to
 * the cell's centre (dx, dy), its width and height, then six landmarks, each relative to the cell's centre.
 */

/** Side in pixels of the network's square input. */
export const INPUT_SIZE_PX = 256;

/** Numbers in one anchor's regression output. */
export const OFFSETS_PER_ANCHOR = 16;

const GRIDS = [
  { stridePx: 16, anchorsPerCell: 2 },
  { stridePx: 32, anchorsPerCell: 6 },
] as const;

/** Eyes, nose tip, mouth and ears; see `Detection`. */
const LANDMARKS = 6;

/** Anchor centres as x, y pairs in input pixels, in the network's order. Length 2 × 896. */
export const ANCHOR_CENTRES: Float32Array = anchorCentres();

function anchorCentres(): Float32Array {
  const centres: number[] = [];
  for (const { stridePx, anchorsPerCell } of GRIDS) {
    const cells = INPUT_SIZE_PX / stridePx;
    for (let row = 0; row < cells; row++) {
      for (let column = 0; column < cells; column++) {
        for (let anchor = 0; anchor < anchorsPerCell; anchor++) {
          centres.push((column + 0.5) * stridePx, (row + 0.5) * stridePx);
        }
      }
    }
  }
  return Float32Array.from(centres);
}

/**
 * Every anchor whose score reaches `minScore`, as a box in input pixels.
 *
 * @param logits one per anchor, 512 of the fine grid, then 384 of the coarse one
 * @param offsets 16 per anchor, in the same order
 * @param minScore in (0, 1)
 * @throws RangeError where an output has another length or holds a value that is not finite
 */
export function decodeAnchors(logits: Float32Array, offsets: Float32Array, minScore: number): Detection[] {
  const anchors = ANCHOR_CENTRES.length / 2;
  if (logits.length !== anchors || offsets.length !== anchors * OFFSETS_PER_ANCHOR) {
    throw new RangeError(
      `expected ${anchors} anchors, got ${logits.length} logits, ${offsets.length} offsets`,
    );
  }
  const found: Detection[] = [];
  for (let anchor = 0; anchor < anchors; anchor++) {
    const logit = at(logits, anchor);
    // A lost graphics context answers with NaN instead of an error.
    if (Number.isNaN(logit)) throw new RangeError("the detector's output is not a number");
    const score = 1 / (1 + Math.exp(-logit));
    if (score < minScore) continue;
    const first = anchor * OFFSETS_PER_ANCHOR;
    const width = at(offsets, first + 2);
    const height = at(offsets, first + 3);
    if (!(width > 0 && height > 0)) continue;
    const anchorX = at(ANCHOR_CENTRES, 2 * anchor);
    const anchorY = at(ANCHOR_CENTRES, 2 * anchor + 1);
    const cx = anchorX + at(offsets, first);
    const cy = anchorY + at(offsets, first + 1);
    const landmarksXy = Array.from({ length: LANDMARKS }, (_, landmark): PointXy => {
      const place = first + 4 + 2 * landmark;
      return [anchorX + at(offsets, place), anchorY + at(offsets, place + 1)];
    });
    found.push({ boxXywh: [cx - width / 2, cy - height / 2, width, height], score, landmarksXy });
  }
  return found;
}

/** What has less than this part of the best one's score says little of where the face is. */
const MIN_PART_OF_BEST = 0.45;

/**
 * One detection per face: of boxes that overlap by `minIou` or more, the mean weighted by their scores, as the
 * BlazeFace paper does instead of plain suppression, because it steadies the box from frame to frame. Boxes far less
 * likely than the best one are left out of the mean.
 * The score is the group's best. Best face first.
 */
export function blendOverlapping(detections: readonly Detection[], minIou: number): Detection[] {
  let rest = [...detections].sort((a, b) => b.score - a.score);
  const faces: Detection[] = [];
  for (let best = rest[0]; best !== undefined; best = rest[0]) {
    const { boxXywh, score } = best;
    const group = rest.filter((other) => other === best || boxIou(other.boxXywh, boxXywh) >= minIou);
    rest = rest.filter((other) => !group.includes(other));
    const likely = group.filter((other) => other.score >= MIN_PART_OF_BEST * score);
    faces.push({ ...weightedMean(likely), score });
  }
  return faces;
}

function weightedMean(group: readonly Detection[]): Omit<Detection, "score"> {
  const total = group.reduce((sum, { score }) => sum + score, 0);
  const mean = (value: (one: Detection) => number) =>
    group.reduce((sum, one) => sum + one.score * value(one), 0) / total;
  const side = (index: 0 | 1 | 2 | 3) => mean(({ boxXywh }) => boxXywh[index]);
  const coordinate = (landmark: number, axis: 0 | 1) =>
    mean(({ landmarksXy }) => landmarksXy?.[landmark]?.[axis] ?? Number.NaN);
  const landmarks = group[0]?.landmarksXy ?? [];
  return {
    boxXywh: [side(0), side(1), side(2), side(3)],
    landmarksXy: landmarks.map((_, landmark) => [coordinate(landmark, 0), coordinate(landmark, 1)]),
  };
}

/** A value inside the array's checked length; the fallback only satisfies the type. */
function at(values: Float32Array, index: number): number {
  return values[index] ?? Number.NaN;
}

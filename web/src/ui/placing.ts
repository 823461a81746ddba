import type { BoxXywh, SizePx } from "../detection/box";

/*
 * Where labels go: inside of the picture, apart from each other, and off the faces where that can be.
 * server/annotation/placing.py is the same rule for annotated copies; tests/data/tag_places.json holds the two together.
 */

/** What a place costs for each part of the label that lies on another label, on another's face, on its own. */
const ON_LABEL = 1e6;
const ON_OTHER_FACE = 10;
const ON_OWN_FACE = 1;

/** For each length of the picture's longer side between a label and its box, beyond the gap. */
const DISTANCE = 8;

/** For each step down the order of places. */
const STEP = 0.02;

/** A label that stays where it was saves so much: places of equal merit must not take turns. */
const STAYING = 0.5;

/** Places around a box; more are tried only where all of these lie on other labels. */
const AROUND = 6;

/** A label's corner in pixels of the picture, and the number of its place. */
export interface Place {
  readonly x: number;
  readonly y: number;
  readonly number: number;
}

export interface Labelled {
  readonly boxXywh: BoxXywh;
  readonly label: SizePx;
  /** The place's number a moment ago. */
  readonly kept?: number | undefined;
}

/** The part of a box that lies inside of a picture, `inset` away from its edges, and never inverted. */
export function fitted([x, y, width, height]: BoxXywh, size: SizePx, inset = 0): BoxXywh {
  const right = Math.max(inset, Math.min(x + width, size.width - inset));
  const bottom = Math.max(inset, Math.min(y + height, size.height - inset));
  const left = Math.min(Math.max(x, inset), right);
  const top = Math.min(Math.max(y, inset), bottom);
  return [left, top, right - left, bottom - top];
}

/**
 * For each face a place for its label. Faces are in their order; earlier ones choose first.
 *
 * @param gap between a label and its box
 */
export function placeLabels(size: SizePx, faces: readonly Labelled[], gap = 0): Place[] {
  const taken: BoxXywh[] = [];
  return faces.map(({ boxXywh, label, kept }, index) => {
    const others = faces.filter((_, other) => other !== index);
    let best: Place = { x: 0, y: 0, number: 0 };
    let least = Number.POSITIVE_INFINITY;
    let isFree = false;
    for (const candidate of candidates(boxXywh, label, size, gap)) {
      const { number } = candidate;
      if (number === AROUND && isFree) break;
      const x = Math.max(0, Math.min(candidate.x, size.width - label.width));
      const y = Math.max(0, Math.min(candidate.y, size.height - label.height));
      const rect: BoxXywh = [x, y, label.width, label.height];
      const onLabels = sum(taken.map((other) => partOn(rect, other)));
      const cost =
        ON_LABEL * onLabels +
        ON_OTHER_FACE * sum(others.map((other) => partOn(rect, other.boxXywh))) +
        ON_OWN_FACE * partOn(rect, boxXywh) +
        (DISTANCE * Math.max(0, distance(rect, boxXywh) - gap)) / Math.max(size.width, size.height) +
        STEP * Math.min(number, AROUND) -
        (number === kept ? STAYING : 0);
      if (cost < least) {
        best = { x, y, number };
        least = cost;
        isFree = onLabels === 0;
      }
    }
    taken.push([best.x, best.y, label.width, label.height]);
    return best;
  });
}

/**
 * Above and below the box, then inside of it, then down the picture in steps of half a label, at both ends of the box
 * and of the picture.
 */
function* candidates(
  [x, y, width, height]: BoxXywh,
  label: SizePx,
  size: SizePx,
  gap: number,
): Generator<Place> {
  const end = x + width - label.width;
  const above = y - gap - label.height;
  const below = y + height + gap;
  yield { number: 0, x, y: above };
  yield { number: 1, x: end, y: above };
  yield { number: 2, x, y: below };
  yield { number: 3, x: end, y: below };
  yield { number: 4, x: x + gap, y: y + gap };
  yield { number: 5, x: x + gap, y: below - 2 * gap - label.height };
  const step = Math.max(1, label.height / 2);
  for (let row = 0; row < Math.floor(size.height / step); row++) {
    for (const [column, left] of [x, end, 0, size.width].entries()) {
      yield { number: AROUND + 4 * row + column, x: left, y: row * step };
    }
  }
}

/** The part of a label that a rectangle overlaps, in [0, 1]. */
function partOn(label: BoxXywh, other: BoxXywh): number {
  const across = Math.min(label[0] + label[2], other[0] + other[2]) - Math.max(label[0], other[0]);
  const down = Math.min(label[1] + label[3], other[1] + other[3]) - Math.max(label[1], other[1]);
  return across <= 0 || down <= 0 ? 0 : (across * down) / (label[2] * label[3]);
}

/** The sum of the horizontal and vertical distance of two rectangles. */
function distance(a: BoxXywh, b: BoxXywh): number {
  const across = Math.max(0, a[0] - (b[0] + b[2]), b[0] - (a[0] + a[2]));
  const down = Math.max(0, a[1] - (b[1] + b[3]), b[1] - (a[1] + a[3]));
  return across + down;
}

function sum(parts: readonly number[]): number {
  return parts.reduce((total, part) => total + part, 0);
}

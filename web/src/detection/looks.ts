import type { BoxXywh, Detection, PointXy, SizePx } from "./box";
import { cropTurn } from "./crop";
import { INPUT_SIZE_PX } from "./decode";
import { detectionToFrame, letterboxOf } from "./letterbox";

/*
 * How a frame is shown to the detector when it finds no sure face in the frame as it is: smaller, for a face that
 * fills the frame or is cut off by its edge and needs empty surroundings, and turned.
 */

/** Number of quarter turns by which a frame is turned, anticlockwise. */
export type Quarters = 0 | 1 | 2 | 3;

/** One way to show a frame to the detector. */
export interface Look {
  /** The frame's longer side as a part of the detector's input, in (0, 1]. */
  readonly part: number;
  readonly quarters: Quarters;
}

/** The frame as it is. */
export const PLAIN_LOOK: Look = { part: 1, quarters: 0 };

/** What is tried beyond that, in this order; the parts are those of server/detection. */
export const FURTHER_LOOKS: readonly [Look, Look, Look, Look] = [
  { part: 0.5, quarters: 0 },
  { part: 0.75, quarters: 1 },
  { part: 0.75, quarters: 3 },
  { part: 0.75, quarters: 2 },
];

/** The further look at a frame that is turned so, or at the smaller one where it is not. */
export function lookTurnedBy(quarters: Quarters): Look {
  return FURTHER_LOOKS.find((look) => look.quarters === quarters) ?? FURTHER_LOOKS[0];
}

/**
 * A face in the detector's input, taken back to the frame of `size` that it shows. Its crop is turned upright by its
 * landmarks, and by the look where those are not to be believed.
 */
export function seenFrom({ part, quarters }: Look, found: Detection, size: SizePx): Detection {
  const letterbox = letterboxOf(turnedSize(size, quarters), INPUT_SIZE_PX, part);
  const face = turnedBack(detectionToFrame(found, letterbox), quarters, size);
  return { ...face, turnDeg: cropTurn(face.boxXywh, face.landmarksXy) || TURN_DEG[quarters] };
}

/** By how much a face is turned, clockwise, that is upright in a frame so turned; as of `cropTurn`. */
const TURN_DEG = [0, 90, 180, -90] as const;

/** The size of a frame that is turned. */
function turnedSize({ width, height }: SizePx, quarters: Quarters): SizePx {
  return quarters % 2 === 0 ? { width, height } : { width: height, height: width };
}

/**
 * A face in a frame that is turned by `quarters`, taken back to the frame of `size` as it was. Its box stays an upright
 * rectangle; its landmarks keep their order, so that the eyes show how it is turned. The same as `turned_back` in
 * server/detection/turned.py; both are held to tests/data/turned_cases.json.
 */
export function turnedBack(
  { boxXywh, score, landmarksXy = [] }: Detection,
  quarters: Quarters,
  size: SizePx,
): Detection {
  return {
    boxXywh: boxBack(boxXywh, quarters, size),
    score,
    landmarksXy: landmarksXy.map((point) => pointBack(point, quarters, size)),
  };
}

function pointBack([x, y]: PointXy, quarters: Quarters, { width, height }: SizePx): PointXy {
  switch (quarters) {
    case 0:
      return [x, y];
    case 1:
      return [width - y, x];
    case 2:
      return [width - x, height - y];
    case 3:
      return [y, height - x];
    default:
      return quarters satisfies never;
  }
}

function boxBack([x, y, width, height]: BoxXywh, quarters: Quarters, size: SizePx): BoxXywh {
  const [x1, y1] = pointBack([x, y], quarters, size);
  const [x2, y2] = pointBack([x + width, y + height], quarters, size);
  return [Math.min(x1, x2), Math.min(y1, y2), Math.abs(x2 - x1), Math.abs(y2 - y1)];
}

/** A look that has failed in so many frames in a row is no longer the first to be tried. */
const MOST_FAILURES = 5;

/** Most further looks of one frame. */
const MOST_LOOKS = 2;

/** Where a frame has a face that may be better seen in another look, none is tried for so many frames after all were. */
const REST_FRAMES = 30;

/**
 * Which further looks a frame gets: the one that the verifier asks for, the one that last found a face, and one of the
 * others, which take turns from frame to frame. So whoever is turned or close is found within a few frames, and then
 * in each.
 */
export class LookOrder {
  #first: Look | null = null;
  #failures = 0;
  #turn = 0;
  #fruitless = 0;

  /**
   * The looks of one frame, in the order in which to try them until one finds a face.
   *
   * @param hint the turn of the frame that should show a face upright
   * @param hasFace whether the frame as it is shows a face, though not for sure
   */
  next(hint: Quarters | null = null, hasFace = false): readonly Look[] {
    this.#fruitless = hasFace && this.#first === null ? this.#fruitless + 1 : 0;
    if (this.#fruitless > FURTHER_LOOKS.length + REST_FRAMES) this.#fruitless = 1;
    if (this.#fruitless > FURTHER_LOOKS.length) return [];
    const likely = [hint === null ? null : lookTurnedBy(hint), this.#first].filter((look) => look !== null);
    const others = FURTHER_LOOKS.filter((look) => !likely.includes(look));
    const other = others.slice(this.#turn++ % others.length).slice(0, 1);
    return [...new Set([...likely, ...other])].slice(0, MOST_LOOKS);
  }

  /** Call for each look that was tried. */
  tried(look: Look, hasFound: boolean): void {
    if (hasFound) {
      this.#first = look;
      this.#failures = 0;
    } else if (look === this.#first && ++this.#failures >= MOST_FAILURES) {
      this.#first = null;
      this.#failures = 0;
    }
  }
}

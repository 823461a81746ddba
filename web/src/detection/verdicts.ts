import { type BoxXywh, boxIou } from "./box";
import type { Look, Quarters } from "./looks";

/** From this probability on a face may count as turned. */
const MIN_TURNED_PROBABILITY = 0.5;

/**
 * A face counts as turned where so many times more speaks against an upright one. More than 1, since upright faces are
 * far more frequent, and those under a mask are nearly as likely upside down.
 */
const TURNED_FACTOR = 3;

/** A verdict holds as long as each frame's box overlaps the one before by this much (intersection over union). */
const MIN_IOU = 0.5;

/** What the verifier says of a proposal. */
export interface Verdict {
  /** Whether it certainly is an upright face. */
  readonly isFace: boolean;
  /** That of an upright face. */
  readonly probability: number;
  /** By how many quarters it is turned clockwise; 0 where it is upright, or no face. */
  readonly turn: Quarters;
}

/**
 * @param probabilities of a face turned clockwise by 0 quarters, by 1, and so on; only the first where no other is known
 * @param minProbability of what certainly is a face
 */
export function verdictOf([upright = 0, ...turned]: readonly number[], minProbability: number): Verdict {
  const best = Math.max(0, ...turned);
  const isTurned = best >= MIN_TURNED_PROBABILITY && 1 - upright > TURNED_FACTOR * (1 - best);
  return {
    isFace: !isTurned && upright >= minProbability,
    probability: upright,
    turn: isTurned ? ((turned.indexOf(best) + 1) as Quarters) : 0,
  };
}

interface Remembered {
  readonly look: Look;
  readonly boxXywh: BoxXywh;
  readonly verdict: Verdict;
  /** Number of the frame in which it was given, and in which it was last asked for. */
  readonly givenAt: number;
  readonly seenAt: number;
}

/** Keeps the verifier's verdicts from frame to frame, so that it need not judge each face in each. */
export class Verdicts {
  readonly #frames: number;
  #all: readonly Remembered[] = [];
  #frame = 0;

  /** @param frames for so many a verdict holds */
  constructor(frames: number) {
    this.#frames = frames;
  }

  nextFrame(): void {
    this.#frame++;
    this.#all = this.#all.filter(({ givenAt }) => this.#frame - givenAt < this.#frames);
  }

  /** What is known of a box of a look, in frame pixels; null where nothing is. */
  recall(look: Look, boxXywh: BoxXywh): Verdict | null {
    const known = this.#all.find(
      (one) => one.look === look && one.seenAt < this.#frame && boxIou(one.boxXywh, boxXywh) >= MIN_IOU,
    );
    if (known === undefined) return null;
    this.#all = [...this.#all.filter((one) => one !== known), { ...known, boxXywh, seenAt: this.#frame }];
    return known.verdict;
  }

  remember(look: Look, boxXywh: BoxXywh, verdict: Verdict): void {
    this.#all = [...this.#all, { look, boxXywh, verdict, givenAt: this.#frame, seenAt: this.#frame }];
  }
}

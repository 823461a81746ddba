import { type BoxXywh, boxIou, type Detection } from "./box";
import { type Look, LookOrder, lookTurnedBy, PLAIN_LOOK, type Quarters } from "./looks";
import { type Verdict, verdictOf, Verdicts } from "./verdicts";

/** Faces below this score, in (0, 1), are not reported. Low, since the tracker asks more of a new face. */
const MIN_SCORE = 0.4;

/** From this score on the tracker takes a face for a new one. What the verifier alone accepts is given this score. */
const MIN_SURE_SCORE = 0.6;

/** Least score of what may be a face: under a headset or a mask, the detector's own score is low. */
export const MIN_PROPOSAL_SCORE = 0.12;

/**
 * The verifier's probability of what certainly is a face: in the frame as it is, smaller, and turned. It is the highest
 * there, since the verifier takes many an upright face for one upside down, too.
 */
const MIN_PROBABILITY = 0.95;
const MIN_SMALLER_PROBABILITY = 0.9;
const MIN_TURNED_PROBABILITY = 0.99;

/** What the verifier gives less than this probability is no new face, unless the detector gives it this score. */
const MIN_NEW_PROBABILITY = 0.85;
const MIN_CERTAIN_SCORE = 0.8;

/**
 * Least longer side, in pixels of the detector's input, of what the verifier can judge: of what the detector takes for a
 * face, and of what it does not, among which small textures are the most.
 */
const MIN_JUDGED_PX = 18;
const MIN_WEAK_PX = 32;

/**
 * Longest side, in pixels of the detector's input, of what can be told from the frame as it is. Larger faces need empty
 * surroundings: without, boxes and landmarks are wrong, and the verifier cannot tell which way round they are, still less
 * by how much they are turned. Of a covered face, to which the detector gives a low score, it boxes a half or an eye.
 */
const MAX_TOLD_PX = 140;
const MAX_TOLD_TURN_PX = 100;
const MAX_TOLD_WEAK_PX = 64;

/** For so many frames the verifier need not judge a face again, nor a large one be looked at in a smaller frame. */
const JUDGED_FRAMES = 15;
const TOLD_FRAMES = 30;

/** Most proposals of a look that the verifier judges, the likeliest ones; each takes about a tenth of a look's time. */
const MOST_JUDGED = 3;

/** Two boxes of different looks that overlap by more than this are of one face, perhaps of its chin alone. */
const MIN_PART_IOU = 0.1;

/** Two boxes of different looks that overlap by more than this are of one face, as a whole. */
const MIN_SAME_IOU = 0.5;

/** Something in a look that is a face or may be one. */
export interface Proposal {
  /** In frame pixels. */
  readonly face: Detection;
  /** Its box in the detector's input, as the look shows it. */
  readonly inputXywh: BoxXywh;
}

/** What shows one frame to the detector and to the verifier. */
export interface FrameViewer {
  /** All that has `MIN_PROPOSAL_SCORE`, best first. */
  see(look: Look): Promise<readonly Proposal[]>;
  /**
   * The probabilities that a proposal of the latest look is a face, turned clockwise by each of these quarters of a
   * turn; null where there is no verifier yet.
   */
  judge(proposal: Proposal, turns: readonly Quarters[]): Promise<readonly number[] | null>;
}

const UPRIGHT: Verdict = { isFace: true, probability: 1, turn: 0 };

/** What a look has found. */
interface Found {
  readonly faces: readonly Detection[];
  /** Whether one of them certainly is a face, and upright in this look. */
  readonly isSure: boolean;
  /** Faces that are too large to be told, with the detector's own scores. */
  readonly untold: readonly Detection[];
  /** The turn of the frame that would show a face upright which this look shows turned; 0 for the smaller frame. */
  readonly hint: Quarters | null;
}

/**
 * Finds the faces of one frame after another. Where the frame as it is shows a sure face, that is all. Else it is
 * looked at smaller or turned, too.
 *
 * The detector takes turned faces for upright ones, with high scores and boxes that are wrong. The verifier knows better:
 * it judges each new face once, and the likeliest one in all four turns, which says at once which look it needs.
 */
export class FaceSearch {
  readonly #order = new LookOrder();
  readonly #verdicts = new Verdicts(JUDGED_FRAMES);
  readonly #told = new Verdicts(TOLD_FRAMES);

  /** @returns faces in frame pixels */
  async find(viewer: FrameViewer): Promise<readonly Detection[]> {
    this.#verdicts.nextFrame();
    this.#told.nextFrame();
    const plain = await this.#found(viewer, PLAIN_LOOK);
    if (plain.isSure) return plain.faces;
    let { faces } = plain;
    const hasFace = faces.some(isSureFace);
    const hint = plain.hint ?? (plain.untold.length > 0 ? 0 : null);
    const looks = [...this.#order.next(hint, hasFace)];
    for (let number = 0; number < looks.length; number++) {
      const look = looks[number] ?? PLAIN_LOOK;
      const further = await this.#found(viewer, look);
      this.#order.tried(look, further.isSure);
      const told = look.quarters === 0 && further.isSure ? toldBy(further.faces, plain.untold) : [];
      // Where it contradicts one of them, all boxes are the smaller frame's, now and in the next frame.
      if (told.length > 0 && told.length === plain.untold.length) {
        for (const { boxXywh } of told) this.#told.remember(PLAIN_LOOK, boxXywh, UPRIGHT);
        return faces;
      }
      faces = joined(faces, further.faces);
      if (further.isSure) break;
      if (number === 0 && further.hint !== null) looks[1] = lookTurnedBy(further.hint);
    }
    return faces;
  }

  async #found(viewer: FrameViewer, look: Look): Promise<Found> {
    const faces: Detection[] = [];
    const untold: Detection[] = [];
    let isSure = false;
    let hint: Quarters | null = null;
    let left = MOST_JUDGED;
    for (const proposal of await viewer.see(look)) {
      const { face, inputXywh } = proposal;
      const sidePx = Math.max(inputXywh[2], inputXywh[3]);
      // Further looks are for large faces, and textures look like small ones.
      if (sidePx < MIN_JUDGED_PX && look !== PLAIN_LOOK) continue;
      const isJudged = sidePx >= (isSureFace(face) ? MIN_JUDGED_PX : MIN_WEAK_PX);
      let verdict = isJudged ? this.#verdicts.recall(look, face.boxXywh) : null;
      if (isJudged && verdict === null && left > 0)
        verdict = await this.#judged(viewer, look, proposal, left-- === MOST_JUDGED);
      const score = scoreOf(face.score, verdict, look);
      if (score >= MIN_SCORE) faces.push({ ...face, score });
      if (verdict !== null && verdict.turn !== 0)
        hint ??= look === PLAIN_LOOK && sidePx > MAX_TOLD_TURN_PX ? 0 : turnedFurther(look, verdict.turn);
      if (verdict === null) isSure ||= score >= MIN_SURE_SCORE;
      else if (verdict.isFace && this.#isTold(look, face, sidePx)) isSure = true;
      else if (verdict.isFace) untold.push(face);
    }
    return { faces, isSure, untold, hint };
  }

  #isTold(look: Look, face: Detection, sidePx: number): boolean {
    const maxPx = isSureFace(face) ? MAX_TOLD_PX : MAX_TOLD_WEAK_PX;
    return look !== PLAIN_LOOK || sidePx <= maxPx || this.#told.recall(look, face.boxXywh) !== null;
  }

  async #judged(
    viewer: FrameViewer,
    look: Look,
    proposal: Proposal,
    isLikeliest: boolean,
  ): Promise<Verdict | null> {
    const probabilities = await viewer.judge(proposal, isLikeliest ? [0, 1, 2, 3] : [0]);
    if (probabilities === null) return null;
    const verdict = verdictOf(probabilities, minProbabilityOf(look));
    this.#verdicts.remember(look, proposal.face.boxXywh, verdict);
    return verdict;
  }
}

function minProbabilityOf(look: Look): number {
  if (look.quarters !== 0) return MIN_TURNED_PROBABILITY;
  return look === PLAIN_LOOK ? MIN_PROBABILITY : MIN_SMALLER_PROBABILITY;
}

function turnedFurther({ quarters }: Look, turn: Quarters): Quarters {
  return ((quarters + turn) % 4) as Quarters;
}

function isSureFace({ score }: Detection): boolean {
  return score >= MIN_SURE_SCORE;
}

/** Of faces too large to be told, those that are right in the frame as it is, as the smaller frame's sure faces tell. */
function toldBy(smaller: readonly Detection[], untold: readonly Detection[]): readonly Detection[] {
  const isThere = (face: Detection) =>
    smaller.some((other) => isSureFace(other) && boxIou(face.boxXywh, other.boxXywh) > MIN_SAME_IOU);
  return untold.filter((face) => isSureFace(face) || isThere(face));
}

/** The score of a face with the verifier's verdict, by which the tracker decides whether it may be a new one. */
function scoreOf(score: number, verdict: Verdict | null, look: Look): number {
  if (verdict === null) return score;
  if (verdict.isFace) return Math.max(score, MIN_SURE_SCORE);
  const mayBeNew = score >= MIN_CERTAIN_SCORE || verdict.probability >= MIN_NEW_PROBABILITY;
  return look === PLAIN_LOOK && mayBeNew ? score : Math.min(score, MIN_SCORE);
}

/** Where faces of the frame as it is and of a further look overlap, the latter count if they are sure. */
function joined(plain: readonly Detection[], further: readonly Detection[]): readonly Detection[] {
  const isSame = (a: Detection, b: Detection) => boxIou(a.boxXywh, b.boxXywh) > MIN_PART_IOU;
  const sure = further.filter(isSureFace);
  return [
    ...plain.filter((one) => !sure.some((other) => isSame(one, other))),
    ...further.filter((one) => isSureFace(one) || !plain.some((other) => isSame(one, other))),
  ];
}

import { type Appearance, appearanceDistance } from "../detection/appearance";
import { type BoxXywh, boxCentre, boxIou, type Detection } from "../detection/box";

/*
 * Which face is whose from frame to frame.
 *
 * The same rule as server/tracking/tracker.py, name by name, which has the reasons for the numbers; both are held to
 * tests/data/tracking_cases.json. Only + − × ÷ and square roots are used, in the same order, so that both give the
 * same ids to the last tie.
 *
 * A face is expected where its speed has carried it. Each pair of a known face and a box costs what separates them:
 * distance, change of size, and change of appearance; a pair beyond one of the limits is none. The cheapest pair is
 * taken first, then the cheapest of what is left; a box without a partner is a new face.
 */

const MAX_GAP_S = 2.25;
const MAX_PAUSE_S = 10;
const MAX_UNSEEN = 32;
const DAMPING_S = 1;
const REACH = 0.8;
const REACH_PER_S = 12;
const MAX_REACH_S = 0.3;
const FIRST_REACH_PER_S = 16;
const MAX_FIRST_REACH_S = 0.25;
const MAX_GROWTH = 1.6;
const GROWTH_PER_S = 1;
const MAX_APPEARANCE = 0.7;
const APPEARANCE_PER_S = 0.2;
const NEAR = 2;
const COVERED_APPEARANCE = 1.7;
const STILL = 0.25;
const STILL_S = 0.5;
const STILL_APPEARANCE = 1.3;
const REACH_COST = 2;
const GROWTH_COST = 0.5;
const APPEARANCE_COST = 1;
const UNSEEN_COST = 0.5;
const SPEED_S = 0.08;
const APPEARANCE_S = 0.15;
const CROWDED_IOU = 0.1;
const CROWDED_SPEED = 0.25;

/** Weight of the newest measurement in the steadied box, in (0, 1]. */
const STEADY_WEIGHT = 0.55;

/** A face that is being followed. */
export interface Track {
  /** Unique in the session; never given to another face. */
  readonly faceId: number;
  /** The latest detector box: cut crops out of this one. */
  readonly boxXywh: BoxXywh;
  /** The same box, steadied: draw this one. */
  readonly smoothXywh: BoxXywh;
  /** Time of the latest detection, in seconds on the caller's clock. */
  readonly seenAtS: number;
  /** Index in the latest call's detections; null while the face is unseen. */
  readonly detection: number | null;
}

export interface TrackerOptions {
  /**
   * Score in [0, 1] that a new face must reach. A known face is kept at any score that the detector reports, so that
   * it does not come and go while its score moves around the threshold.
   */
  readonly minNewScore?: number;
}

interface State extends Track {
  readonly appearance: Appearance;
  /** Time of the first frame without it since it was seen; null if it was in the frame before. */
  readonly missingSinceS: number | null;
  readonly vx: number;
  readonly vy: number;
  readonly hasSpeed: boolean;
}

interface Pair {
  readonly cost: number;
  readonly place: number;
  readonly index: number;
}

/** One page's faces. Numbers count from 1 and are never given twice. No clock, no DOM: the time is handed in. */
export class FaceTracker {
  readonly #minNewScore: number;
  #states: readonly State[] = [];
  #nextFaceId = 1;

  constructor({ minNewScore = 0.6 }: TrackerOptions = {}) {
    this.#minNewScore = minNewScore;
  }

  /**
   * @param detections faces of one frame
   * @param nowS time of that frame in seconds; where it goes back, another video has begun, and all faces are new
   * @returns all faces that are remembered, seen or not, the oldest first
   */
  update(detections: readonly Detection[], nowS: number): readonly Track[] {
    const known = this.#states.filter((state) => isRemembered(state, nowS));
    const expected = known.map((state) => expectedBox(state, nowS));
    const partners = pairsOf(known, expected, detections, nowS);
    const boxes = detections.map((detection) => detection.boxXywh);

    const indexOf = new Map([...partners].map(([index, place]) => [place, index]));
    const kept = known.map((state, place): State => {
      const index = indexOf.get(place);
      const detection = index === undefined ? undefined : detections[index];
      if (index === undefined || detection === undefined)
        return { ...state, detection: null, missingSinceS: state.missingSinceS ?? nowS };
      const others = [
        ...expected.filter((_, other) => other !== place),
        ...boxes.filter((_, i) => i !== index),
      ];
      const crowded = others.some((other) => boxIou(other, detection.boxXywh) > CROWDED_IOU);
      return seen(state, expected[place] ?? state.boxXywh, detection, index, crowded, nowS);
    });
    const fresh = detections.flatMap((detection, index) =>
      partners.has(index) || detection.score < this.#minNewScore
        ? []
        : [this.#create(detection, index, nowS)],
    );
    this.#states = withoutForgotten([...kept, ...fresh]);
    return this.#states;
  }

  #create({ boxXywh, appearance = [] }: Detection, detection: number, nowS: number): State {
    const faceId = this.#nextFaceId++;
    const still = { missingSinceS: null, vx: 0, vy: 0, hasSpeed: false };
    return { faceId, boxXywh, smoothXywh: boxXywh, seenAtS: nowS, detection, appearance, ...still };
  }
}

function isRemembered({ seenAtS, missingSinceS }: State, nowS: number): boolean {
  if (nowS < seenAtS) return false;
  return missingSinceS === null ? nowS - seenAtS <= MAX_PAUSE_S : nowS - missingSinceS <= MAX_GAP_S;
}

/** The box where the face's speed has carried it. */
function expectedBox({ boxXywh, vx, vy, seenAtS }: State, nowS: number): BoxXywh {
  const [cx, cy] = boxCentre(boxXywh);
  const [, , width, height] = boxXywh;
  const elapsed = nowS - seenAtS;
  const way = elapsed / (1 + elapsed / DAMPING_S);
  return [cx + vx * way - width / 2, cy + vy * way - height / 2, width, height];
}

/**
 * The place of the known face that each detection belongs to, if any does: cheapest pairs first. Of equal costs the
 * older face comes first, then the detection that is listed first.
 */
function pairsOf(
  known: readonly State[],
  expected: readonly BoxXywh[],
  detections: readonly Detection[],
  nowS: number,
): ReadonlyMap<number, number> {
  const pairs: Pair[] = [];
  known.forEach((state, place) => {
    detections.forEach((detection, index) => {
      const others = detections.filter((_, other) => other !== index);
      const cost = costOf(state, expected[place] ?? state.boxXywh, detection, others, nowS);
      if (cost !== null) pairs.push({ cost, place, index });
    });
  });
  pairs.sort((a, b) => a.cost - b.cost || a.place - b.place || a.index - b.index);
  const partners = new Map<number, number>();
  const taken = new Set<number>();
  for (const { place, index } of pairs) {
    if (taken.has(place) || partners.has(index)) continue;
    partners.set(index, place);
    taken.add(place);
  }
  return partners;
}

/** What separates a face from a detection; null where that is too much. */
function costOf(
  state: State,
  expected: BoxXywh,
  detection: Detection,
  others: readonly Detection[],
  nowS: number,
): number | null {
  const elapsed = nowS - state.seenAtS;
  const [x, y] = boxCentre(detection.boxXywh);
  const [expectedX, expectedY] = boxCentre(expected);
  const dx = x - expectedX;
  const dy = y - expectedY;
  const way = Math.sqrt(dx * dx + dy * dy);
  const distance = way / reachOf(state, elapsed);
  if (distance > 1) return null;
  const [side, knownSide] = [sideOf(detection.boxXywh), sideOf(state.boxXywh)];
  let growth = Math.max(side, knownSide) / Math.max(Math.min(side, knownSide), 1) - 1;
  growth = growth / (MAX_GROWTH - 1 + GROWTH_PER_S * elapsed);
  if (growth > 1) return null;
  let change = appearanceDistance(state.appearance, detection.appearance ?? []);
  change = change / (MAX_APPEARANCE + APPEARANCE_PER_S * Math.min(elapsed, 1));
  if (change > COVERED_APPEARANCE) return null;
  const stayed = state.missingSinceS === null && elapsed <= STILL_S && way < STILL * side;
  const maxChange = stayed ? STILL_APPEARANCE : 1;
  if (change > maxChange && !others.some((other) => isNear(other.boxXywh, detection.boxXywh))) return null;
  const cost = REACH_COST * distance + GROWTH_COST * growth + APPEARANCE_COST * change;
  return state.missingSinceS === null ? cost : cost + UNSEEN_COST;
}

/** Whether somebody is so near to a box as to cover a part of the face there. */
function isNear(other: BoxXywh, boxXywh: BoxXywh): boolean {
  const [x, y] = boxCentre(boxXywh);
  const [otherX, otherY] = boxCentre(other);
  const dx = otherX - x;
  const dy = otherY - y;
  const reach = (NEAR * (boxXywh[2] + boxXywh[3])) / 2;
  return dx * dx + dy * dy < reach * reach;
}

/** How far from where it is expected a face may be, in px. */
function reachOf({ boxXywh, vx, vy, hasSpeed }: State, elapsed: number): number {
  const side = Math.max(sideOf(boxXywh), 1);
  if (!hasSpeed) return side * (REACH + FIRST_REACH_PER_S * Math.min(elapsed, MAX_FIRST_REACH_S));
  const seconds = Math.min(elapsed, MAX_REACH_S);
  const speed = Math.sqrt(vx * vx + vy * vy);
  return side * (REACH + REACH_PER_S * seconds) + 2 * speed * seconds;
}

/** The face as it is now that it was seen. */
function seen(
  state: State,
  expected: BoxXywh,
  { boxXywh, appearance = [] }: Detection,
  detection: number,
  crowded: boolean,
  nowS: number,
): State {
  const elapsed = Math.max(nowS - state.seenAtS, 0.001);
  const [x, y] = boxCentre(boxXywh);
  const [expectedX, expectedY] = boxCentre(expected);
  let weight = state.hasSpeed ? elapsed / (elapsed + SPEED_S) : 1;
  if (crowded) weight = weight * CROWDED_SPEED;
  return {
    faceId: state.faceId,
    boxXywh,
    smoothXywh: steadied(state, expected, boxXywh),
    seenAtS: nowS,
    missingSinceS: null,
    detection,
    appearance: learnt(state.appearance, appearance, crowded, elapsed),
    vx: state.vx + (weight * (x - expectedX)) / elapsed,
    vy: state.vy + (weight * (y - expectedY)) / elapsed,
    hasSpeed: true,
  };
}

function learnt(known: Appearance, now: Appearance, crowded: boolean, elapsed: number): Appearance {
  if (known.length === 0) return now;
  if (now.length === 0 || crowded) return known;
  const weight = elapsed / (elapsed + APPEARANCE_S);
  return known.map((old, index) => old + weight * ((now[index] ?? old) - old));
}

/** The steadied box is carried along by the face's speed, so that it does not lag behind. */
function steadied({ boxXywh, smoothXywh }: State, expected: BoxXywh, now: BoxXywh): BoxXywh {
  const mixed = (side: 0 | 1 | 2 | 3): number => {
    const carried = smoothXywh[side] + (expected[side] - boxXywh[side]);
    return carried + (now[side] - carried) * STEADY_WEIGHT;
  };
  return [mixed(0), mixed(1), mixed(2), mixed(3)];
}

function sideOf([, , width, height]: BoxXywh): number {
  return (width + height) / 2;
}

/** Bounds what is remembered: unseen faces, those seen last. */
function withoutForgotten(states: readonly State[]): readonly State[] {
  const unseen = states.filter((state) => state.detection === null);
  if (unseen.length <= MAX_UNSEEN) return states;
  unseen.sort((a, b) => b.seenAtS - a.seenAtS || a.faceId - b.faceId);
  const gone = new Set(unseen.slice(MAX_UNSEEN));
  return states.filter((state) => !gone.has(state));
}

import { type BoxXywh, boxCentre, boxIou, type Detection } from "../detection/box";
import { matchBestFirst, type Pair } from "./matching";

/** A face that is being followed. */
export interface Track {
  /** Unique in the session; never given to another face. */
  readonly faceId: number;
  /** The latest detector box: cut crops out of this one. */
  readonly boxXywh: BoxXywh;
  /** The same box, steadied: draw this one. */
  readonly smoothXywh: BoxXywh;
  /** Time of the latest detection, in ms on the caller's clock. */
  readonly seenAtMs: number;
  /** Index in the latest call's detections; null while the face is being waited for. */
  readonly detection: number | null;
}

export interface TrackerOptions {
  /** A face that is away for longer is forgotten, in ms. */
  readonly maxGapMs?: number;
  /**
   * A face that was in the latest frame is looked for in the next one even where that took this long to come, in ms:
   * a slow detector must not make new faces of the old ones. The default is what a detection may take at most. After
   * longer pauses somebody else may sit there.
   */
  readonly maxPauseMs?: number;
  /** Smallest overlap, in (0, 1], at which two boxes can be one face. */
  readonly minIou?: number;
  /** Largest distance of the centres, in multiples of the mean box side, where boxes do not overlap enough. */
  readonly maxDistance?: number;
  /**
   * Score in [0, 1] that a new face must reach. A known face is kept at any score that the detector reports, so that
   * it does not come and go while its score moves around the threshold.
   */
  readonly minNewScore?: number;
}

interface State extends Track {
  /** Speed of the centre, in pixels per ms. */
  readonly velocity: readonly [vx: number, vy: number];
}

/** Weight of the newest measurement in the steadied box and in the speed, in (0, 1]. */
const SMOOTHING_WEIGHT = 0.55;
const VELOCITY_WEIGHT = 0.4;

/** A face that is away may have stopped: its speed is believed for this long, in ms. */
const MAX_EXTRAPOLATION_MS = 200;

/**
 * Gives every face the same `faceId` from frame to frame.
 *
 * Each face is expected where its speed would have carried it, which keeps two faces apart that cross. Pairs that
 * overlap are matched first, best overlap first; what is left is matched by distance, for fast movement at a low
 * frame rate. No clock, no DOM: the time is handed in.
 */
export class FaceTracker {
  readonly #maxGapMs: number;
  readonly #maxPauseMs: number;
  readonly #minIou: number;
  readonly #maxDistance: number;
  readonly #minNewScore: number;
  #states: readonly State[] = [];
  #nextFaceId = 1;

  constructor({
    maxGapMs = 500,
    maxPauseMs = 10_000,
    minIou = 0.2,
    maxDistance = 0.8,
    minNewScore = 0.6,
  }: TrackerOptions = {}) {
    this.#minNewScore = minNewScore;
    this.#maxGapMs = maxGapMs;
    this.#maxPauseMs = maxPauseMs;
    this.#minIou = minIou;
    this.#maxDistance = maxDistance;
  }

  /**
   * @param detections faces of one frame
   * @param nowMs time of that frame; never smaller than in the call before
   * @returns all faces that are present or were within the last `maxGapMs`
   */
  update(detections: readonly Detection[], nowMs: number): readonly Track[] {
    const known = this.#states.filter((state) => nowMs - state.seenAtMs <= this.#patienceMs(state));
    const expected = known.map((state) => expectedBox(state, nowMs));
    const boxes = detections.map((detection) => detection.boxXywh);
    const detectionOf = new Map(this.#match(expected, boxes));

    const kept = known.flatMap((state, index) => {
      const detection = detectionOf.get(index);
      const boxXywh = detection === undefined ? undefined : boxes[detection];
      if (detection !== undefined && boxXywh !== undefined)
        return [advance(state, boxXywh, detection, nowMs)];
      return nowMs - state.seenAtMs <= this.#maxGapMs ? [{ ...state, detection: null }] : [];
    });
    const matched = new Set(detectionOf.values());
    const fresh = detections.flatMap(({ boxXywh, score }, detection) =>
      matched.has(detection) || score < this.#minNewScore ? [] : [this.#create(boxXywh, detection, nowMs)],
    );
    this.#states = [...kept, ...fresh];
    return this.#states;
  }

  /** How long after it was seen this face is still looked for, in ms. */
  #patienceMs({ detection }: State): number {
    return detection === null ? this.#maxGapMs : Math.max(this.#maxGapMs, this.#maxPauseMs);
  }

  #match(expected: readonly BoxXywh[], boxes: readonly BoxXywh[]): readonly Pair[] {
    return matchBestFirst(expected, boxes, [
      (a, b) => atLeast(boxIou(a, b), this.#minIou),
      (a, b) => atLeast(-relativeDistance(a, b), -this.#maxDistance),
    ]);
  }

  #create(boxXywh: BoxXywh, detection: number, nowMs: number): State {
    const faceId = this.#nextFaceId++;
    return { faceId, boxXywh, smoothXywh: boxXywh, seenAtMs: nowMs, detection, velocity: [0, 0] };
  }
}

function advance(state: State, boxXywh: BoxXywh, detection: number, nowMs: number): State {
  const elapsedMs = Math.max(1, nowMs - state.seenAtMs);
  const [oldX, oldY] = boxCentre(state.boxXywh);
  const [newX, newY] = boxCentre(boxXywh);
  const [vx, vy] = state.velocity;
  return {
    faceId: state.faceId,
    boxXywh,
    smoothXywh: mixBoxes(state.smoothXywh, boxXywh, SMOOTHING_WEIGHT),
    seenAtMs: nowMs,
    detection,
    velocity: [
      mix(vx, (newX - oldX) / elapsedMs, VELOCITY_WEIGHT),
      mix(vy, (newY - oldY) / elapsedMs, VELOCITY_WEIGHT),
    ],
  };
}

function expectedBox({ boxXywh: [x, y, width, height], velocity, seenAtMs }: State, nowMs: number): BoxXywh {
  const elapsedMs = Math.min(nowMs - seenAtMs, MAX_EXTRAPOLATION_MS);
  return [x + velocity[0] * elapsedMs, y + velocity[1] * elapsedMs, width, height];
}

/** Distance of the centres in multiples of the two boxes' mean side. */
function relativeDistance(a: BoxXywh, b: BoxXywh): number {
  const [ax, ay] = boxCentre(a);
  const [bx, by] = boxCentre(b);
  const meanSide = (a[2] + a[3] + b[2] + b[3]) / 4;
  return meanSide > 0 ? Math.hypot(ax - bx, ay - by) / meanSide : Number.POSITIVE_INFINITY;
}

function atLeast(score: number, minimum: number): number | null {
  return score >= minimum ? score : null;
}

function mix(from: number, to: number, weight: number): number {
  return from + (to - from) * weight;
}

function mixBoxes(from: BoxXywh, to: BoxXywh, weight: number): BoxXywh {
  return [
    mix(from[0], to[0], weight),
    mix(from[1], to[1], weight),
    mix(from[2], to[2], weight),
    mix(from[3], to[3], weight),
  ];
}

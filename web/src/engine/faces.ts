import { type BoxXywh, boxArea } from "../detection/box";
import type { Quality, ResultMessage } from "../stream/protocol";
import type { Track } from "../tracking/tracker";
import { Headline } from "./timeline/headline";

/** An answer older than this is not shown as today's mood, in ms. */
const STALE_AFTER_MS = 1000;

/** The server's answer about one face. Probabilities in [0, 1]. */
export interface Answer {
  readonly emotion: string;
  /** The word to show in large letters: it holds until another emotion leads clearly. */
  readonly headline?: string | undefined;
  readonly confidence: number;
  readonly predictions: Readonly<Record<string, number>>;
  readonly quality?: Quality | undefined;
  /** Whether the emotion should not be believed, and why; see docs/quality.md. */
  readonly uncertain?: boolean | undefined;
  readonly reasons?: readonly string[] | undefined;
  /** Unix time in ms, as are all times here. */
  readonly capturedAtMs: number;
  readonly receivedAtMs: number;
}

/** A face that was missed in a frame or two keeps its box for so long, in s; without an emotion, as nobody may be there. */
const MISSED_S = 0.25;

/** A face as it is shown. `answer` is the latest one, however old; `fresh` says whether it still counts. */
export interface FaceView {
  readonly faceId: number;
  readonly answer: Answer | null;
  /** Never of a face that is not seen. */
  readonly fresh: boolean;
  /** Missed for a moment, with an answer that would be fresh otherwise: details stay instead of flickering. */
  readonly held: boolean;
  /** Whether the face is in the latest frame: only then it counts. */
  readonly seen: boolean;
  /** Whether there is no fresh answer because other faces come first: there are more than a frame may carry. */
  readonly queued: boolean;
}

export interface FacesView {
  readonly faces: readonly FaceView[];
  /** The face whose details are shown: the chosen one while it is there, else the largest. */
  readonly selectedId: number | null;
  readonly chosenId: number | null;
  /** How many faces are in the latest frame. */
  readonly seenCount: number;
  /** How many of them one frame may carry to the server: with more than that, they take turns. */
  readonly perFrame: number;
}

export const NO_FACES: FacesView = {
  faces: [],
  selectedId: null,
  chosenId: null,
  seenCount: 0,
  perFrame: Number.POSITIVE_INFINITY,
};

export interface FaceBox {
  readonly faceId: number;
  /** Where to draw, in pixels of the unmirrored frame. */
  readonly boxXywh: BoxXywh;
  /** Whether the face is in the latest frame. */
  readonly seen: boolean;
}

/**
 * Age in ms at which an answer is stale: 1 s, or longer where answers are asked for so rarely that all would be.
 *
 * @param intervalMs time between two frames that are sent
 * @param rounds how many frames it takes to ask about every face
 */
export function staleAfterMs(intervalMs: number, rounds = 1): number {
  return Math.max(STALE_AFTER_MS, 1.5 * rounds * intervalMs);
}

/** Joins what the tracker sees with what the server says. Forgets a face when the tracker does. */
export class FaceBook {
  #intervalMs = 0;
  #threshold = 0;
  readonly #answers = new Map<number, Answer>();
  readonly #headlines = new Map<number, Headline>();
  #boxes: readonly FaceBox[] = [];
  #knownIds: ReadonlySet<number> = new Set();
  #chosenId: number | null = null;
  #perFrame = Number.POSITIVE_INFINITY;

  get boxes(): readonly FaceBox[] {
    return this.#boxes;
  }

  /** All faces that the tracker remembers, also those that are out of sight and may come back. */
  get knownIds(): ReadonlySet<number> {
    return this.#knownIds;
  }

  /** How many faces a frame may carry to the server. */
  setPerFrame(perFrame: number): void {
    this.#perFrame = perFrame;
  }

  /** @param intervalMs between two frames that are sent */
  setInterval(intervalMs: number): void {
    this.#intervalMs = intervalMs;
  }

  /** @param threshold confidence, [0, 1], below which an emotion counts as uncertain */
  setThreshold(threshold: number): void {
    this.#threshold = threshold;
  }

  /**
   * @param nowS time of the latest frame, on the clock of the tracks' `seenAtS`
   * @returns whether faces came or went
   */
  setTracks(tracks: readonly Track[], nowS = 0): boolean {
    const before = new Map(this.#boxes.map(({ faceId, seen }) => [faceId, seen]));
    this.#boxes = tracks
      .filter(({ detection, seenAtS }) => detection !== null || nowS - seenAtS <= MISSED_S)
      .map(({ faceId, smoothXywh, detection }) => ({
        faceId,
        boxXywh: smoothXywh,
        seen: detection !== null,
      }));
    this.#knownIds = new Set(tracks.map((track) => track.faceId));
    for (const faceId of this.#answers.keys()) {
      if (this.#knownIds.has(faceId)) continue;
      this.#answers.delete(faceId);
      this.#headlines.delete(faceId);
    }
    if (this.#chosenId !== null && !this.#knownIds.has(this.#chosenId)) this.#chosenId = null;
    return (
      before.size !== this.#boxes.length ||
      this.#boxes.some(({ faceId, seen }) => before.get(faceId) !== seen)
    );
  }

  /** Takes over the answers about faces that are still there, unless a later frame was answered already. */
  addResult(result: ResultMessage, nowMs: number): void {
    const capturedAtMs = result.captured_at ?? nowMs;
    for (const {
      face_id: faceId,
      emotion,
      confidence,
      predictions,
      quality,
      uncertain,
      reasons,
    } of result.faces) {
      if (!this.#knownIds.has(faceId)) continue;
      const known = this.#answers.get(faceId);
      if (known !== undefined && known.capturedAtMs > capturedAtMs) continue;
      const headline = this.#headlines.get(faceId) ?? new Headline();
      this.#headlines.set(faceId, headline);
      const doubt = { quality, ...this.#doubt(confidence, uncertain, reasons) };
      this.#answers.set(faceId, {
        emotion,
        headline: headline.next(emotion, predictions, capturedAtMs),
        confidence,
        predictions,
        ...doubt,
        capturedAtMs,
        receivedAtMs: nowMs,
      });
    }
  }

  /** Shows this face's details as long as it is there; null goes back to the largest. */
  choose(faceId: number | null): void {
    this.#chosenId = faceId;
  }

  /** Whether each face in view has an answer about a picture that was taken then or later. */
  isAnsweredSince(capturedAtMs: number): boolean {
    return this.#boxes.every(
      ({ faceId }) => (this.#answers.get(faceId)?.capturedAtMs ?? Number.NEGATIVE_INFINITY) >= capturedAtMs,
    );
  }

  /** @param still the picture does not move: what is known of it stays true */
  view(nowMs: number, still = false): FacesView {
    const seenCount = this.#boxes.filter(({ seen }) => seen).length;
    const perFrame = this.#perFrame;
    // Where faces take turns, answers come more rarely.
    const rounds = Math.max(1, Math.ceil(seenCount / perFrame));
    const faces = this.#boxes.map(({ faceId, seen }): FaceView => {
      const answer = this.#answers.get(faceId) ?? null;
      const current =
        answer !== null && (still || nowMs - answer.receivedAtMs <= staleAfterMs(this.#intervalMs, rounds));
      const fresh = seen && current;
      return { faceId, answer, fresh, held: !seen && current, seen, queued: seen && !fresh && rounds > 1 };
    });
    const selectedId = this.#chosenId ?? this.#largestId();
    return { faces, selectedId, chosenId: this.#chosenId, seenCount, perFrame };
  }

  /** The server's doubt, and that of the person's own threshold. */
  #doubt(
    confidence: number,
    uncertain: boolean | undefined,
    reasons: readonly string[] | undefined,
  ): Pick<Answer, "uncertain" | "reasons"> {
    if (confidence >= this.#threshold) return { uncertain, reasons };
    return { uncertain: true, reasons: [...new Set([...(reasons ?? []), "ambiguous"])] };
  }

  #largestId(): number | null {
    let largest: FaceBox | null = null;
    for (const box of this.#boxes) {
      // One that is seen comes before one that is not.
      if (largest !== null && largest.seen !== box.seen) {
        if (box.seen) largest = box;
        continue;
      }
      if (largest === null || boxArea(box.boxXywh) > boxArea(largest.boxXywh)) largest = box;
    }
    return largest?.faceId ?? null;
  }
}

/** Whether two views show the same, so that nobody needs to draw again. */
export function sameView(a: FacesView, b: FacesView): boolean {
  return (
    a.selectedId === b.selectedId &&
    a.chosenId === b.chosenId &&
    a.seenCount === b.seenCount &&
    a.perFrame === b.perFrame &&
    a.faces.length === b.faces.length &&
    a.faces.every((face, index) => {
      const other = b.faces[index];
      return (
        face.faceId === other?.faceId &&
        face.answer === other.answer &&
        face.fresh === other.fresh &&
        face.held === other.held &&
        face.seen === other.seen &&
        face.queued === other.queued
      );
    })
  );
}

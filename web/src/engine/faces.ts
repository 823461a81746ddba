import { type BoxXywh, boxArea } from "../detection/box";
import type { Quality, ResultMessage } from "../stream/protocol";
import type { Track } from "../tracking/tracker";

/** An answer older than this is not shown as today's mood, in ms. */
const STALE_AFTER_MS = 1000;

/** The server's answer about one face. Probabilities in [0, 1]. */
export interface Answer {
  readonly emotion: string;
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

/** A face as it is shown. `answer` is the latest one, however old; `fresh` says whether it still counts. */
export interface FaceView {
  readonly faceId: number;
  readonly answer: Answer | null;
  readonly fresh: boolean;
}

export interface FacesView {
  readonly faces: readonly FaceView[];
  /** The face whose details are shown: the chosen one while it is there, else the largest. */
  readonly selectedId: number | null;
  readonly chosenId: number | null;
}

export const NO_FACES: FacesView = { faces: [], selectedId: null, chosenId: null };

export interface FaceBox {
  readonly faceId: number;
  /** Where to draw, in pixels of the unmirrored frame. */
  readonly boxXywh: BoxXywh;
}

/** Age in ms at which an answer is stale: 1 s, or longer where answers are asked for so rarely that all would be. */
export function staleAfterMs(intervalMs: number): number {
  return Math.max(STALE_AFTER_MS, 1.5 * intervalMs);
}

/** Joins what the tracker sees with what the server says. Forgets a face when the tracker does. */
export class FaceBook {
  readonly #staleAfterMs: number;
  readonly #answers = new Map<number, Answer>();
  #boxes: readonly FaceBox[] = [];
  #chosenId: number | null = null;

  constructor(staleAfter: number = STALE_AFTER_MS) {
    this.#staleAfterMs = staleAfter;
  }

  get boxes(): readonly FaceBox[] {
    return this.#boxes;
  }

  /** @returns whether faces came or went */
  setTracks(tracks: readonly Track[]): boolean {
    const before = this.#boxes;
    this.#boxes = tracks.map(({ faceId, smoothXywh }) => ({ faceId, boxXywh: smoothXywh }));
    const present = new Set(tracks.map((track) => track.faceId));
    for (const faceId of this.#answers.keys()) {
      if (!present.has(faceId)) this.#answers.delete(faceId);
    }
    if (this.#chosenId !== null && !present.has(this.#chosenId)) this.#chosenId = null;
    return before.length !== tracks.length || before.some(({ faceId }) => !present.has(faceId));
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
      if (!this.#boxes.some((box) => box.faceId === faceId)) continue;
      const known = this.#answers.get(faceId);
      if (known !== undefined && known.capturedAtMs > capturedAtMs) continue;
      const doubt = { quality, uncertain, reasons };
      this.#answers.set(faceId, {
        emotion,
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

  view(nowMs: number): FacesView {
    const faces = this.#boxes.map(({ faceId }): FaceView => {
      const answer = this.#answers.get(faceId) ?? null;
      return { faceId, answer, fresh: answer !== null && nowMs - answer.receivedAtMs <= this.#staleAfterMs };
    });
    return { faces, selectedId: this.#chosenId ?? this.#largestId(), chosenId: this.#chosenId };
  }

  #largestId(): number | null {
    let largest: FaceBox | null = null;
    for (const box of this.#boxes) {
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
    a.faces.length === b.faces.length &&
    a.faces.every((face, index) => {
      const other = b.faces[index];
      return face.faceId === other?.faceId && face.answer === other.answer && face.fresh === other.fresh;
    })
  );
}

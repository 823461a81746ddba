import type { OnFrame } from "./videoFrames";

/** Time between two looks at the same picture, in ms. */
const LOOK_EVERY_MS = 100;

/** What became of a still picture since it was shown. */
export interface StillProgress {
  /** Frames analysed, with or without faces in them. */
  readonly analysed: number;
  /** Frames analysed that could have been sent. */
  readonly sendable: number;
  /** Whether each face in view has an answer that is no older than the picture. */
  readonly answered: boolean;
}

/** The tracker asks for more than one sighting of a face, so a picture without answers is looked at so often. */
const MIN_LOOKS = 5;
/** A server may leave faces out, if they are more than it allows: after so many chances they stay without an answer. */
const MAX_LOOKS = 25;

/**
 * Has a picture that does not move, an image or a film that is paused, looked at until its faces are known, however
 * late the detector or the server is ready; and then no more.
 */
export class StillFrames {
  readonly #onFrame: OnFrame;
  readonly #progress: (sinceMs: number) => StillProgress;
  #timer: ReturnType<typeof setInterval> | undefined;

  /** @param progress what became of the frames that were captured at or after a time (Unix, in ms) */
  constructor(onFrame: OnFrame, progress: (sinceMs: number) => StillProgress) {
    this.#onFrame = onFrame;
    this.#progress = progress;
  }

  /** There is a new picture, which stands still. */
  show(): void {
    this.stop();
    const sinceMs = Date.now();
    this.#timer = setInterval(() => {
      if (isDone(this.#progress(sinceMs))) this.stop();
      else this.#onFrame(Date.now());
    }, LOOK_EVERY_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

export function isDone({ analysed, sendable, answered }: StillProgress): boolean {
  return analysed >= MIN_LOOKS && sendable > 0 && (answered || sendable >= MAX_LOOKS);
}

import type { SessionCreated } from "./protocol";

/**
 * When the next frame is due. Due times lie on a grid, so that the rate is right on average although video frames
 * come when they like; a grid that has fallen behind starts anew, so that nothing is ever caught up on.
 */
export class SendPacer {
  #dueAtMs = Number.NEGATIVE_INFINITY;

  isDue(nowMs: number): boolean {
    return nowMs >= this.#dueAtMs;
  }

  /** Call once for each frame that is sent. */
  sent(nowMs: number, intervalMs: number): void {
    const next = this.#dueAtMs + intervalMs;
    this.#dueAtMs = next > nowMs - intervalMs ? next : nowMs + intervalMs;
  }
}

/** Share of the time, in (0, 1], that detection may take only to let the boxes follow the faces. */
const MAX_DETECTION_SHARE = 0.5;

/**
 * Whether to look for faces in a frame that will not be sent. Cheap detection runs on every frame; expensive
 * detection leaves the machine time for everything else.
 *
 * @param sinceStartMs time since the latest detection began
 * @param detectMs what a detection takes
 */
export function mayDetectForBoxes(sinceStartMs: number, detectMs: number): boolean {
  return sinceStartMs >= detectMs / MAX_DETECTION_SHARE;
}

/** Crops a second that one page asks for at most: what an ordinary processor cuts out and encodes beside the detector. */
const MAX_CROPS_PER_SECOND = 120;

/** Faces that a frame may carry however often frames are sent; who sends fast has no time for as many in the end. */
const MIN_FACES = 4;

/** How many faces a frame of this session may carry. */
export function facesPerFrame({ config, limits }: Pick<SessionCreated, "config" | "limits">): number {
  return Math.min(config.max_faces, limits.max_faces);
}

/**
 * How many faces a frame should carry at most: all that the server takes, unless that would be too many a second.
 *
 * @param limit largest number that the server takes
 * @param intervalMs time between two frames that are sent
 */
export function wantedFaces(limit: number, intervalMs: number): number {
  const affordable = Math.floor((MAX_CROPS_PER_SECOND * intervalMs) / 1000);
  return Math.min(limit, Math.max(MIN_FACES, affordable));
}

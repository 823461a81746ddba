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

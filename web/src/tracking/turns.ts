import type { Track } from "./tracker";

/** Whose crops a frame carries: with more faces than a frame may carry, those wait least who have waited longest. */
export class CropTurns {
  readonly #askedAtMs = new Map<number, number>();

  /**
   * @param tracks all faces that are remembered; only those that are seen can be cut out
   * @param limit most crops for this frame
   * @returns whose turn it is, in the order of their detections
   */
  next(tracks: readonly Track[], limit: number, nowMs: number): readonly SeenTrack[] {
    const known = new Set(tracks.map(({ faceId }) => faceId));
    for (const faceId of this.#askedAtMs.keys()) if (!known.has(faceId)) this.#askedAtMs.delete(faceId);
    const waitingSince = ({ faceId }: Track): number =>
      this.#askedAtMs.get(faceId) ?? Number.NEGATIVE_INFINITY;
    const chosen = tracks
      .filter(isSeen)
      // Who has never been asked about comes first, and of equals the larger face, whose detection is listed first.
      .sort((a, b) => compare(waitingSince(a), waitingSince(b)) || a.detection - b.detection)
      .slice(0, limit)
      .sort((a, b) => a.detection - b.detection);
    for (const { faceId } of chosen) this.#askedAtMs.set(faceId, nowMs);
    return chosen;
  }
}

/** A face that is in the latest frame. */
export type SeenTrack = Track & { readonly detection: number };

function isSeen(track: Track): track is SeenTrack {
  return track.detection !== null;
}

/** Two infinities are equal, whose difference is not a number. */
function compare(a: number, b: number): number {
  return a === b ? 0 : a - b;
}

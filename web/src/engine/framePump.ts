import type { FrameAnalysis } from "../detection/analyser";
import type { Detection, SizePx } from "../detection/box";
import type { FrameFate } from "./rate";
import type { FaceCrop } from "../stream/envelope";
import { mayDetectForBoxes, SendPacer } from "../stream/pacing";
import { FaceTracker, type Track } from "../tracking/tracker";
import { CropTurns } from "../tracking/turns";

/** A picture taken out of the video. Whoever analyses it closes it. */
export type CapturedFrame = SizePx & Pick<ImageBitmap, "close">;

/** What the pump drives and whom it tells. */
export interface PumpPorts<F extends CapturedFrame = ImageBitmap> {
  /** Monotonic, in ms. */
  now(): number;
  /** Null where the video has no picture at the moment. */
  capture(): Promise<F | null>;
  /** Null until the detector is ready. */
  analyser(): {
    analyse(frame: F): Promise<FrameAnalysis>;
    cut(faces: readonly Detection[]): Promise<readonly ArrayBuffer[]>;
  } | null;
  /** How many faces a frame that is sent now may carry; 0 where none can be sent. */
  cropLimit(): number;
  /** Time between two frames that are sent, in ms. */
  intervalMs(): number;
  send(capturedAtMs: number, faces: readonly FaceCrop[], frame: SizePx): void;
  /** @param nowS time of the frame, on the clock of `Track.seenAtS` */
  onTracks(tracks: readonly Track[], frame: SizePx, nowS: number): void;
  onAnalysis(analysis: FrameAnalysis): void;
  onFailure(error: unknown): void;
  /** Once for each video frame that could have been analysed. */
  onFate?(fate: FrameFate): void;
}

/**
 * Takes video frames through detection and tracking, and sends their faces when they are due. One frame at a time:
 * a frame that comes meanwhile is let go, so that work never queues and what is analysed is always the newest.
 */
export class FramePump<F extends CapturedFrame = ImageBitmap> {
  readonly #ports: PumpPorts<F>;
  readonly #pacer = new SendPacer();
  /** Lives as long as the page, so that no `face_id` comes twice. */
  readonly #tracker = new FaceTracker();
  readonly #turns = new CropTurns();
  #busy = false;
  #startedAtMs = Number.NEGATIVE_INFINITY;
  #detectMs = 0;

  constructor(ports: PumpPorts<F>) {
    this.#ports = ports;
  }

  /** @param capturedAtMs Unix time of the frame, in ms */
  async onFrame(capturedAtMs: number): Promise<void> {
    const analyser = this.#ports.analyser();
    if (analyser === null) return;
    const nowMs = this.#ports.now();
    const isDue = this.#pacer.isDue(nowMs);
    if (this.#busy) {
      this.#ports.onFate?.(isDue ? "detector_busy" : "passed");
      return;
    }
    const cropLimit = isDue ? this.#ports.cropLimit() : 0;
    if (cropLimit === 0) this.#ports.onFate?.(isDue ? "stream_busy" : "passed");
    if (cropLimit === 0 && !mayDetectForBoxes(nowMs - this.#startedAtMs, this.#detectMs)) return;
    if (cropLimit > 0) this.#pacer.sent(nowMs, this.#ports.intervalMs());

    this.#busy = true;
    this.#startedAtMs = nowMs;
    try {
      const frame = await this.#ports.capture();
      if (frame === null) return;
      const size: SizePx = { width: frame.width, height: frame.height };
      const analysis = await analyser.analyse(frame);
      this.#detectMs = analysis.detectMs;
      this.#ports.onAnalysis(analysis);
      const tracks = this.#tracker.update(analysis.detections, nowMs / 1000);
      this.#ports.onTracks(tracks, size, nowMs / 1000);
      const chosen = this.#turns.next(tracks, cropLimit, nowMs);
      if (cropLimit > 0) this.#ports.onFate?.(chosen.length > 0 ? "sent" : "passed");
      if (chosen.length === 0) return;
      const seen = chosen.flatMap(({ detection }) => analysis.detections[detection] ?? []);
      const crops = await analyser.cut(seen);
      this.#ports.send(capturedAtMs, facesOf(chosen, seen, crops), size);
    } catch (error) {
      this.#ports.onFailure(error);
    } finally {
      this.#busy = false;
    }
  }
}

/** Each face whose turn it is with its detection and crop; all three are in one order. */
function facesOf(
  tracks: readonly Track[],
  seen: readonly Detection[],
  crops: readonly ArrayBuffer[],
): FaceCrop[] {
  return tracks.flatMap(({ faceId, boxXywh }, index) => {
    const image = crops[index];
    if (image === undefined) return [];
    const { landmarksXy, turnDeg } = seen[index] ?? {};
    return [{ faceId, boxXywh, landmarksXy, turnDeg, image }];
  });
}

import type { FrameAnalysis } from "../detection/analyser";
import type { SizePx } from "../detection/box";
import type { FaceCrop } from "../stream/envelope";
import { mayDetectForBoxes, SendPacer } from "../stream/pacing";
import { FaceTracker, type Track } from "../tracking/tracker";

/** A picture taken out of the video. Whoever analyses it closes it. */
export type CapturedFrame = SizePx & Pick<ImageBitmap, "close">;

/** What the pump drives and whom it tells. */
export interface PumpPorts<F extends CapturedFrame = ImageBitmap> {
  /** Monotonic, in ms. */
  now(): number;
  /** Null where the video has no picture at the moment. */
  capture(): Promise<F | null>;
  /** Null until the detector is ready. */
  analyser(): { analyse(frame: F, cropLimit: number): Promise<FrameAnalysis> } | null;
  /** How many faces a frame that is sent now may carry; 0 where none can be sent. */
  cropLimit(): number;
  /** Time between two frames that are sent, in ms. */
  intervalMs(): number;
  send(capturedAtMs: number, faces: readonly FaceCrop[], frame: SizePx): void;
  onTracks(tracks: readonly Track[], frame: SizePx): void;
  onAnalysis(analysis: FrameAnalysis): void;
  onFailure(error: unknown): void;
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
  #busy = false;
  #startedAtMs = Number.NEGATIVE_INFINITY;
  #detectMs = 0;

  constructor(ports: PumpPorts<F>) {
    this.#ports = ports;
  }

  /** @param capturedAtMs Unix time of the frame, in ms */
  async onFrame(capturedAtMs: number): Promise<void> {
    const analyser = this.#ports.analyser();
    if (this.#busy || analyser === null) return;
    const nowMs = this.#ports.now();
    const cropLimit = this.#pacer.isDue(nowMs) ? this.#ports.cropLimit() : 0;
    if (cropLimit === 0 && !mayDetectForBoxes(nowMs - this.#startedAtMs, this.#detectMs)) return;
    if (cropLimit > 0) this.#pacer.sent(nowMs, this.#ports.intervalMs());

    this.#busy = true;
    this.#startedAtMs = nowMs;
    try {
      const frame = await this.#ports.capture();
      if (frame === null) return;
      const size: SizePx = { width: frame.width, height: frame.height };
      const analysis = await analyser.analyse(frame, cropLimit);
      this.#detectMs = analysis.detectMs;
      this.#ports.onAnalysis(analysis);
      const tracks = this.#tracker.update(analysis.detections, nowMs);
      this.#ports.onTracks(tracks, size);
      const faces = facesOf(tracks, analysis);
      if (faces.length > 0) this.#ports.send(capturedAtMs, faces, size);
    } catch (error) {
      this.#ports.onFailure(error);
    } finally {
      this.#busy = false;
    }
  }
}

/** Each crop with the face that it shows: crops belong to the first detections, in their order. */
function facesOf(tracks: readonly Track[], { detections, crops }: FrameAnalysis): FaceCrop[] {
  return tracks.flatMap(({ faceId, boxXywh, detection }) => {
    const image = detection === null ? undefined : crops[detection];
    if (detection === null || image === undefined) return [];
    return [{ faceId, boxXywh, landmarksXy: detections[detection]?.landmarksXy, image }];
  });
}

import type { FrameAnalysis } from "./analyser";
import type { BackendName, BackendSpeed } from "./backends";

/** Finds faces in frames, on one backend, one frame at a time. */
export interface FaceDetector {
  readonly backend: BackendName;
  readonly where: "worker" | "main thread";
  /** Loads and warms up. @throws Error where the backend does not work here */
  start(): Promise<BackendSpeed>;
  /**
   * Takes the frame over, and closes it.
   *
   * @param cropLimit largest number of crops wanted; 0 for boxes only
   * @throws DetectorHungError where no answer came in time
   * @throws DetectorStoppedError where `stop` came in between
   * @throws Error where this frame could not be analysed
   */
  analyse(frame: ImageBitmap, cropLimit: number): Promise<FrameAnalysis>;
  stop(): void;
}

/** The detector does not answer, as happens when a graphics driver hangs. */
export class DetectorHungError extends Error {
  override readonly name = "DetectorHungError";
}

/** The detector was stopped on purpose while it worked. */
export class DetectorStoppedError extends Error {
  override readonly name = "DetectorStoppedError";
}

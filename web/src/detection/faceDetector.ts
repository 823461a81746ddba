import type { FrameAnalysis } from "./analyser";
import type { BackendName, BackendSpeed } from "./backends";
import type { Detection } from "./box";

/** Finds faces in frames, on one backend, one frame at a time. */
export interface FaceDetector {
  readonly backend: BackendName;
  readonly where: "worker" | "main thread";
  /** Loads and warms up. @throws Error where the backend does not work here */
  start(): Promise<BackendSpeed>;
  /**
   * Takes the frame over. It is kept for `cut` until the next one comes, and then closed.
   *
   * @throws DetectorHungError where no answer came in time
   * @throws DetectorStoppedError where `stop` came in between
   * @throws Error where this frame could not be analysed
   */
  analyse(frame: ImageBitmap): Promise<FrameAnalysis>;
  /**
   * JPEG crops of faces of the latest frame, in their order. Which ones, the tracker decides, which needs the whole
   * analysis first. Throws as `analyse` does.
   */
  cut(faces: readonly Detection[]): Promise<readonly ArrayBuffer[]>;
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

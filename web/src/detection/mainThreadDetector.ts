import { type AnalyserOptions, FrameAnalyser, type FrameAnalysis } from "./analyser";
import type { BackendName, BackendSpeed } from "./backends";
import type { FaceDetector } from "./faceDetector";

/** For browsers that cannot draw in a worker. Loaded only there, since it brings TensorFlow.js into the page. */
export class MainThreadDetector implements FaceDetector {
  readonly backend: BackendName;
  readonly where = "main thread";
  readonly #analyser: FrameAnalyser;

  constructor(options: AnalyserOptions) {
    this.backend = options.backend;
    this.#analyser = new FrameAnalyser(options);
  }

  start(): Promise<BackendSpeed> {
    return this.#analyser.start();
  }

  async analyse(frame: ImageBitmap, cropLimit: number): Promise<FrameAnalysis> {
    try {
      return await this.#analyser.analyse(frame, frame, cropLimit);
    } finally {
      frame.close();
    }
  }

  stop(): void {
    this.#analyser.dispose();
  }
}

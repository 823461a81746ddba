import { FrameAnalyser, type FrameAnalysis } from "./analyser";
import type { BackendName, BackendSpeed } from "./backends";
import type { Detection } from "./box";
import type { FaceDetector } from "./faceDetector";
import type { RuntimeOptions } from "./tfRuntime";

/** For browsers that cannot draw in a worker. Loaded only there, since it brings TensorFlow.js into the page. */
export class MainThreadDetector implements FaceDetector {
  readonly backend: BackendName;
  readonly where = "main thread";
  readonly #analyser: FrameAnalyser;
  #frame: ImageBitmap | null = null;

  constructor(options: RuntimeOptions) {
    this.backend = options.backend;
    this.#analyser = new FrameAnalyser(options);
  }

  start(): Promise<BackendSpeed> {
    return this.#analyser.start();
  }

  async analyse(frame: ImageBitmap): Promise<FrameAnalysis> {
    this.#frame?.close();
    this.#frame = frame;
    return await this.#analyser.analyse(frame, frame);
  }

  async cut(faces: readonly Detection[]): Promise<readonly ArrayBuffer[]> {
    if (this.#frame === null) throw new Error("there is no frame to cut out of");
    return await this.#analyser.cut(this.#frame, this.#frame, faces);
  }

  stop(): void {
    this.#frame?.close();
    this.#frame = null;
    this.#analyser.dispose();
  }
}

import { type BackendName, type BackendSpeed, measureBackend } from "./backends";
import { type Detection, largestFirst, type SizePx } from "./box";
import { cropSquare } from "./crop";
import { CropEncoder } from "./cropEncoder";
import { INPUT_SIZE_PX } from "./decode";
import { FramePixels } from "./framePixels";
import { detectionToFrame, letterboxOf } from "./letterbox";
import { type DetectorAssets, TfRuntime } from "./tfRuntime";

export interface AnalyserOptions {
  readonly backend: BackendName;
  readonly assets: DetectorAssets;
}

export interface FrameAnalysis {
  /** Faces in frame pixels, the largest first. */
  readonly detections: readonly Detection[];
  /** JPEG crops of the first detections, at most as many as were asked for. */
  readonly crops: readonly ArrayBuffer[];
  /** Time from pixels to boxes, in ms, without the crops. */
  readonly detectMs: number;
}

/** Finds and cuts out the faces of single frames. The same in a worker and on the main thread. */
export class FrameAnalyser {
  readonly #backend: BackendName;
  readonly #runtime: TfRuntime;
  readonly #pixels = new FramePixels();
  readonly #crops = new CropEncoder();

  constructor({ backend, assets }: AnalyserOptions) {
    this.#backend = backend;
    this.#runtime = new TfRuntime(backend, assets);
  }

  /** Loads the model and times it. @throws Error where the backend does not work here */
  async start(): Promise<BackendSpeed> {
    const blank = new Float32Array(INPUT_SIZE_PX * INPUT_SIZE_PX * 3);
    return await measureBackend(
      this.#backend,
      () => this.#runtime.load(),
      () => this.#runtime.detect(blank),
    );
  }

  /**
   * @param frame unmirrored; the caller closes it afterwards
   * @param cropLimit largest number of crops wanted; 0 for boxes only
   */
  async analyse(frame: CanvasImageSource, size: SizePx, cropLimit: number): Promise<FrameAnalysis> {
    const startedAt = performance.now();
    const letterbox = letterboxOf(size, INPUT_SIZE_PX);
    const found = await this.#runtime.detect(this.#pixels.read(frame, size));
    const detections = found.map((face) => detectionToFrame(face, letterbox)).sort(largestFirst);
    const detectMs = performance.now() - startedAt;

    const crops: ArrayBuffer[] = [];
    for (const { boxXywh } of detections.slice(0, cropLimit)) {
      crops.push(await this.#crops.encode(frame, cropSquare(boxXywh, size)));
    }
    return { detections, crops, detectMs };
  }

  dispose(): void {
    this.#runtime.dispose();
  }
}

import { appearanceOf } from "./appearance";
import { type BackendName, type BackendSpeed, measureBackend } from "./backends";
import { type Detection, largestFirst, type SizePx } from "./box";
import { cropSquare, cropTurn } from "./crop";
import { CropEncoder } from "./cropEncoder";
import { INPUT_SIZE_PX } from "./decode";
import { FramePixels } from "./framePixels";
import { detectionToFrame, letterboxOf } from "./letterbox";
import { type RuntimeOptions, TfRuntime } from "./tfRuntime";

export interface FrameAnalysis {
  /** Faces in frame pixels, the largest first. */
  readonly detections: readonly Detection[];
  /** Time from pixels to boxes, in ms. */
  readonly detectMs: number;
}

const INPUT_SIZE: SizePx = { width: INPUT_SIZE_PX, height: INPUT_SIZE_PX };

/** Finds and cuts out the faces of single frames. The same in a worker and on the main thread. */
export class FrameAnalyser {
  readonly #backend: BackendName;
  readonly #runtime: TfRuntime;
  readonly #pixels = new FramePixels();
  readonly #crops = new CropEncoder();

  constructor(options: RuntimeOptions) {
    this.#backend = options.backend;
    this.#runtime = new TfRuntime(options);
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

  /** @param frame unmirrored; the caller closes it afterwards */
  async analyse(frame: CanvasImageSource, size: SizePx): Promise<FrameAnalysis> {
    const startedAt = performance.now();
    const letterbox = letterboxOf(size, INPUT_SIZE_PX);
    const pixels = this.#pixels.read(frame, size);
    const found = await this.#runtime.detect(pixels);
    const detections = found
      .map((face) => ({
        ...detectionToFrame(face, letterbox),
        turnDeg: cropTurn(face.boxXywh, face.landmarksXy),
        appearance: appearanceOf(pixels, INPUT_SIZE, face.boxXywh),
      }))
      .sort(largestFirst);
    return { detections, detectMs: performance.now() - startedAt };
  }

  /** JPEG crops of these faces of the frame, in their order. */
  async cut(
    frame: CanvasImageSource,
    size: SizePx,
    faces: readonly Detection[],
  ): Promise<readonly ArrayBuffer[]> {
    const crops: ArrayBuffer[] = [];
    for (const { boxXywh, turnDeg } of faces) {
      crops.push(await this.#crops.encode(frame, size, cropSquare(boxXywh, size, turnDeg), turnDeg));
    }
    return crops;
  }

  dispose(): void {
    this.#runtime.dispose();
  }
}

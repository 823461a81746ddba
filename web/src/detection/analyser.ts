import { appearanceOf } from "./appearance";
import { type BackendName, type BackendSpeed, measureBackend } from "./backends";
import { type Detection, largestFirst, type SizePx } from "./box";
import { cropSquare } from "./crop";
import { CropEncoder } from "./cropEncoder";
import { INPUT_SIZE_PX } from "./decode";
import { FaceSearch, MIN_PROPOSAL_SCORE } from "./faceSearch";
import { FramePixels } from "./framePixels";
import { greyCrop } from "./greyCrop";
import { boxToInput, letterboxOf } from "./letterbox";
import { PLAIN_LOOK, seenFrom } from "./looks";
import { type RuntimeOptions, TfRuntime } from "./tfRuntime";

export interface FrameAnalysis {
  /** Faces in frame pixels, the largest first. */
  readonly detections: readonly Detection[];
  /** Time from pixels to boxes, in ms. */
  readonly detectMs: number;
}

const INPUT_SIZE: SizePx = { width: INPUT_SIZE_PX, height: INPUT_SIZE_PX };

/** Finds and cuts out the faces of one frame after another. The same in a worker and on the main thread. */
export class FrameAnalyser {
  readonly #backend: BackendName;
  readonly #runtime: TfRuntime;
  #search = new FaceSearch();
  #size: SizePx | null = null;
  readonly #pixels = new FramePixels();
  /** Of further looks: faces are told apart by how the frame as it is shows them, whatever look found them. */
  readonly #furtherPixels = new FramePixels();
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
      () => this.#runtime.detect(blank, MIN_PROPOSAL_SCORE),
    );
  }

  /** @param frame unmirrored; the caller closes it afterwards */
  async analyse(frame: CanvasImageSource, size: SizePx): Promise<FrameAnalysis> {
    const startedAt = performance.now();
    // Another source has begun, or the camera was turned: what is known of faces, in frame pixels, holds no longer.
    if (size.width !== this.#size?.width || size.height !== this.#size.height)
      this.#search = new FaceSearch();
    this.#size = { width: size.width, height: size.height };
    const plain = this.#pixels.read(frame, size, PLAIN_LOOK);
    let latest = plain;
    const found = await this.#search.find({
      see: async (look) => {
        latest = look === PLAIN_LOOK ? plain : this.#furtherPixels.read(frame, size, look);
        const seen = await this.#runtime.detect(latest, MIN_PROPOSAL_SCORE);
        return seen.map((face) => ({ face: seenFrom(look, face, size), inputXywh: face.boxXywh }));
      },
      judge: ({ inputXywh }, turns) =>
        this.#runtime.verify(() => turns.map((turn) => greyCrop(latest, INPUT_SIZE, inputXywh, turn))),
    });
    const letterbox = letterboxOf(size, INPUT_SIZE_PX);
    const detections = found
      .map((face) => ({
        ...face,
        appearance: appearanceOf(plain, INPUT_SIZE, boxToInput(face.boxXywh, letterbox)),
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

import type { FrameAnalysis } from "./analyser";
import type { BackendName, BackendSpeed } from "./backends";
import type { Detection } from "./box";
import { DetectorHungError, DetectorStoppedError, type FaceDetector } from "./faceDetector";
import type { RuntimeOptions } from "./tfRuntime";
import type { WorkerRequest, WorkerResponse } from "./workerMessages";

/** A backend that has not started by then will not, in ms. Compiling shaders can take some seconds. */
const START_TIMEOUT_MS = 20_000;

/** A frame that takes longer than this will not come back, in ms. */
const FRAME_TIMEOUT_MS = 10_000;

/**
 * The page's side of a worker: one request under way at a time, which is all that live video needs.
 * A worker of its own for each backend, so that one that hangs is simply ended, with all that it holds.
 */
export class WorkerDetector implements FaceDetector {
  readonly backend: BackendName;
  readonly where = "worker";
  readonly #options: RuntimeOptions;
  readonly #worker: Worker;
  #waiting: { resolve(response: WorkerResponse): void; reject(error: Error): void } | null = null;

  static isSupported(): boolean {
    return typeof Worker !== "undefined" && typeof OffscreenCanvas !== "undefined";
  }

  constructor(options: RuntimeOptions) {
    this.backend = options.backend;
    this.#options = options;
    this.#worker = new Worker(new URL("./worker.ts", import.meta.url), {
      type: "module",
      name: `face-detector-${options.backend}`,
    });
    this.#worker.addEventListener("message", (event: MessageEvent<WorkerResponse>) => {
      this.#waiting?.resolve(event.data);
    });
    this.#worker.addEventListener("error", (event) => {
      this.#waiting?.reject(new Error(event.message || "the detection worker could not be loaded"));
    });
  }

  async start(): Promise<BackendSpeed> {
    const response = await this.#ask({ type: "start", options: this.#options }, [], START_TIMEOUT_MS);
    if (response.type !== "started") throw failureOf(response);
    return response.speed;
  }

  async analyse(frame: ImageBitmap): Promise<FrameAnalysis> {
    const response = await this.#ask({ type: "analyse", frame }, [frame], FRAME_TIMEOUT_MS);
    if (response.type !== "analysed") throw failureOf(response);
    return response.analysis;
  }

  async cut(faces: readonly Detection[]): Promise<readonly ArrayBuffer[]> {
    const response = await this.#ask({ type: "cut", faces }, [], FRAME_TIMEOUT_MS);
    if (response.type !== "cut") throw failureOf(response);
    return response.crops;
  }

  stop(): void {
    this.#worker.terminate();
    this.#waiting?.reject(new DetectorStoppedError("the face detector was stopped"));
  }

  async #ask(request: WorkerRequest, transfer: Transferable[], timeoutMs: number): Promise<WorkerResponse> {
    if (this.#waiting !== null) throw new Error("the worker is busy");
    let timer: ReturnType<typeof setTimeout> | undefined;
    try {
      return await new Promise<WorkerResponse>((resolve, reject) => {
        this.#waiting = { resolve, reject };
        timer = setTimeout(() => {
          reject(new DetectorHungError(`no answer within ${timeoutMs / 1000} s`));
        }, timeoutMs);
        this.#worker.postMessage(request, transfer);
      });
    } finally {
      clearTimeout(timer);
      this.#waiting = null;
    }
  }
}

/** What an answer that is not the expected one means. */
function failureOf(response: WorkerResponse): Error {
  return new Error("reason" in response ? response.reason : "the worker answered another question");
}

import type { FrameAnalysis } from "./analyser";
import type { BackendSpeed } from "./backends";
import type { Detection } from "./box";
import type { RuntimeOptions } from "./tfRuntime";

/** To the worker. `analyse` hands over the frame, which the worker keeps for `cut` and closes when the next comes. */
export type WorkerRequest =
  | { readonly type: "start"; readonly options: RuntimeOptions }
  | { readonly type: "analyse"; readonly frame: ImageBitmap }
  | { readonly type: "cut"; readonly faces: readonly Detection[] };

/** From the worker: exactly one answer to each request. */
export type WorkerResponse =
  | { readonly type: "started"; readonly speed: BackendSpeed }
  | { readonly type: "start_failed"; readonly reason: string }
  | { readonly type: "analysed"; readonly analysis: FrameAnalysis }
  | { readonly type: "analyse_failed"; readonly reason: string }
  | { readonly type: "cut"; readonly crops: readonly ArrayBuffer[] }
  | { readonly type: "cut_failed"; readonly reason: string };

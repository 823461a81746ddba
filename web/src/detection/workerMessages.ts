import type { AnalyserOptions, FrameAnalysis } from "./analyser";
import type { BackendSpeed } from "./backends";

/** To the worker. `analyse` hands over the frame, which the worker closes. */
export type WorkerRequest =
  | { readonly type: "start"; readonly options: AnalyserOptions }
  | { readonly type: "analyse"; readonly frame: ImageBitmap; readonly cropLimit: number };

/** From the worker: exactly one answer to each request. */
export type WorkerResponse =
  | { readonly type: "started"; readonly speed: BackendSpeed }
  | { readonly type: "start_failed"; readonly reason: string }
  | { readonly type: "analysed"; readonly analysis: FrameAnalysis }
  | { readonly type: "analyse_failed"; readonly reason: string };

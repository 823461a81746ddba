import { FrameAnalyser } from "./analyser";
import { reasonOf } from "./backends";
import type { WorkerRequest, WorkerResponse } from "./workerMessages";

let analyser: FrameAnalyser | null = null;

/** The latest frame, of which crops may be asked for. */
let frame: ImageBitmap | null = null;

self.addEventListener("message", (event: MessageEvent<WorkerRequest>) => {
  void handle(event.data);
});

async function handle(request: WorkerRequest): Promise<void> {
  switch (request.type) {
    case "start":
      try {
        analyser = new FrameAnalyser(request.options);
        answer({ type: "started", speed: await analyser.start() });
      } catch (error) {
        answer({ type: "start_failed", reason: reasonOf(error) });
      }
      return;
    case "analyse":
      frame?.close();
      frame = request.frame;
      try {
        if (analyser === null) throw new Error("the worker has not been started");
        answer({ type: "analysed", analysis: await analyser.analyse(frame, frame) });
      } catch (error) {
        answer({ type: "analyse_failed", reason: reasonOf(error) });
      }
      return;
    case "cut":
      try {
        if (analyser === null || frame === null) throw new Error("there is no frame to cut out of");
        const crops = await analyser.cut(frame, frame, request.faces);
        answer({ type: "cut", crops }, [...crops]);
      } catch (error) {
        answer({ type: "cut_failed", reason: reasonOf(error) });
      }
      return;
    default:
      request satisfies never;
  }
}

function answer(response: WorkerResponse, transfer: Transferable[] = []): void {
  self.postMessage(response, { transfer });
}

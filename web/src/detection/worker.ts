import { FrameAnalyser } from "./analyser";
import { reasonOf } from "./backends";
import type { WorkerRequest, WorkerResponse } from "./workerMessages";

let analyser: FrameAnalyser | null = null;

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
      try {
        if (analyser === null) throw new Error("the worker has not been started");
        const analysis = await analyser.analyse(request.frame, request.frame, request.cropLimit);
        answer({ type: "analysed", analysis }, [...analysis.crops]);
      } catch (error) {
        answer({ type: "analyse_failed", reason: reasonOf(error) });
      } finally {
        request.frame.close();
      }
      return;
    default:
      request satisfies never;
  }
}

function answer(response: WorkerResponse, transfer: Transferable[] = []): void {
  self.postMessage(response, { transfer });
}

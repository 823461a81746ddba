import type { BackendName } from "./backends";
import type { FaceDetector } from "./faceDetector";
import type { DetectorAssets } from "./tfRuntime";
import { WorkerDetector } from "./workerDetector";

export type CreateDetector = (backend: BackendName) => Promise<FaceDetector>;

/** The ways to run a detector in this browser, the preferred one first. */
export function detectorKinds(assets: DetectorAssets): readonly CreateDetector[] {
  const onMainThread: CreateDetector = async (backend) => {
    const { MainThreadDetector } = await import("./mainThreadDetector");
    return new MainThreadDetector({ backend, assets });
  };
  if (!WorkerDetector.isSupported()) return [onMainThread];
  return [async (backend) => new WorkerDetector({ backend, assets }), onMainThread];
}

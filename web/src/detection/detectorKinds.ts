import type { BackendName } from "./backends";
import type { FaceDetector } from "./faceDetector";
import type { DetectorAssets, RuntimeOptions } from "./tfRuntime";
import { WorkerDetector } from "./workerDetector";

export type CreateDetector = (backend: BackendName) => Promise<FaceDetector>;

export interface KindsOptions {
  readonly assets: DetectorAssets;
  /** Whether to take a backend for graphics hardware also where there is none: somebody has asked for it. */
  readonly evenInSoftware: () => boolean;
}

/** The ways to run a detector in this browser, the preferred one first. */
export function detectorKinds({ assets, evenInSoftware }: KindsOptions): readonly CreateDetector[] {
  const optionsFor = (backend: BackendName): RuntimeOptions => ({
    backend,
    assets,
    evenInSoftware: evenInSoftware(),
  });
  const onMainThread: CreateDetector = async (backend) => {
    const { MainThreadDetector } = await import("./mainThreadDetector");
    return new MainThreadDetector(optionsFor(backend));
  };
  if (!WorkerDetector.isSupported()) return [onMainThread];
  return [async (backend) => new WorkerDetector(optionsFor(backend)), onMainThread];
}

import type { TFunction } from "i18next";
import type { CameraProblem } from "../camera/cameraState";

export interface CameraAdvice {
  readonly title: string;
  readonly advice: string;
  /** Label of the button that tries again; null where trying again cannot help. */
  readonly retry: string | null;
}

/** What happened and what to do, in plain words. */
export function cameraAdvice(problem: CameraProblem, t: TFunction): CameraAdvice {
  return {
    title: t(`camera.problem.${problem}.title`),
    advice: t(`camera.problem.${problem}.advice`),
    retry: problem === "insecure" ? null : t(`camera.problem.${problem}.retry`),
  };
}

import type { TFunction } from "i18next";
import type { SourceProblem } from "../../sources/sourceState";

export interface SourceAdvice {
  readonly title: string;
  readonly advice: string;
  /** Label of the button that starts the camera; null where that cannot help. */
  readonly retry: string | null;
  /** What the browser or the system said, or a file's name; null where it would help nobody. */
  readonly detail: string | null;
}

/** What happened and what to do, in plain words. */
export function sourceAdvice(problem: SourceProblem, t: TFunction): SourceAdvice {
  const detail = problem.detail === "" ? null : problem.detail;
  if (problem.source === "camera") {
    return {
      title: t(`camera.problem.${problem.problem}.title`),
      advice: t(`camera.problem.${problem.problem}.advice`),
      retry: problem.problem === "insecure" ? null : t(`camera.problem.${problem.problem}.retry`),
      detail: problem.problem === "failed" ? detail : null,
    };
  }
  return {
    title: t(`sources.problem.${problem.problem}.title`),
    advice: t(`sources.problem.${problem.problem}.advice`),
    retry: t("sources.camera.back"),
    detail: problem.problem === "no_sharing" ? null : detail,
  };
}

import i18next from "i18next";
import { describe, expect, it } from "vitest";
import type { CameraProblem, OtherProblem, SourceProblem } from "../../sources/sourceState";
import { sourceAdvice } from "./sourceWords";

const CAMERA: readonly CameraProblem[] = ["refused", "missing", "busy", "insecure", "lost", "failed"];
const OTHER: readonly OtherProblem[] = [
  "not_media",
  "unreadable",
  "too_large",
  "no_sharing",
  "sharing_failed",
];
const PROBLEMS: readonly SourceProblem[] = [
  ...CAMERA.map((problem) => ({ source: "camera" as const, problem, detail: "detail" })),
  ...OTHER.map((problem) => ({ source: "video" as const, problem, detail: "film.mp4" })),
];

describe("sourceAdvice", () => {
  it("has words of its own for each problem", () => {
    const texts = PROBLEMS.map((problem) => sourceAdvice(problem, i18next.t));
    expect(new Set(texts.map(({ title }) => title)).size).toBe(PROBLEMS.length);
    expect(new Set(texts.map(({ advice }) => advice)).size).toBe(PROBLEMS.length);
  });

  it("names both ways out of an insecure page, and offers no other", () => {
    const insecure = { source: "camera", problem: "insecure", detail: "" } as const;
    const { advice, retry } = sourceAdvice(insecure, i18next.t);
    expect(advice).toMatch(/https:\/\/.*localhost/);
    expect(retry).toBeNull();
  });

  it("names the file that cannot be read", () => {
    const unreadable = { source: "video", problem: "unreadable", detail: "film.mkv" } as const;
    expect(sourceAdvice(unreadable, i18next.t).detail).toBe("film.mkv");
  });
});

import i18next from "i18next";
import { describe, expect, it } from "vitest";
import type { CameraProblem } from "../camera/cameraState";
import { cameraAdvice } from "./cameraWords";

const PROBLEMS: readonly CameraProblem[] = ["refused", "missing", "busy", "insecure", "lost", "failed"];

describe("cameraAdvice", () => {
  it("has words of its own for each problem", () => {
    const texts = PROBLEMS.map((problem) => cameraAdvice(problem, i18next.t));
    expect(new Set(texts.map(({ title }) => title)).size).toBe(PROBLEMS.length);
    expect(new Set(texts.map(({ advice }) => advice)).size).toBe(PROBLEMS.length);
  });

  it("names both ways out of an insecure page, and offers no other", () => {
    const { advice, retry } = cameraAdvice("insecure", i18next.t);
    expect(advice).toMatch(/https:\/\/.*localhost/);
    expect(retry).toBeNull();
  });
});

import { describe, expect, it } from "vitest";
import { adviceFor, type CameraProblem, problemOf } from "./cameraState";

const PROBLEMS: readonly CameraProblem[] = ["refused", "missing", "busy", "insecure", "lost", "failed"];

describe("problemOf", () => {
  it.each([
    ["NotAllowedError", "refused"],
    ["SecurityError", "refused"],
    ["NotFoundError", "missing"],
    ["OverconstrainedError", "missing"],
    ["NotReadableError", "busy"],
    ["AbortError", "busy"],
    ["TypeError", "failed"],
  ])("takes %s for “%s”", (name, problem) => {
    expect(problemOf(new DOMException("", name))).toBe(problem);
  });

  it("does not trip over what is no error", () => {
    expect(problemOf("boom")).toBe("failed");
  });
});

describe("adviceFor", () => {
  it("has words of its own for each problem", () => {
    const texts = PROBLEMS.map((problem) => adviceFor(problem));
    expect(new Set(texts.map(({ title }) => title)).size).toBe(PROBLEMS.length);
    expect(new Set(texts.map(({ advice }) => advice)).size).toBe(PROBLEMS.length);
  });

  it("names both ways out of an insecure page", () => {
    expect(adviceFor("insecure").advice).toMatch(/https:\/\/.*localhost/);
  });
});

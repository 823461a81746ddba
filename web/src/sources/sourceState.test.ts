import { describe, expect, it } from "vitest";
import { problemOf } from "./sourceState";

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

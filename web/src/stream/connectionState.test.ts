import { describe, expect, it } from "vitest";
import { afterEnding } from "./connectionState";

const ending = { wasOpen: true, errorCode: null, closedReason: null };

describe("afterEnding", () => {
  it.each([1001, 1006, 1011, 1012, 1013])("comes back after %d", (code) => {
    expect(afterEnding({ ...ending, code }).kind).toBe("retry");
  });

  it.each([
    [4401, "unauthorized"],
    [1008, "refused"],
    [1009, "ended"],
    [1000, "ended"],
  ])("does not come back after %d", (code, reason) => {
    expect(afterEnding({ ...ending, code })).toEqual({ kind: "final", reason });
  });

  it("tells a server that was never reached from one that was lost", () => {
    expect(afterEnding({ ...ending, code: 1006, wasOpen: false })).toMatchObject({ cause: "unreachable" });
    expect(afterEnding({ ...ending, code: 1006 })).toMatchObject({ cause: "lost" });
  });

  it("knows a full server by the error that came before", () => {
    const full = { ...ending, code: 1013, wasOpen: false, errorCode: "too_many_sessions" };
    expect(afterEnding(full)).toEqual({ kind: "retry", cause: "too_many_sessions" });
  });

  it("knows an idle session by the reason that was given", () => {
    const idle = { ...ending, code: 1000, closedReason: "idle_timeout" };
    expect(afterEnding(idle)).toEqual({ kind: "final", reason: "idle_timeout" });
  });
});

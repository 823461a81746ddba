import { describe, expect, it } from "vitest";
import rule from "../../../server/protocol/reconnect.json";
import { afterEnding } from "./connectionState";

const ending = { wasOpen: true, errorCode: null, closedReason: null };

describe("afterEnding", () => {
  it.each(rule.retry_close_codes)("comes back after %d", (code) => {
    expect(afterEnding({ ...ending, code }).kind).toBe("retry");
  });

  it.each(rule.final_close_codes)("does not come back after %d, of which it says why", (code) => {
    expect(afterEnding({ ...ending, code })).toMatchObject({ kind: "final" });
    expect(afterEnding({ ...ending, code })).not.toMatchObject({ reason: "ended" });
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

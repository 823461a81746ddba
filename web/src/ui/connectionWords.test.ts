import { describe, expect, it } from "vitest";
import type { CloseReason, LossCause } from "../stream/connectionState";
import { connectionWords } from "./connectionWords";

const CAUSES: readonly LossCause[] = [
  "unreachable",
  "lost",
  "too_many_sessions",
  "server_shutdown",
  "server_error",
];
const REASONS: readonly CloseReason[] = ["unauthorized", "refused", "ended"];

describe("connectionWords", () => {
  it("says nothing about a connection that is well", () => {
    expect(connectionWords({ kind: "connecting", after: null }).trouble).toBeNull();
    expect(connectionWords({ kind: "idle" }).trouble).toBeNull();
  });

  it("has words of its own for everything that can go wrong", () => {
    const troubles = [
      ...CAUSES.map((cause) => connectionWords({ kind: "waiting", cause, nextAttemptAtMs: 0 }).trouble),
      ...REASONS.map((reason) => connectionWords({ kind: "closed", reason, code: 1000 }).trouble),
    ];
    expect(new Set(troubles.map((trouble) => trouble?.title)).size).toBe(troubles.length);
  });

  it.each(CAUSES)("keeps its words about %s in sight while it tries again", (cause) => {
    const { trouble } = connectionWords({ kind: "waiting", cause, nextAttemptAtMs: 0 });
    expect(connectionWords({ kind: "connecting", after: cause }).trouble).toEqual(trouble);
  });

  it("does not trouble anyone about an idle session, which comes back by itself", () => {
    expect(connectionWords({ kind: "closed", reason: "idle_timeout", code: 1000 }).trouble).toBeNull();
  });
});

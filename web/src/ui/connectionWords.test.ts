import i18next from "i18next";
import { describe, expect, it } from "vitest";
import type { CloseReason, ConnectionState, LossCause } from "../stream/connectionState";
import { connectionTrouble } from "./connectionWords";

const CAUSES: readonly LossCause[] = [
  "unreachable",
  "lost",
  "too_many_sessions",
  "server_shutdown",
  "server_error",
];
const REASONS: readonly CloseReason[] = ["unauthorized", "refused", "ended"];

const trouble = (state: ConnectionState) => connectionTrouble(state, i18next.t);

describe("connectionTrouble", () => {
  it("says nothing about a connection that is well", () => {
    expect(trouble({ kind: "connecting", after: null })).toBeNull();
    expect(trouble({ kind: "idle" })).toBeNull();
  });

  it("has words of its own for everything that can go wrong", () => {
    const troubles = [
      ...CAUSES.map((cause) => trouble({ kind: "waiting", cause, nextAttemptAtMs: 0 })),
      ...REASONS.map((reason) => trouble({ kind: "closed", reason, code: 1000 })),
    ];
    expect(new Set(troubles.map((words) => words?.title)).size).toBe(troubles.length);
  });

  it.each(CAUSES)("keeps its words about %s in sight while it tries again", (cause) => {
    const waiting = trouble({ kind: "waiting", cause, nextAttemptAtMs: 0 });
    expect(trouble({ kind: "connecting", after: cause })).toEqual(waiting);
  });

  it("does not trouble anyone about an idle session, which comes back by itself", () => {
    expect(trouble({ kind: "closed", reason: "idle_timeout", code: 1000 })).toBeNull();
  });
});

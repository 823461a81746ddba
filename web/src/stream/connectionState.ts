import {
  CLOSE_POLICY,
  CLOSE_UNAUTHORIZED,
  ERROR_TOO_MANY_SESSIONS,
  RECONNECT_CODES,
  type SessionCreated,
} from "./protocol";

/** Why the client waits before it comes back. */
export type LossCause = "unreachable" | "lost" | "too_many_sessions" | "server_shutdown" | "server_error";

/** Why the client does not come back by itself. */
export type CloseReason = "unauthorized" | "refused" | "idle_timeout" | "ended";

export type ConnectionState =
  | { readonly kind: "idle" }
  /** `after`: what the attempt is to mend; null for a first one. */
  | { readonly kind: "connecting"; readonly after: LossCause | null }
  | { readonly kind: "open"; readonly session: SessionCreated }
  | { readonly kind: "waiting"; readonly cause: LossCause; readonly nextAttemptAtMs: number }
  | { readonly kind: "closed"; readonly reason: CloseReason; readonly code: number };

/** All that is known about a connection that has ended. */
export interface Ending {
  /** WebSocket close code. */
  readonly code: number;
  /** Whether `session.created` had come. */
  readonly wasOpen: boolean;
  /** Code of the latest error that concerned no frame. */
  readonly errorCode: string | null;
  /** Reason in `session.closed`. */
  readonly closedReason: string | null;
}

export type AfterEnding =
  | { readonly kind: "retry"; readonly cause: LossCause }
  | { readonly kind: "final"; readonly reason: CloseReason };

/** What follows from the end of a connection, by the protocol's rules. */
export function afterEnding({ code, wasOpen, errorCode, closedReason }: Ending): AfterEnding {
  if (code === CLOSE_UNAUTHORIZED) return { kind: "final", reason: "unauthorized" };
  if (code === CLOSE_POLICY) return { kind: "final", reason: "refused" };
  if (!RECONNECT_CODES.has(code)) {
    return { kind: "final", reason: closedReason === "idle_timeout" ? "idle_timeout" : "ended" };
  }
  if (errorCode === ERROR_TOO_MANY_SESSIONS) return { kind: "retry", cause: "too_many_sessions" };
  if (code === 1001 || code === 1012) return { kind: "retry", cause: "server_shutdown" };
  if (code === 1011) return { kind: "retry", cause: "server_error" };
  return { kind: "retry", cause: wasOpen ? "lost" : "unreachable" };
}

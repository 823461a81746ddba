import type { CloseReason, ConnectionState, LossCause } from "../stream/connectionState";

export interface ConnectionWords {
  /** Two or three words for the status line. */
  readonly label: string;
  /** What is wrong and what to do; null where nothing is. */
  readonly trouble: { readonly title: string; readonly advice: string; readonly retry: string } | null;
}

export function connectionWords(state: ConnectionState): ConnectionWords {
  switch (state.kind) {
    case "idle":
      return { label: "Not connected", trouble: null };
    case "connecting":
      // An attempt mends nothing yet: the words stay until it has succeeded.
      return { label: "Connecting", trouble: state.after === null ? null : troubleOf(state.after) };
    case "open":
      return { label: "Connected", trouble: null };
    case "waiting":
      return { label: "Reconnecting", trouble: troubleOf(state.cause) };
    case "closed":
      return { label: "Disconnected", trouble: closeWords(state.reason, state.code) };
    default:
      return state satisfies never;
  }
}

function troubleOf(cause: LossCause): ConnectionWords["trouble"] {
  return { ...lossWords(cause), retry: "Try now" };
}

function lossWords(cause: LossCause): { title: string; advice: string } {
  switch (cause) {
    case "unreachable":
      return {
        title: "The server does not answer",
        advice: "See whether Emostream is running and this device is on its network. This page keeps trying.",
      };
    case "lost":
      return {
        title: "The connection was lost",
        advice: "The server or the network went away. This page keeps trying.",
      };
    case "too_many_sessions":
      return {
        title: "The server is full",
        advice: "It already serves as many cameras as it may. This page takes the next free place.",
      };
    case "server_shutdown":
      return { title: "The server is restarting", advice: "This page comes back as soon as it is up again." };
    case "server_error":
      return {
        title: "The server had a fault",
        advice: "This page keeps trying. If it stays like this, the server’s log says why.",
      };
    default:
      return cause satisfies never;
  }
}

function closeWords(reason: CloseReason, code: number): ConnectionWords["trouble"] {
  switch (reason) {
    case "unauthorized":
      return {
        title: "This server wants a token",
        advice:
          "The token is missing or wrong. Open this page with ?token=… and the right token in its address.",
        retry: "Try again",
      };
    case "refused":
      return {
        title: "The server refused this page",
        advice: "Its rules do not allow this connection. Ask whoever runs the server.",
        retry: "Try again",
      };
    case "idle_timeout":
      // It comes back by itself with the next face.
      return null;
    case "ended":
      return {
        title: "The server ended the session",
        advice: `It gave the close code ${code}. Connect again to carry on.`,
        retry: "Connect again",
      };
    default:
      return reason satisfies never;
  }
}

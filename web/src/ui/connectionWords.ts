import type { TFunction } from "i18next";
import type { ConnectionState, LossCause } from "../stream/connectionState";

/** What is wrong with the connection and what to do. */
export interface ConnectionTrouble {
  readonly title: string;
  readonly advice: string;
  /** Label of the button that tries again. */
  readonly retry: string;
}

/** Null where nothing is wrong. */
export function connectionTrouble(state: ConnectionState, t: TFunction): ConnectionTrouble | null {
  switch (state.kind) {
    case "idle":
    case "open":
      return null;
    case "connecting":
      // An attempt mends nothing yet: the words stay until it has succeeded.
      return state.after === null ? null : loss(state.after, t);
    case "waiting":
      return loss(state.cause, t);
    case "closed":
      // An idle session comes back by itself with the next face.
      if (state.reason === "idle_timeout") return null;
      return {
        title: t(`connection.closed.${state.reason}.title`),
        advice: t(`connection.closed.${state.reason}.advice`, { code: state.code }),
        retry: t(state.reason === "ended" ? "connection.retry.connect" : "connection.retry.again"),
      };
    default:
      return state satisfies never;
  }
}

function loss(cause: LossCause, t: TFunction): ConnectionTrouble {
  return {
    title: t(`connection.lost.${cause}.title`),
    advice: t(`connection.lost.${cause}.advice`),
    retry: t("connection.retry.now"),
  };
}

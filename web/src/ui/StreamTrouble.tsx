import { useTranslation } from "react-i18next";
import { connectionTrouble } from "./connectionWords";
import { useLive } from "./liveContext";
import { useStore } from "./useStore";
import { useSecondsUntil } from "./useSecondsUntil";

/** Under the picture: what keeps the answers away, what to do, and when the next attempt comes. */
export function StreamTrouble() {
  const { t } = useTranslation();
  const live = useLive();
  const state = useStore(live.stores.connection, (connection) => connection);
  const secondsLeft = useSecondsUntil(state.kind === "waiting" ? state.nextAttemptAtMs : null);
  const trouble = connectionTrouble(state, t);
  if (trouble === null) return null;
  return (
    <div className="trouble" role="alert">
      <div>
        <h2>{trouble.title}</h2>
        <p>{trouble.advice}</p>
      </div>
      {secondsLeft !== null && (
        <p className="trouble-countdown" aria-hidden="true">
          {t("connection.next_attempt")} <span className="num">{secondsLeft} s</span>
        </p>
      )}
      {state.kind === "connecting" && (
        <p className="trouble-countdown" aria-hidden="true">
          {t("connection.trying")}
        </p>
      )}
      <button type="button" className="button" onClick={() => live.reconnect()}>
        {trouble.retry}
      </button>
    </div>
  );
}

import { connectionWords } from "./connectionWords";
import { useLive } from "./liveContext";
import { useStore } from "./useStore";
import { useSecondsUntil } from "./useSecondsUntil";

/** Under the picture: what keeps the answers away, what to do, and when the next attempt comes. */
export function StreamTrouble() {
  const live = useLive();
  const state = useStore(live.stores.connection, (connection) => connection);
  const secondsLeft = useSecondsUntil(state.kind === "waiting" ? state.nextAttemptAtMs : null);
  const { trouble } = connectionWords(state);
  if (trouble === null) return null;
  return (
    <div className="trouble" role="alert">
      <div>
        <h2>{trouble.title}</h2>
        <p>{trouble.advice}</p>
      </div>
      {secondsLeft !== null && (
        <p className="trouble-countdown" aria-hidden="true">
          Next attempt in <span className="num">{secondsLeft} s</span>
        </p>
      )}
      {state.kind === "connecting" && (
        <p className="trouble-countdown" aria-hidden="true">
          Trying now…
        </p>
      )}
      <button type="button" className="button" onClick={() => live.reconnect()}>
        {trouble.retry}
      </button>
    </div>
  );
}

import { connectionWords } from "./connectionWords";
import { useLive } from "./liveContext";
import { useStore } from "./useStore";
import { useSecondsUntil } from "./useSecondsUntil";

export function ConnectionStatus() {
  const { stores } = useLive();
  const state = useStore(stores.connection, (connection) => connection);
  const secondsLeft = useSecondsUntil(state.kind === "waiting" ? state.nextAttemptAtMs : null);
  return (
    <p className="status" data-testid="connection-status" data-state={state.kind}>
      <span className="status-dot" aria-hidden="true" />
      {connectionWords(state).label}
      {secondsLeft !== null && <span className="num"> {secondsLeft} s</span>}
    </p>
  );
}

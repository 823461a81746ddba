import { useTranslation } from "react-i18next";
import { useLive } from "./liveContext";
import { useStore } from "./useStore";
import { useSecondsUntil } from "./useSecondsUntil";

export function ConnectionStatus() {
  const { t } = useTranslation();
  const { stores } = useLive();
  const state = useStore(stores.connection, (connection) => connection);
  const secondsLeft = useSecondsUntil(state.kind === "waiting" ? state.nextAttemptAtMs : null);
  return (
    <p className="status" data-testid="connection-status" data-state={state.kind}>
      <span className="status-dot" aria-hidden="true" />
      {t(`connection.state.${state.kind}`)}
      {secondsLeft !== null && <span className="num"> {secondsLeft} s</span>}
    </p>
  );
}

import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { type Comparison, compareSessions } from "../../engine/recording/compare";
import { Replay } from "../../engine/recording/replay";
import { personOf } from "../../engine/recording/session";
import { clock } from "../../engine/timeline/span";
import { MAX_SMOOTHING } from "../../engine/settings/parameters";
import { emotionWord, formatNumber, formatPercent } from "../format";
import { useLive } from "../liveContext";
import { useStore } from "../useStore";

/** A second recording of the same time, and how it differs. */
export interface Compared {
  readonly replay: Replay;
  readonly comparison: Comparison;
}

export interface CompareProps {
  readonly replay: Replay;
  readonly compared: Compared | null;
  readonly onCompared: (compared: Compared | null) => void;
  readonly onSeek: (atMs: number) => void;
}

/** Runs a session again with another server or setting, and lists where the two differ. */
export function Compare({ replay, compared, onCompared, onSeek }: CompareProps) {
  const { t } = useTranslation();
  const { sessions } = useLive();
  const { session } = replay;
  const list = useStore(sessions.list, (entries) => entries);
  const originalId = session.rerunOf ?? session.id;
  const others = list.filter(
    ({ record }) =>
      record.id !== session.id && (record.rerunOf === originalId || record.id === session.rerunOf),
  );

  const choose = async (id: string): Promise<void> => {
    const other = id === "" ? null : await Replay.open(sessions.database, id);
    onCompared(
      other && { replay: other, comparison: await compareSessions(sessions.database, session.id, id) },
    );
  };

  if (!session.hasVideo && others.length === 0) return <p className="quiet">{t("replay.no_video")}</p>;
  return (
    <section className="compare">
      {session.hasVideo && <RunAgain replay={replay} onDone={(id) => void choose(id)} />}
      {others.length > 0 && (
        <label className="compare-with">
          {t("replay.compare")}
          <select
            className="select select-small"
            data-testid="compare-with"
            value={compared?.replay.session.id ?? ""}
            onChange={(event) => void choose(event.target.value)}
          >
            <option value="">{t("replay.compare_none")}</option>
            {others.map(({ record }) => (
              <option key={record.id} value={record.id}>
                {record.name}
              </option>
            ))}
          </select>
        </label>
      )}
      {compared !== null && <Differences replay={replay} compared={compared} onSeek={onSeek} />}
    </section>
  );
}

interface RunAgainProps {
  readonly replay: Replay;
  readonly onDone: (id: string) => void;
}

function RunAgain({ replay, onDone }: RunAgainProps) {
  const { t, i18n } = useTranslation();
  const live = useLive();
  const { sessions } = live;
  const isRecording = useStore(sessions.recorder.view, (view) => view.kind !== "off");
  const [smoothing, setSmoothing] = useState(0);
  const [server, setServer] = useState("");
  const [progress, setProgress] = useState<{ readonly done: number; readonly total: number } | null>(null);
  const [failure, setFailure] = useState<string | null>(null);
  const abort = useRef<AbortController | null>(null);
  useEffect(() => () => abort.current?.abort(), []);

  const run = async (): Promise<void> => {
    abort.current = new AbortController();
    setFailure(null);
    setProgress({ done: 0, total: 0 });
    const parts = [server, t("replay.smoothing") + ` ${formatNumber(smoothing, i18n.language, 2)}`];
    try {
      const id = await live.runAgain(replay, server, {
        name: `${replay.session.name} · ${parts.filter((part) => part !== "").join(", ")}`,
        smoothing,
        signal: abort.current.signal,
        onProgress: (done, total) => setProgress({ done, total }),
      });
      await sessions.refresh();
      onDone(id);
    } catch (error) {
      if (!abort.current.signal.aborted) setFailure(error instanceof Error ? error.message : String(error));
    }
    setProgress(null);
  };

  return (
    <form
      className="run-again"
      onSubmit={(event) => {
        event.preventDefault();
        void run();
      }}
    >
      <div className="run-again-what">
        <h3>{t("replay.again")}</h3>
        <p className="quiet">{t("replay.again_hint")}</p>
      </div>
      <label>
        {t("replay.smoothing")}
        <input
          type="number"
          data-testid="rerun-smoothing"
          min={0}
          max={MAX_SMOOTHING}
          step={0.05}
          value={smoothing}
          onChange={(event) => setSmoothing(event.target.valueAsNumber || 0)}
        />
      </label>
      <label>
        {t("replay.server")}
        <input
          type="url"
          placeholder={t("replay.server_hint")}
          value={server}
          onChange={(event) => setServer(event.target.value)}
        />
      </label>
      {progress === null ? (
        <button type="submit" className="button button-small" data-testid="rerun" disabled={isRecording}>
          {t("replay.run")}
        </button>
      ) : (
        <>
          <progress max={Math.max(1, progress.total)} value={progress.done} />
          <span className="quiet num">
            {t("replay.progress", { done: progress.done, total: progress.total })}
          </span>
          <button type="button" className="button button-small" onClick={() => abort.current?.abort()}>
            {t("replay.cancel")}
          </button>
        </>
      )}
      {failure !== null && (
        <p className="record-problem" role="alert">
          {t("replay.failed", { reason: failure })}
        </p>
      )}
    </form>
  );
}

interface DifferencesProps {
  readonly replay: Replay;
  readonly compared: Compared;
  readonly onSeek: (atMs: number) => void;
}

function Differences({ replay, compared, onSeek }: DifferencesProps) {
  const words = useTranslation();
  const { t, i18n } = words;
  const { compared: rows, differing, differences } = compared.comparison;
  const { startedAtMs, people } = replay.session;
  return (
    <section className="differences" data-testid="differences">
      <h3>{t("replay.differences")}</h3>
      <p className="quiet">
        {t("replay.solid", { name: compared.replay.session.name })}{" "}
        {differing === 0
          ? t("replay.differences_none")
          : t("replay.differences_about", {
              share: formatPercent(differing / Math.max(1, rows), i18n.language),
              rows: formatNumber(rows, i18n.language),
            })}
      </p>
      <ol>
        {differences.map(({ faceId, fromMs, toMs, first, second }) => (
          <li key={`${faceId} ${fromMs}`}>
            <button type="button" className="difference" onClick={() => onSeek(fromMs)}>
              <span className="num quiet">
                {clock((fromMs - startedAtMs) / 1000)}–{clock((toMs - startedAtMs) / 1000)}
              </span>
              <span>{personOf(people, faceId)}</span>
              <span>
                {emotionWord(first, words)} → {emotionWord(second, words)}
              </span>
            </button>
          </li>
        ))}
      </ol>
    </section>
  );
}

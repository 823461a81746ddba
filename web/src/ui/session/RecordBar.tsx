import { useCallback, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import type { RecordingView } from "../../engine/recording/recorder";
import { markerLabel } from "../../engine/recording/session";
import { clock } from "../../engine/timeline/span";
import { formatNumber } from "../format";
import { useLive } from "../liveContext";
import { shortcutFor, useShortcut } from "../shortcuts/shortcuts";
import { useStore } from "../useStore";
import "./record.css";

export interface RecordBarProps {
  readonly onList: () => void;
}

/** Record, pause, mark and stop; how long it has been, and how much was kept. */
export function RecordBar({ onList }: RecordBarProps) {
  const { t, i18n } = useTranslation();
  const { sessions } = useLive();
  const view = useStore(sessions.recorder.view, (recording) => recording);
  const keepsVideo = useStore(sessions.keepsVideo, (keeps) => keeps);
  const hasRecorded = useStore(sessions.list, (list) => list.length);
  const isOn = view.kind !== "off";
  return (
    <section className="record" aria-label={t("recording.title")}>
      <div className="record-main">
        {isOn ? (
          <RecordingControls view={view} />
        ) : (
          <button
            type="button"
            className="button button-record"
            data-testid="record"
            onClick={() => void sessions.record(nameOf(new Date(), i18n.language))}
          >
            <span className="record-dot" aria-hidden="true" />
            {t("recording.start")}
          </button>
        )}
        <label className="record-video" title={t("recording.video_hint")}>
          <input
            type="checkbox"
            checked={keepsVideo}
            onChange={(event) => sessions.setKeepsVideo(event.target.checked)}
          />
          {t("recording.video")}
        </label>
        {isOn && (
          <p className="record-counter" data-testid="record-counter">
            <span className="num">{clock(view.recordedMs / 1000)}</span>
            <span className="quiet num">
              {t("recording.rows", { count: view.rows, rows: formatNumber(view.rows, i18n.language) })}
            </span>
          </p>
        )}
      </div>
      <button type="button" className="button button-small" data-testid="sessions" onClick={onList}>
        {t("recording.list", { count: hasRecorded })}
      </button>
      {view.problem !== null && (
        <p className="record-problem" role="alert">
          {t(`recording.problem.${view.problem}`)}
        </p>
      )}
    </section>
  );
}

function RecordingControls({ view }: { readonly view: RecordingView }) {
  const { t } = useTranslation();
  const { sessions } = useLive();
  const { recorder } = sessions;
  const isPaused = view.kind === "paused";
  return (
    <>
      <button
        type="button"
        className="button"
        data-testid="pause"
        onClick={() => (isPaused ? recorder.resume() : recorder.pause())}
      >
        {isPaused ? t("recording.resume") : t("recording.pause")}
      </button>
      <button type="button" className="button" data-testid="stop" onClick={() => void sessions.stop()}>
        {t("recording.stop")}
      </button>
      <span className="record-state" data-state={view.kind}>
        <span className="record-dot" aria-hidden="true" />
        {isPaused ? t("recording.paused") : t("recording.on")}
      </span>
      <MarkerField view={view} />
    </>
  );
}

/** Marks this moment, by button or key; what is typed then is the marker's note. */
function MarkerField({ view }: { readonly view: RecordingView }) {
  const { t } = useTranslation();
  const { recorder } = useLive().sessions;
  const [markerId, setMarkerId] = useState<string | null>(null);
  const input = useRef<HTMLInputElement>(null);
  const marker = view.events.find((event) => event.id === markerId);

  const mark = useCallback(() => setMarkerId(recorder.mark(null)?.id ?? null), [recorder]);
  useShortcut("m", t("recording.mark"), mark);
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (!/^[1-9]$/.test(event.key) || document.querySelector("dialog[open]") !== null) return;
      const digit = { key: event.key, words: "", run: () => recorder.mark(event.key) };
      shortcutFor(event, [digit])?.run();
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, [recorder]);

  // The note is asked for as soon as the marker stands; a number needs none.
  const isAsking = marker?.kind === "marker" && marker.key === null;
  useEffect(() => {
    if (isAsking) input.current?.focus();
  }, [isAsking, markerId]);

  if (marker?.kind !== "marker") {
    return (
      <button
        type="button"
        className="button"
        data-testid="mark"
        title={t("recording.mark_hint")}
        onClick={mark}
      >
        {t("recording.mark")} <kbd>M</kbd>
      </button>
    );
  }
  return (
    <form
      className="record-note"
      onSubmit={(event) => {
        event.preventDefault();
        recorder.annotate(marker.id, input.current?.value ?? "");
        setMarkerId(null);
      }}
    >
      <input
        key={marker.id}
        ref={input}
        data-testid="note"
        aria-label={t("recording.note")}
        placeholder={t("recording.note_of", { label: markerLabel(marker) })}
        maxLength={200}
        defaultValue={marker.note}
        onKeyDown={(event) => {
          if (event.key === "Escape") setMarkerId(null);
        }}
      />
      <button type="submit" className="button button-small">
        {t("recording.note_done")}
      </button>
    </form>
  );
}

/** A session's first name: its day and time. */
export function nameOf(time: Date, language: string): string {
  return new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" }).format(time);
}

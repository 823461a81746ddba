import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import type { SessionEntry } from "../../engine/recording/sessions";
import { cleanText } from "../../engine/recording/session";
import { clock } from "../../engine/timeline/span";
import { formatNumber } from "../format";
import { useLive } from "../liveContext";
import { useStore } from "../useStore";
import { nameOf } from "./RecordBar";
import { ReplayView } from "./ReplayView";
import { SaveAs } from "./SaveAs";
import "./sessions.css";

export interface SessionsDialogProps {
  readonly onClose: () => void;
}

/** All that was recorded, over the page: the list, and the session that is opened from it. */
export function SessionsDialog({ onClose }: SessionsDialogProps) {
  const { t } = useTranslation();
  const { sessions } = useLive();
  const dialog = useRef<HTMLDialogElement>(null);
  const [openId, setOpenId] = useState<string | null>(null);

  useEffect(() => {
    dialog.current?.showModal();
    void sessions.refresh();
  }, [sessions]);

  return (
    <dialog
      ref={dialog}
      className="sessions"
      aria-label={t("sessions.title")}
      data-testid="sessions-dialog"
      onClose={onClose}
    >
      <header className="sessions-head">
        {openId === null ? (
          <h2>{t("sessions.title")}</h2>
        ) : (
          <button type="button" className="button button-small" onClick={() => setOpenId(null)}>
            ← {t("replay.back")}
          </button>
        )}
        <button type="button" className="button button-small" onClick={() => dialog.current?.close()}>
          {t("sessions.close")}
        </button>
      </header>
      {openId === null ? <SessionList onOpen={setOpenId} /> : <ReplayView id={openId} key={openId} />}
    </dialog>
  );
}

function SessionList({ onOpen }: { readonly onOpen: (id: string) => void }) {
  const { t } = useTranslation();
  const { sessions } = useLive();
  const list = useStore(sessions.list, (entries) => entries);
  const problem = useStore(sessions.problem, (reason) => reason);
  return (
    <>
      {problem !== null && (
        <p className="record-problem" role="alert">
          {t(`recording.problem.${problem}`)}
        </p>
      )}
      {list.length === 0 ? (
        <div className="sessions-empty">
          <h3>{t("sessions.empty_title")}</h3>
          <p className="quiet">{t("sessions.empty")}</p>
        </div>
      ) : (
        <ul className="sessions-list">
          {list.map((entry) => (
            <Entry key={entry.record.id} entry={entry} onOpen={onOpen} />
          ))}
        </ul>
      )}
      <StorageLine />
    </>
  );
}

interface EntryProps {
  readonly entry: SessionEntry;
  readonly onOpen: (id: string) => void;
}

function Entry({ entry: { record, isInterrupted, isRecording }, onOpen }: EntryProps) {
  const { t, i18n } = useTranslation();
  const { sessions } = useLive();
  const isBusy = useStore(sessions.recorder.view, (view) => view.kind !== "off");
  const [isAsking, setIsAsking] = useState(false);
  const lengthS = (record.updatedAtMs - record.startedAtMs) / 1000;
  return (
    <li className="session" data-testid="session" data-state={isInterrupted ? "interrupted" : "kept"}>
      <div className="session-what">
        <input
          key={record.name}
          className="session-name name-field"
          aria-label={t("sessions.name")}
          defaultValue={record.name}
          maxLength={200}
          onKeyDown={(event) => {
            if (event.key === "Enter") event.currentTarget.blur();
          }}
          onBlur={(event) => {
            const name = cleanText(event.currentTarget.value);
            if (name !== record.name) void sessions.change(record.id, (kept) => ({ ...kept, name }));
          }}
        />
        <p className="quiet session-about num">
          {t("sessions.about", {
            date: nameOf(new Date(record.startedAtMs), i18n.language),
            length: clock(lengthS),
            rows: formatNumber(record.rows, i18n.language),
            size: megabytes(record.bytes, i18n.language),
          })}
          {record.hasVideo && <span className="session-mark">{t("sessions.video")}</span>}
          {record.rerunOf !== null && <span className="session-mark">{t("sessions.rerun")}</span>}
          {isRecording && <span className="session-mark">{t("sessions.recording")}</span>}
          {isInterrupted && <span className="session-mark session-warn">{t("sessions.interrupted")}</span>}
        </p>
      </div>
      <div className="session-does">
        {isInterrupted && record.rerunOf === null && (
          <button
            type="button"
            className="button button-small"
            disabled={isBusy}
            onClick={() => void sessions.carryOn(record.id)}
          >
            {t("sessions.carry_on")}
          </button>
        )}
        {isInterrupted && (
          <button
            type="button"
            className="button button-small"
            onClick={() => void sessions.change(record.id, (kept) => ({ ...kept, isEnded: true }))}
          >
            {t("sessions.finish")}
          </button>
        )}
        <SaveAs record={record} />
        {isAsking ? (
          <>
            <button
              type="button"
              className="button button-small button-danger"
              onClick={() => void sessions.delete(record.id)}
            >
              {t("sessions.delete_sure")}
            </button>
            <button type="button" className="button button-small" onClick={() => setIsAsking(false)}>
              {t("sessions.cancel")}
            </button>
          </>
        ) : (
          <button
            type="button"
            className="button button-small"
            disabled={isRecording}
            onClick={() => setIsAsking(true)}
          >
            {t("sessions.delete")}
          </button>
        )}
        <button
          type="button"
          className="button button-small button-primary"
          onClick={() => onOpen(record.id)}
        >
          {t("sessions.open")}
        </button>
      </div>
    </li>
  );
}

function StorageLine() {
  const { t, i18n } = useTranslation();
  const { usedBytes, quotaBytes, isPersistent } = useStore(useLive().sessions.storage, (storage) => storage);
  if (usedBytes === null || quotaBytes === null) return null;
  return (
    <p className="quiet sessions-storage">
      {t("sessions.used", {
        used: megabytes(usedBytes, i18n.language),
        quota: megabytes(quotaBytes, i18n.language),
      })}{" "}
      {isPersistent ? t("sessions.persistent") : t("sessions.not_persistent")}
    </p>
  );
}

function megabytes(bytes: number, language: string): string {
  const mega = bytes / 1e6;
  return mega >= 1000
    ? `${formatNumber(mega / 1000, language, 1)} GB`
    : `${formatNumber(mega, language, 1)} MB`;
}

import { useEffect, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import type { KeptCorrection } from "../../engine/corrections";
import { emotionWord } from "../format";
import { useLive } from "../liveContext";
import { useStore } from "../useStore";

const NO_LABELS: readonly string[] = [];

/** What is being corrected: as it was when the button was pressed, whatever the camera sees since. */
export interface Case {
  readonly crop: ArrayBuffer;
  readonly seen: string;
}

type Progress =
  | { readonly kind: "asking" }
  | { readonly kind: "sending" }
  | { readonly kind: "kept"; readonly kept: KeptCorrection }
  | { readonly kind: "taken_back" }
  | { readonly kind: "failed"; readonly reason: string };

/** Asks for the right label, and for consent the first time. */
export function CorrectionDialog({ crop, seen, onClose }: Case & { readonly onClose: () => void }) {
  const words = useTranslation();
  const { t } = words;
  const { stores, corrections } = useLive();
  const labels = useStore(stores.session, (session) => session?.model.labels ?? NO_LABELS);
  const dialog = useRef<HTMLDialogElement>(null);
  const picture = useMemo(() => pictureUrl(crop), [crop]);
  const [label, setLabel] = useState<string | null>(null);
  const [agreed, setAgreed] = useState(corrections.agreed);
  const [asksConsent] = useState(!corrections.agreed);
  const [progress, setProgress] = useState<Progress>({ kind: "asking" });

  useEffect(() => {
    dialog.current?.showModal();
  }, []);

  async function attempt(work: () => Promise<Progress>) {
    setProgress({ kind: "sending" });
    try {
      setProgress(await work());
    } catch (error) {
      setProgress({ kind: "failed", reason: error instanceof Error ? error.message : String(error) });
    }
  }

  const isDone = progress.kind === "kept" || progress.kind === "taken_back";
  return (
    <dialog ref={dialog} className="correction-dialog" aria-labelledby="correction-title" onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (label === null || !agreed) return;
          corrections.agree();
          void attempt(async () => ({ kind: "kept", kept: await corrections.send(crop, label) }));
        }}
      >
        <h2 id="correction-title">{t("correction.title")}</h2>
        <div className="correction-case">
          <img src={picture} alt={t("correction.picture")} width={112} height={112} />
          <p className="quiet">{t("correction.seen", { emotion: emotionWord(seen, words) })}</p>
        </div>
        {!isDone && (
          <fieldset className="correction-labels">
            <legend>{t("correction.choose")}</legend>
            {labels.map((each) => (
              <label key={each}>
                <input
                  type="radio"
                  name="label"
                  value={each}
                  checked={label === each}
                  onChange={() => setLabel(each)}
                />
                <span className="label">{emotionWord(each, words)}</span>
              </label>
            ))}
          </fieldset>
        )}
        {!isDone && asksConsent && (
          <label className="correction-consent">
            <input
              type="checkbox"
              data-testid="correction-consent"
              checked={agreed}
              onChange={(event) => setAgreed(event.target.checked)}
            />
            <span>{t("correction.consent")}</span>
          </label>
        )}
        <p
          role="status"
          className="correction-status"
          data-testid="correction-status"
          data-state={progress.kind}
        >
          {progress.kind === "kept" &&
            t("correction.kept", { emotion: emotionWord(progress.kept.label, words) })}
          {progress.kind === "taken_back" && t("correction.taken_back")}
          {progress.kind === "failed" && t("correction.failed", { reason: progress.reason })}
        </p>
        <div className="correction-actions">
          {progress.kind === "kept" && (
            <button
              type="button"
              className="button button-small"
              onClick={() =>
                void attempt(async () => {
                  await corrections.takeBack(progress.kept);
                  return { kind: "taken_back" };
                })
              }
            >
              {t("correction.take_back")}
            </button>
          )}
          <button type="button" className="button button-small" onClick={() => dialog.current?.close()}>
            {t(isDone ? "correction.close" : "correction.cancel")}
          </button>
          {!isDone && (
            <button
              type="submit"
              className="button button-small button-primary"
              data-testid="correction-send"
              disabled={label === null || !agreed || progress.kind === "sending"}
            >
              {t("correction.send")}
            </button>
          )}
        </div>
      </form>
    </dialog>
  );
}

/** The crop as an address that an image can have. */
function pictureUrl(crop: ArrayBuffer): string {
  const bytes = Array.from(new Uint8Array(crop), (byte) => String.fromCharCode(byte)).join("");
  return `data:image/jpeg;base64,${btoa(bytes)}`;
}

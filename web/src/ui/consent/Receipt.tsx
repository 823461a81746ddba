import "./consent.css";
import { useTranslation } from "react-i18next";
import { totalOf } from "../../engine/receipts";
import { download } from "../download";
import { formatBytes, formatDuration, formatNumber, formatTime } from "../format";
import { useLive } from "../liveContext";
import { useStore } from "../useStore";

/** After the camera: what was sent and what of it was kept, by the server's own count. */
export function Receipt() {
  const { t, i18n } = useTranslation();
  const { stores } = useLive();
  const receipts = useStore(stores.receipts, (value) => value);
  const about = useStore(stores.about, (value) => value);
  const total = totalOf(receipts);
  if (total === null) return null;
  const { language } = i18n;
  const save = () => {
    const content = { server: window.location.origin, operator: about?.operator ?? null, sessions: receipts };
    const text = `${JSON.stringify(content, null, 2)}\n`;
    download({ name: "emostream-receipt.json", blob: new Blob([text], { type: "application/json" }) });
  };
  return (
    <section className="receipt" aria-label={t("receipt.title")} data-testid="receipt">
      <h3>{t("receipt.title")}</h3>
      <dl className="receipt-figures">
        <div>
          <dt>{t("receipt.time")}</dt>
          <dd className="num">
            {formatTime(total.startedAtMs, language)} – {formatTime(total.endedAtMs, language)}
            <span className="quiet"> · {formatDuration(total.endedAtMs - total.startedAtMs, language)}</span>
          </dd>
        </div>
        <div>
          <dt>{t("receipt.sent")}</dt>
          <dd className="num">
            {t("receipt.frames", {
              count: total.framesReceived,
              frames: formatNumber(total.framesReceived, language),
            })}
            <span className="quiet"> · {formatBytes(total.bytesReceived, language)}</span>
          </dd>
        </div>
        <div>
          <dt>{t("receipt.kept")}</dt>
          <dd className="num" data-testid="receipt-kept">
            {formatNumber(total.imagesKept, language)}
          </dd>
        </div>
      </dl>
      <button type="button" className="button button-small" onClick={save}>
        {t("receipt.download")}
      </button>
    </section>
  );
}

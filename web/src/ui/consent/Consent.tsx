import "./consent.css";
import { useTranslation } from "react-i18next";
import { noticeIn } from "../../engine/about";
import { formatBytes, formatNumber } from "../format";
import { useLive } from "../liveContext";
import { useStore } from "../useStore";

/** Before the camera starts: what happens to the images, where and for how long, by whom; and the question. */
export function Consent() {
  const { t } = useTranslation();
  const live = useLive();
  return (
    <div className="stage-message consent" data-testid="consent">
      <h2>{t("consent.title")}</h2>
      <Facts />
      <button type="button" className="button button-primary" onClick={() => live.startCamera()}>
        {t("consent.agree")}
      </button>
    </div>
  );
}

/** What people must know, for the question and for those who want to read it again. */
export function Facts() {
  const { t, i18n } = useTranslation();
  const { stores, settings } = useLive();
  const about = useStore(stores.about, (value) => value);
  const server = useStore(settings.values, (values) => values.server);
  const host = new URL(server ?? window.location.href).host;
  const kept = about?.kept_images ?? null;
  const corrections = about?.kept_corrections ?? null;
  const notice = about === null ? null : noticeIn(about, i18n.language);
  return (
    <>
      <p className="consent-lead">{t("consent.lead")}</p>
      <dl className="facts">
        <div>
          <dt>{t("consent.sent")}</dt>
          <dd>{t("consent.sent_what", { host })}</dd>
        </div>
        <div>
          <dt>{t("consent.kept")}</dt>
          <dd data-testid="images-kept">
            {about === null
              ? t("consent.kept_unknown")
              : kept === null
                ? t("consent.kept_none")
                : t("consent.kept_some", {
                    seconds: formatNumber(kept.every_s, i18n.language),
                    size: formatBytes(kept.max_bytes, i18n.language),
                  })}
            {corrections !== null && (
              <span data-testid="corrections-kept">
                {" "}
                {t("consent.kept_corrections", { size: formatBytes(corrections.max_bytes, i18n.language) })}
              </span>
            )}
          </dd>
        </div>
        <div>
          <dt>{t("consent.run_by")}</dt>
          <dd>
            {about?.operator ?? t("consent.nobody_named", { host })}
            {about !== null && <span className="quiet"> · {t("consent.model", { model: about.model })}</span>}
          </dd>
        </div>
      </dl>
      {notice !== null && (
        <p
          className="consent-notice"
          data-testid="operator-notice"
          lang={notice.language === "und" ? undefined : notice.language}
        >
          {notice.text}
        </p>
      )}
    </>
  );
}

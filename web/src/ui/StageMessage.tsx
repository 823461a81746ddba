import { useTranslation } from "react-i18next";
import { Consent } from "./consent/Consent";
import { Receipt } from "./consent/Receipt";
import { OtherSources } from "./sources/OtherSources";
import { sourceAdvice } from "./sources/sourceWords";
import { useLive } from "./liveContext";
import { useStore } from "./useStore";

/** In place of the picture: why there is none, and what to do. */
export function StageMessage() {
  const { t } = useTranslation();
  const live = useLive();
  const source = useStore(live.stores.source, (state) => state);
  const consent = useStore(live.stores.consent, (given) => given);
  switch (source.kind) {
    case "live":
      return null;
    case "off":
      if (!consent) return <Consent />;
      return (
        <div className="stage-message" role="status">
          <h2>{t("camera.off.title")}</h2>
          <p>{t("camera.off.advice")}</p>
          <button type="button" className="button button-primary" onClick={() => live.startCamera()}>
            {t("camera.start")}
          </button>
          <OtherSources />
          <Receipt />
        </div>
      );
    case "asking":
      return (
        <div className="stage-message" role="status">
          <h2>{t("camera.asking.title")}</h2>
          <p>{t("camera.asking.advice")}</p>
        </div>
      );
    case "problem": {
      const { title, advice, retry, detail } = sourceAdvice(source, t);
      return (
        <div className="stage-message" role="alert">
          <h2>{title}</h2>
          <p>{advice}</p>
          {detail !== null && <p className="quiet">{detail}</p>}
          {retry !== null && (
            <button type="button" className="button button-primary" onClick={() => live.startCamera()}>
              {retry}
            </button>
          )}
          <OtherSources />
        </div>
      );
    }
    default:
      return source satisfies never;
  }
}

import { useTranslation } from "react-i18next";
import { cameraAdvice } from "./cameraWords";
import { Consent } from "./consent/Consent";
import { Receipt } from "./consent/Receipt";
import { useLive } from "./liveContext";
import { useStore } from "./useStore";

/** In place of the picture: why there is none, and what to do. */
export function StageMessage() {
  const { t } = useTranslation();
  const live = useLive();
  const camera = useStore(live.stores.camera, (state) => state);
  const consent = useStore(live.stores.consent, (given) => given);
  switch (camera.kind) {
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
      const { title, advice, retry } = cameraAdvice(camera.problem, t);
      return (
        <div className="stage-message" role="alert">
          <h2>{title}</h2>
          <p>{advice}</p>
          {camera.problem === "failed" && camera.detail !== "" && <p className="quiet">{camera.detail}</p>}
          {retry !== null && (
            <button type="button" className="button button-primary" onClick={() => live.startCamera()}>
              {retry}
            </button>
          )}
        </div>
      );
    }
    default:
      return camera satisfies never;
  }
}

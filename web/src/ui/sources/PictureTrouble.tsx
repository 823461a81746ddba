import { useTranslation } from "react-i18next";
import { useLive } from "../liveContext";
import { useStore } from "../useStore";
import "./sources.css";

/** On the picture of a camera that is on and shows nothing: what is wrong, and what to do. */
export function PictureTrouble() {
  const { t } = useTranslation();
  const live = useLive();
  const trouble = useStore(live.stores.picture, (picture) => picture);
  if (trouble === null) return null;
  return (
    <div
      className="stage-message picture-trouble"
      role="alert"
      data-testid="picture-trouble"
      data-trouble={trouble}
    >
      <h2>{t(`sources.picture.${trouble}.title`)}</h2>
      <p>{t(`sources.picture.${trouble}.advice`)}</p>
      <button type="button" className="button button-primary" onClick={() => live.startCamera()}>
        {t("sources.picture.retry")}
      </button>
    </div>
  );
}

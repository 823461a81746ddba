import { useTranslation } from "react-i18next";
import { useLive } from "../liveContext";
import { OpenFileButton } from "./OpenFileButton";

/** Where there is no picture: what could be looked at instead of a camera. */
export function OtherSources() {
  const { t } = useTranslation();
  const live = useLive();
  return (
    <p className="other-sources">
      <OpenFileButton className="button button-small">{t("sources.file.open")}</OpenFileButton>
      <button type="button" className="button button-small" onClick={() => live.shareScreen()}>
        {t("sources.screen.share")}
      </button>
      <span className="quiet">{t("sources.file.or_drop")}</span>
    </p>
  );
}

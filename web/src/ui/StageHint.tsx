import { useTranslation } from "react-i18next";
import { useLive } from "./liveContext";
import { useStore } from "./useStore";

/** A line on the picture while there is nothing to frame in it. */
export function StageHint() {
  const { t } = useTranslation();
  const { stores } = useLive();
  const isLive = useStore(stores.source, (source) => source.kind === "live");
  const isBlank = useStore(stores.picture, (trouble) => trouble !== null);
  const detector = useStore(stores.detector, (status) => status);
  const hasFaces = useStore(stores.faces, (view) => view.faces.length > 0);
  if (!isLive || isBlank || hasFaces) return null;
  switch (detector.kind) {
    case "off":
    case "starting":
      return <p className="stage-hint">{t("stage.starting")}</p>;
    case "failed":
      return (
        <p className="stage-hint" role="alert">
          {t("stage.no_detector")}
        </p>
      );
    case "ready":
      return <p className="stage-hint">{t("stage.nobody")}</p>;
    default:
      return detector satisfies never;
  }
}

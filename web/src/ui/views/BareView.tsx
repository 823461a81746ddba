import "./views.css";
import { useTranslation } from "react-i18next";
import type { View } from "../../engine/settings/parameters";
import { EmotionPanel } from "../EmotionPanel";
import { FaceChips } from "../FaceChips";
import { useLive } from "../liveContext";
import { LiveRegion } from "../LiveRegion";
import { ShortcutList } from "../shortcuts/ShortcutList";
import { Stage } from "../Stage";
import { useStore } from "../useStore";
import { useWakeLock } from "./useWakeLock";

/** The page for others' screens: without header and instruments. What is shown of the rest is the style sheet's. */
export function BareView({ view }: { readonly view: Exclude<View, "page"> }) {
  const { t } = useTranslation();
  const { stores } = useLive();
  const operator = useStore(stores.about, (about) => about?.operator ?? null);
  const isLive = useStore(stores.source, (source) => source.kind === "live");
  useWakeLock(view === "kiosk");
  return (
    <main className={`view view-${view}`} data-live={isLive}>
      <h1 className="visually-hidden">Emostream</h1>
      <Stage />
      <div className="view-words">
        <EmotionPanel />
        {view === "panel" && <FaceChips />}
      </div>
      {view === "kiosk" && isLive && (
        <p className="view-notice">
          {operator === null ? t("views.notice") : t("views.notice_by", { operator })}
        </p>
      )}
      <ShortcutList />
      <LiveRegion />
    </main>
  );
}

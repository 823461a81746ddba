import { useTranslation } from "react-i18next";
import { announce } from "./announcementWords";
import { useLive } from "./liveContext";
import { useStore } from "./useStore";

/** Says what is seen, for screen readers; the store changes at most every two seconds. */
export function LiveRegion() {
  const words = useTranslation();
  const { stores } = useLive();
  const view = useStore(stores.announcement, (announcement) => announcement);
  return (
    <p className="visually-hidden" role="status" aria-live="polite" data-testid="live-region">
      {view === null ? "" : announce(view, words)}
    </p>
  );
}

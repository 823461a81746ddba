import { useLive } from "./liveContext";
import { useStore } from "./useStore";

/** Says what is seen, for screen readers; the store changes at most every two seconds. */
export function LiveRegion() {
  const { stores } = useLive();
  const text = useStore(stores.announcement, (announcement) => announcement);
  return (
    <p className="visually-hidden" role="status" aria-live="polite" data-testid="live-region">
      {text}
    </p>
  );
}

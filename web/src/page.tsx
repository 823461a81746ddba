import { createRoot } from "react-dom/client";
import { createLive } from "./engine/createLive";
import type { Settings } from "./engine/settings/settings";
import { startEmbedding } from "./engine/embed/embedding";
import type { Store } from "./engine/store";
import { App } from "./ui/App";
import { followAppearance } from "./ui/appearance";
import { LiveContext } from "./ui/liveContext";

/** How long the first picture of the page waits for what the server says of itself, in ms. */
const ABOUT_MS = 300;

/** Draws the page as its settings ask. */
export async function drawPage(settings: Settings): Promise<void> {
  const root = document.getElementById("root");
  if (root === null) throw new Error("the page has no #root");
  followAppearance(settings);

  const live = createLive(new URL(window.location.href), settings);
  const { start, view } = settings.values.get();
  if (start === "auto") live.startCamera();
  if (view === "embed" && window.parent !== window) startEmbedding(live, window);

  // Drawn before that, the question for the camera would grow, and move what is below it.
  await changeOf(live.stores.about, ABOUT_MS);
  createRoot(root).render(
    <LiveContext value={live}>
      <App />
    </LiveContext>,
  );
}

/** Resolves when a store changes, or after a time in ms. */
function changeOf(store: Pick<Store<unknown>, "subscribe">, timeoutMs: number): Promise<void> {
  return new Promise((resolve) => {
    const unsubscribe = store.subscribe(done);
    const timer = setTimeout(done, timeoutMs);
    function done(): void {
      unsubscribe();
      clearTimeout(timer);
      resolve();
    }
  });
}

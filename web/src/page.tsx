import { createRoot } from "react-dom/client";
import { createLive } from "./engine/createLive";
import type { Settings } from "./engine/settings/settings";
import { startEmbedding } from "./engine/embed/embedding";
import { App } from "./ui/App";
import { followAppearance } from "./ui/appearance";
import { LiveContext } from "./ui/liveContext";

/** Draws the page as its settings ask. */
export function drawPage(settings: Settings): void {
  const root = document.getElementById("root");
  if (root === null) throw new Error("the page has no #root");
  followAppearance(settings);

  const live = createLive(new URL(window.location.href), settings);
  const { start, view } = settings.values.get();
  if (start === "auto") live.startCamera();
  if (view === "embed" && window.parent !== window) startEmbedding(live, window);

  createRoot(root).render(
    <LiveContext value={live}>
      <App />
    </LiveContext>,
  );
}

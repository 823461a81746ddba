import i18next from "i18next";
import { createRoot } from "react-dom/client";
import { createLive } from "./engine/createLive";
import { App } from "./ui/App";
import { LiveContext } from "./ui/liveContext";

/** Draws the page as its address asks. */
export function drawPage(address: URL): void {
  const root = document.getElementById("root");
  if (root === null) throw new Error("the page has no #root");
  const showLanguage = () => {
    document.documentElement.lang = i18next.language;
    document.documentElement.dir = i18next.dir();
  };
  showLanguage();
  i18next.on("languageChanged", showLanguage);

  const live = createLive(address);
  live.startCamera();

  createRoot(root).render(
    <LiveContext value={live}>
      <App />
    </LiveContext>,
  );
}

import { useCallback } from "react";
import { useTranslation } from "react-i18next";
import { ConnectionStatus } from "./ConnectionStatus";
import { useLive } from "./liveContext";
import { SettingsPanel } from "./settings/SettingsPanel";
import { useShortcut } from "./shortcuts/shortcuts";
import { SourceControls } from "./sources/SourceControls";
import { useStore } from "./useStore";

export function Header() {
  const { t } = useTranslation();
  const { stores } = useLive();
  const model = useStore(stores.session, (session) => session?.model ?? null);
  const fullscreen = useCallback(() => void toggleFullscreen(), []);
  useShortcut("f", t("shortcuts.fullscreen"), fullscreen);
  return (
    <header className="header">
      <h1 className="brand">
        <BrandMark />
        Emostream
      </h1>
      {model !== null && (
        <p className="header-model">
          {model.name} <span className="quiet">{t("model.reads", { count: model.labels.length })}</span>
        </p>
      )}
      <div className="header-controls">
        <ConnectionStatus />
        <SettingsPanel />
        <SourceControls />
      </div>
    </header>
  );
}

async function toggleFullscreen(): Promise<void> {
  try {
    if (document.fullscreenElement === null) await document.documentElement.requestFullscreen();
    else await document.exitFullscreen();
  } catch {
    // A frame or a phone may forbid it: then the page stays as it is.
  }
}

function BrandMark() {
  return (
    <svg className="brand-mark" viewBox="0 0 32 32" aria-hidden="true">
      <path
        className="brand-corners"
        d="M5 11V8a3 3 0 0 1 3-3h3M21 5h3a3 3 0 0 1 3 3v3M27 21v3a3 3 0 0 1-3 3h-3M11 27H8a3 3 0 0 1-3-3v-3"
      />
      <path className="brand-wave" d="M9.5 17.5c2 0 2.2-4.5 4-4.5s2.2 8 4.2 8 2-5.5 4.8-5.5" />
    </svg>
  );
}

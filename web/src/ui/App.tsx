import { lazy, Suspense, useState } from "react";
import { Correction } from "./correction/Correction";
import { DetectorDetails } from "./DetectorDetails";
import { EmotionPanel } from "./EmotionPanel";
import { FaceChips } from "./FaceChips";
import { Header } from "./Header";
import { Instruments } from "./Instruments";
import { LiveRegion } from "./LiveRegion";
import { DropZone } from "./sources/DropZone";
import { SettingsNotice } from "./settings/SettingsNotice";
import { ShortcutList } from "./shortcuts/ShortcutList";
import { Stage } from "./Stage";
import { useLive } from "./liveContext";
import { useStore } from "./useStore";
import { BareView } from "./views/BareView";

// Not needed for the first picture of the page.
const Dock = lazy(async () => ({ default: (await import("./timeline/Dock")).Dock }));
const SessionsDialog = lazy(async () => ({
  default: (await import("./session/SessionsDialog")).SessionsDialog,
}));

export function App() {
  const view = useStore(useLive().settings.values, (settings) => settings.view);
  return view === "page" ? <WholePage /> : <BareView view={view} />;
}

function WholePage() {
  const [isListOpen, setIsListOpen] = useState(false);
  return (
    <div className="page">
      <Header />
      <SettingsNotice />
      <main className="bench">
        <div className="bench-view">
          <Stage />
          <div className="bench-under">
            <FaceChips />
            <Instruments />
          </div>
        </div>
        <div className="bench-panel">
          <EmotionPanel />
          <Correction />
        </div>
      </main>
      <div className="dock">
        <Suspense>
          <Dock onList={() => setIsListOpen(true)} />
        </Suspense>
      </div>
      <DetectorDetails />
      <ShortcutList />
      <LiveRegion />
      <DropZone />
      <Suspense>{isListOpen && <SessionsDialog onClose={() => setIsListOpen(false)} />}</Suspense>
    </div>
  );
}

import { DetectorDetails } from "./DetectorDetails";
import { EmotionPanel } from "./EmotionPanel";
import { FaceChips } from "./FaceChips";
import { Header } from "./Header";
import { Instruments } from "./Instruments";
import { IntervalNotice } from "./IntervalNotice";
import { LiveRegion } from "./LiveRegion";
import { SessionControls } from "./SessionControls";
import { Stage } from "./Stage";
import { Trace } from "./Trace";

export function App() {
  return (
    <div className="page">
      <Header />
      <IntervalNotice />
      <main className="bench">
        <div className="bench-view">
          <Stage />
          <FaceChips />
          <Instruments />
        </div>
        <div className="bench-panel">
          <EmotionPanel />
          <Trace />
          <SessionControls />
        </div>
      </main>
      <DetectorDetails />
      <LiveRegion />
    </div>
  );
}

// Runs in a page of Vite's development server: see dashboard_hour.py.

// What Vite puts into its own pages for React's fast refresh: components do not load without it.
const { default: refresh } = await import("/@react-refresh");
refresh.injectIntoGlobalHook(window);
Object.assign(window, {
  $RefreshReg$: () => {},
  $RefreshSig$: () => (type) => type,
  __vite_plugin_react_preamble_installed__: true,
});

const [{ SessionDatabase }, { Sessions }, { exportSession, exportSourceOf }, { TimelineView }, { default: react }, { default: client }, { default: dom }, words] =
  await Promise.all([
    import("/src/engine/recording/database.ts"),
    import("/src/engine/recording/sessions.ts"),
    import("/src/engine/export/exportSession.ts"),
    import("/src/ui/timeline/TimelineView.tsx"),
    import("/@id/react"),
    import("/@id/react-dom/client"),
    import("/@id/react-dom"),
    import("/src/i18n/i18n.ts"),
  ]);
await import("/src/ui/styles/index.css");
await words.startWords("en");

const LABELS = ["anger", "disgust", "fear", "happiness", "neutral", "sadness", "surprise"];
const START_MS = 1_790_000_000_000;
let nowMs = START_MS;

const sessions = new Sessions(new SessionDatabase(`bench-${Date.now()}`), {
  now: () => nowMs,
  newId: () => crypto.randomUUID(),
  hold: () => () => {},
  heldNames: async () => new Set(),
  storage: async () => ({ usedBytes: null, quotaBytes: null, isPersistent: false }),
  persist: async () => {},
  record: () => {
    throw new Error("no video here");
  },
  streamTo: () => {
    throw new Error("no stream here");
  },
});
sessions.onSettings({ model: "made", labels: LABELS, smoothing: 0, intervalMs: 100, source: null });
await sessions.record("An hour");

const root = client.createRoot(document.body.appendChild(document.createElement("div")));
const longTasks = [];
new PerformanceObserver((list) => longTasks.push(...list.getEntries().map(({ duration }) => duration))).observe({
  entryTypes: ["longtask"],
});
const redraws = [];

/** Six faces whose emotions turn slowly, each at its own pace. */
function answer(frame) {
  const faces = [1, 2, 3, 4, 5, 6].map((face_id) => {
    const weights = LABELS.map((_, label) => Math.exp(2 * Math.sin(frame / (40 + 17 * face_id) + label * 1.7)));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    const predictions = Object.fromEntries(
      LABELS.map((label, at) => [label, Math.round((10_000 * weights[at]) / total) / 10_000]),
    );
    const emotion = LABELS.reduce((best, label) => (predictions[label] > predictions[best] ? label : best));
    const quality = { sharpness: 0.5, brightness: 0.4, size_px: 120, roll_deg: 0, yaw_deg: 0, pitch_deg: 0, visible: 1 };
    return { face_id, box: [80 * face_id, 100, 70, 70], emotion, confidence: predictions[emotion], predictions, quality, uncertain: false, reasons: [] };
  });
  return { type: "result", frame_id: frame, captured_at: nowMs, faces, timing: {} };
}

const nextTask = () => new Promise((resolve) => setTimeout(resolve, 0));
const nextPicture = () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));

async function redraw(lengthMs) {
  const span = { fromMs: nowMs - lengthMs, toMs: nowMs };
  const started = performance.now();
  dom.flushSync(() =>
    root.render(
      react.createElement(TimelineView, {
        timeline: sessions.timeline,
        events: sessions.recorder.view.get().events,
        span,
        within: { fromMs: START_MS, toMs: nowMs },
        originMs: START_MS,
        intervalMs: 100,
        onSpan: () => {},
        onRename: () => {},
      }),
    ),
  );
  const spent = performance.now() - started;
  await nextPicture();
  redraws.push(spent);
}

window.bench = {
  /** Feeds simulated minutes; redraws the last minute, and all of the time, every ten seconds of them. */
  minutes: async (count) => {
    for (let second = 0; second < 60 * count; second++) {
      for (let frame = 0; frame < 10; frame++) {
        nowMs += 100;
        sessions.onResult(answer((nowMs - START_MS) / 100), nowMs);
      }
      await sessions.recorder.keep();
      await nextTask();
      if (second % 10 === 0) await redraw(second % 20 === 0 ? 60_000 : nowMs - START_MS);
    }
  },
  export: async (format) => {
    await sessions.recorder.keep();
    const source = await exportSourceOf(sessions.database, sessions.recorder.sessionId);
    const started = performance.now();
    const { blob } = await exportSession(source, format);
    const seconds = (performance.now() - started) / 1000;
    let lines = 0;
    const reader = blob.stream().getReader();
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      for (const byte of part.value) lines += byte === 10 ? 1 : 0;
    }
    return { seconds, lines, megabytes: blob.size / 1e6, rows: source.session.rows, kept: source.session.bytes / 1e6 };
  },
  takeLongTasks: () => longTasks.splice(0),
  redraws: () => redraws,
};
document.title = "ready";

import type { BackendReport } from "../detection/backends";
import type { DetectorStatus } from "../detection/detectorKeeper";
import { formatMs } from "./format";
import { useLive } from "./liveContext";
import { useStore } from "./useStore";

/** How faces are found in this browser, with the measurements that chose the backend. */
export function DetectorDetails() {
  const { stores, interval } = useLive();
  const detector = useStore(stores.detector, (status) => status);
  const streamError = useStore(stores.streamError, (error) => error);
  return (
    <details className="details" data-testid="details">
      <summary>Details</summary>
      <div className="details-body">
        <section>
          <h2>Face detection</h2>
          <p className="quiet">{summary(detector)}</p>
          <BackendTable detector={detector} />
        </section>
        <section>
          <h2>Stream</h2>
          <p className="quiet">
            One frame every <span className="num">{interval.intervalMs}</span> ms, set by{" "}
            <code>?interval=</code> in the address.
          </p>
          {streamError !== null && (
            <p className="quiet">
              Latest refusal by the server: <code>{streamError.code}</code>, {streamError.message}
            </p>
          )}
          <LatestDetection />
        </section>
      </div>
    </details>
  );
}

function LatestDetection() {
  const { stores } = useLive();
  // Read with the readings, four times a second, and not with every frame.
  useStore(stores.readings, (readings) => readings);
  return (
    <p className="quiet">
      The latest detection took <span className="num">{formatMs(stores.detectMs.get())}</span> ms.
    </p>
  );
}

function BackendTable({ detector }: { readonly detector: DetectorStatus }) {
  const reports = reportsOf(detector);
  if (reports.length === 0) return null;
  const active = detector.kind === "ready" ? detector.backend : null;
  return (
    <table className="backends" data-testid="backends">
      <thead>
        <tr>
          <th scope="col">Backend</th>
          <th scope="col">Start</th>
          <th scope="col">Per frame</th>
          <th scope="col">&nbsp;</th>
        </tr>
      </thead>
      <tbody>
        {reports.map((report) => (
          <tr key={report.backend} data-backend={report.backend}>
            <th scope="row">{report.backend}</th>
            {report.kind === "measured" ? (
              <>
                <td className="num">{formatMs(report.startMs)} ms</td>
                <td className="num">{formatMs(report.medianMs)} ms</td>
                <td>{report.backend === active ? "in use" : ""}</td>
              </>
            ) : (
              <td colSpan={3}>not usable: {report.reason}</td>
            )}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function reportsOf(detector: DetectorStatus): readonly BackendReport[] {
  switch (detector.kind) {
    case "off":
      return [];
    case "starting":
    case "ready":
    case "failed":
      return detector.reports;
    default:
      return detector satisfies never;
  }
}

function summary(detector: DetectorStatus): string {
  switch (detector.kind) {
    case "off":
      return "Not started.";
    case "starting":
      return "Measuring which way of computing is fastest here…";
    case "ready":
      return `BlazeFace runs in this browser, in ${detector.where === "worker" ? "a worker" : "the page itself"}, on ${detector.backend}: the fastest of these, as measured here.`;
    case "failed":
      return "No way of computing works in this browser.";
    default:
      return detector satisfies never;
  }
}

import type { TFunction } from "i18next";
import { useTranslation } from "react-i18next";
import type { BackendReport } from "../detection/backends";
import type { DetectorStatus } from "../detection/detectorKeeper";
import { formatMs } from "./format";
import { EngineReadings } from "./Instruments";
import { useLive } from "./liveContext";
import { RateReading } from "./settings/RateReading";
import { useStore } from "./useStore";

/** How faces are found in this browser, with the measurements that chose the backend. */
export function DetectorDetails() {
  const { t } = useTranslation();
  const { stores, settings } = useLive();
  const interval = useStore(settings.values, (values) => values.interval);
  const detector = useStore(stores.detector, (status) => status);
  const streamError = useStore(stores.streamError, (error) => error);
  return (
    <section className="details" aria-label={t("details.title")}>
      <details data-testid="details">
        <summary>{t("details.title")}</summary>
        <div className="details-body">
          <section>
            <h2>{t("details.detection.title")}</h2>
            <p className="quiet">{summary(detector, t)}</p>
            <BackendTable detector={detector} />
            <LatestDetection />
          </section>
          <section>
            <h2>{t("details.stream.title")}</h2>
            <p className="quiet num">{t("details.stream.interval", { ms: interval })}</p>
            <p className="quiet num">
              <RateReading />
            </p>
            <EngineReadings />
            {streamError !== null && (
              <p className="quiet">
                {t("details.stream.refusal", { code: streamError.code, message: streamError.message })}
              </p>
            )}
          </section>
        </div>
      </details>
    </section>
  );
}

function LatestDetection() {
  const { t, i18n } = useTranslation();
  const { stores } = useLive();
  const { detectMs } = useStore(stores.readings, (readings) => readings);
  return (
    <p className="quiet num" data-testid="detect-ms">
      {t("details.detection.latest", { ms: formatMs(detectMs, i18n.language) })}
    </p>
  );
}

function BackendTable({ detector }: { readonly detector: DetectorStatus }) {
  const { t, i18n } = useTranslation();
  const reports = reportsOf(detector);
  if (reports.length === 0) return null;
  const active = detector.kind === "ready" ? detector.backend : null;
  return (
    <table className="backends" data-testid="backends">
      <thead>
        <tr>
          <th scope="col">{t("details.detection.backend")}</th>
          <th scope="col">{t("details.detection.start")}</th>
          <th scope="col">{t("details.detection.per_frame")}</th>
          <th scope="col">{t("details.detection.use")}</th>
        </tr>
      </thead>
      <tbody>
        {reports.map((report) => (
          <tr key={report.backend} data-backend={report.backend}>
            <th scope="row">{report.backend}</th>
            {report.kind === "measured" ? (
              <>
                <td className="num">{formatMs(report.startMs, i18n.language)} ms</td>
                <td className="num">{formatMs(report.medianMs, i18n.language)} ms</td>
                <td>{report.backend === active ? t("details.detection.in_use") : ""}</td>
              </>
            ) : (
              <td colSpan={3}>{t("details.detection.not_usable", { reason: report.reason })}</td>
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

function summary(detector: DetectorStatus, t: TFunction): string {
  switch (detector.kind) {
    case "off":
      return t("details.detection.off");
    case "starting":
      return t("details.detection.starting");
    case "ready":
      return t(`details.detection.ready_${detector.where === "worker" ? "worker" : "page"}`, {
        backend: detector.backend,
      });
    case "failed":
      return t("details.detection.failed");
    default:
      return detector satisfies never;
  }
}

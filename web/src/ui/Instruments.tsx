import { useTranslation } from "react-i18next";
import { formatMs, formatNumber } from "./format";
import { useLive } from "./liveContext";
import { useStore } from "./useStore";

/** Under the picture: how often answers come, and how old they are. The engine's figures are in Details. */
export function Instruments() {
  const { t, i18n } = useTranslation();
  const { stores } = useLive();
  const { answersPerSecond, ageMs } = useStore(stores.readings, (readings) => readings);
  return (
    <dl className="instruments" aria-label={t("instruments.title")}>
      <Reading
        name={t("instruments.answers")}
        unit="/s"
        value={formatNumber(answersPerSecond, i18n.language, 1)}
        testId="fps"
      />
      <Reading
        name={t("instruments.delay")}
        unit="ms"
        value={formatMs(ageMs, i18n.language)}
        testId="latency"
        hint={t("instruments.delay_hint")}
      />
    </dl>
  );
}

/** What the latest answer took in the server. */
export function EngineReadings() {
  const { t, i18n } = useTranslation();
  const { stores } = useLive();
  const { timing } = useStore(stores.readings, (readings) => readings);
  return (
    <dl className="instruments" aria-label={t("instruments.engine")}>
      <Reading name={t("instruments.queue")} unit="ms" value={formatMs(timing?.queue_ms, i18n.language)} />
      <Reading
        name={t("instruments.inference")}
        unit="ms"
        value={formatMs(timing?.inference_ms, i18n.language)}
      />
      <Reading
        name={t("instruments.batch")}
        unit=""
        value={formatNumber(timing?.batch_size, i18n.language)}
      />
    </dl>
  );
}

interface ReadingProps {
  readonly name: string;
  readonly value: string;
  readonly unit: string;
  readonly testId?: string;
  readonly hint?: string;
}

function Reading({ name, value, unit, testId, hint }: ReadingProps) {
  return (
    <div className="reading" title={hint}>
      <dt>{name}</dt>
      <dd>
        <span className="reading-value num" data-testid={testId}>
          {value}
        </span>
        <span className="reading-unit"> {unit}</span>
      </dd>
    </div>
  );
}

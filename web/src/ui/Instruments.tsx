import { formatMs } from "./format";
import { useLive } from "./liveContext";
import { useStore } from "./useStore";

export function Instruments() {
  const { stores } = useLive();
  const { answersPerSecond, ageMs, timing } = useStore(stores.readings, (readings) => readings);
  return (
    <dl className="instruments" aria-label="Measurements">
      <Reading name="Answers" unit="/s" value={answersPerSecond?.toFixed(1) ?? "–"} testId="fps" />
      <Reading
        name="Delay"
        unit="ms"
        value={formatMs(ageMs)}
        testId="latency"
        hint="From the camera to the screen"
      />
      <Reading name="Queue" unit="ms" value={formatMs(timing?.queue_ms)} />
      <Reading name="Inference" unit="ms" value={formatMs(timing?.inference_ms)} />
      <Reading name="Batch" unit="" value={timing === null ? "–" : String(timing.batch_size)} />
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

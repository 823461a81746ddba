/** What part of time is shown, as Unix times in ms. */
export interface TimeSpan {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Less is not shown: a row every tenth of a second has no more in it. */
export const MIN_SPAN_MS = 5000;

/** Steps of the ruler, in s: those that clocks have. */
const STEPS_S = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 28_800, 86_400];

/** Zooms around a moment. @param factor below 1 shows less @param within nothing else is shown */
export function zoomed(span: TimeSpan, aroundMs: number, factor: number, within: TimeSpan): TimeSpan {
  const longest = Math.max(MIN_SPAN_MS, within.toMs - within.fromMs);
  const length = Math.min(Math.max((span.toMs - span.fromMs) * factor, MIN_SPAN_MS), longest);
  const share = (aroundMs - span.fromMs) / (span.toMs - span.fromMs);
  return moved({ fromMs: aroundMs - share * length, toMs: aroundMs + (1 - share) * length }, 0, within);
}

/** Moves by a time, but not beyond what there is. */
export function moved({ fromMs, toMs }: TimeSpan, byMs: number, within: TimeSpan): TimeSpan {
  const length = toMs - fromMs;
  const latest = Math.max(within.fromMs, within.toMs - length);
  const from = Math.min(Math.max(fromMs + byMs, within.fromMs), latest);
  return { fromMs: from, toMs: from + length };
}

/** Moments for a ruler, in s since the beginning, about so many. */
export function rulerS(fromS: number, toS: number, count: number): readonly number[] {
  const step = STEPS_S.find((candidate) => (toS - fromS) / candidate <= count) ?? 86_400;
  const first = Math.ceil(fromS / step) * step;
  const moments: number[] = [];
  for (let at = first; at <= toS; at += step) moments.push(at);
  return moments;
}

/** A duration as people read it: 0:07, 3:20, 1:02:03. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds + 1e-6));
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const tail = String(whole % 60).padStart(2, "0");
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, "0")}:${tail}` : `${minutes}:${tail}`;
}

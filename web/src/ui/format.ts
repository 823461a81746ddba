import type { i18n, TFunction } from "i18next";
import { emotionNameOf } from "./palette";

/** A probability in [0, 1] as whole per cent, 0 to 100. */
export function toPercent(probability: number): number {
  return Math.round(100 * Math.min(Math.max(probability, 0), 1));
}

/** The same with its sign, as the language writes it. */
export function formatPercent(probability: number, language: string): string {
  return numberFormat(language, 0, "percent").format(toPercent(probability) / 100);
}

/** With so many decimals; a dash where the number is unknown. */
export function formatNumber(value: number | null | undefined, language: string, decimals = 0): string {
  if (value === null || value === undefined) return "–";
  return numberFormat(language, decimals, "decimal").format(value);
}

/** A duration in ms, with a decimal where it is short; a dash where it is unknown. */
export function formatMs(ms: number | null | undefined, language: string): string {
  return formatNumber(ms, language, ms !== null && ms !== undefined && ms < 10 ? 1 : 0);
}

/** A size in bytes, in units of 1000. */
export function formatBytes(bytes: number, language: string): string {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"] as const;
  const step = bytes < 1 ? 0 : Math.min(Math.floor(Math.log10(bytes) / 3), units.length - 1);
  const value = bytes / 1000 ** step;
  return new Intl.NumberFormat(language, {
    style: "unit",
    unit: units[step] ?? "byte",
    unitDisplay: step === 0 ? "long" : "short",
    maximumFractionDigits: value < 10 && step > 0 ? 1 : 0,
  }).format(value);
}

/** A time of day, from Unix time in ms. */
export function formatTime(unixMs: number, language: string): string {
  return new Intl.DateTimeFormat(language, { timeStyle: "medium" }).format(unixMs);
}

/** Whole minutes, or seconds where it is less than two minutes. */
export function formatDuration(ms: number, language: string): string {
  const isShort = ms < 120_000;
  return new Intl.NumberFormat(language, {
    style: "unit",
    unit: isShort ? "second" : "minute",
    unitDisplay: "short",
    maximumFractionDigits: 0,
  }).format(ms / (isShort ? 1000 : 60_000));
}

/** A label in the page's language; as the server says it where the language has no other word for it. */
export function emotionWord(
  label: string,
  { t, i18n }: { readonly t: TFunction; readonly i18n: i18n },
): string {
  const name = emotionNameOf(label);
  if (name === null || !i18n.exists(`emotions.${name}`)) return label;
  const word = t(`emotions.${name}` as "emotions.neutral");
  return word === name ? label : word;
}

const formats = new Map<string, Intl.NumberFormat>();

/** The language is always given: what a browser takes for its own need not be one. */
function numberFormat(language: string, decimals: number, style: "decimal" | "percent"): Intl.NumberFormat {
  const key = `${language} ${decimals} ${style}`;
  let format = formats.get(key);
  if (format === undefined) {
    format = new Intl.NumberFormat(language, {
      style,
      minimumFractionDigits: decimals,
      maximumFractionDigits: decimals,
      useGrouping: false,
    });
    formats.set(key, format);
  }
  return format;
}

import type { i18n, TFunction } from "i18next";
import type { Answer } from "../engine/faces";
import { emotionWord } from "./format";

/** What is said of an answer that should not be believed. */
export interface DoubtWords {
  /** "Unsure: too dark" */
  readonly unsure: string;
  /** "too dark" */
  readonly why: string;
  /** The two likeliest labels: "happiness or fear" */
  readonly guess: string;
}

/** Null for an answer that may be believed. */
export function doubtWords(
  { uncertain, reasons = [], emotion, predictions }: Answer,
  words: { readonly t: TFunction; readonly i18n: i18n },
): DoubtWords | null {
  if (uncertain !== true) return null;
  const { t } = words;
  const why = reasons.map((reason) => reasonWords(reason, words)).join(", ");
  const other = nextBest(emotion, predictions);
  return {
    unsure: why === "" ? t("quality.unsure") : t("quality.unsure_why", { why }),
    why,
    guess:
      other === null
        ? emotionWord(emotion, words)
        : t("quality.guess", { emotion: emotionWord(emotion, words), other: emotionWord(other, words) }),
  };
}

/** A newer server may know more reasons: those are said as they are. */
function reasonWords(reason: string, { t, i18n }: { readonly t: TFunction; readonly i18n: i18n }): string {
  return i18n.exists(`quality.reason.${reason}`)
    ? t(`quality.reason.${reason}` as "quality.reason.dark")
    : reason.replaceAll("_", " ");
}

function nextBest(emotion: string, predictions: Answer["predictions"]): string | null {
  let best: string | null = null;
  for (const [label, probability] of Object.entries(predictions)) {
    if (label !== emotion && (best === null || probability > (predictions[best] ?? 0))) best = label;
  }
  return best;
}

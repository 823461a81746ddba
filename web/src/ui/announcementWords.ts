import type { i18n, TFunction } from "i18next";
import type { FacesView } from "../engine/faces";
import { doubtWords } from "./doubtWords";
import { emotionWord } from "./format";

/** The picture in one sentence, for those who hear the page. */
export function announce(
  { faces, selectedId, seenCount }: FacesView,
  words: { readonly t: TFunction; readonly i18n: i18n },
): string {
  const { t } = words;
  const fresh = faces.filter((face) => face.fresh);
  if (seenCount === 0) return t("announcement.nobody");
  if (fresh.length === 0) return t("announcement.no_emotion", { count: seenCount });
  const selected = fresh.find((face) => face.faceId === selectedId) ?? fresh[0];
  const label = selected?.answer?.emotion;
  const doubt = selected?.answer ? doubtWords(selected.answer, words) : null;
  const emotion =
    doubt !== null
      ? t("quality.spoken", { ...doubt })
      : label === undefined
        ? t("emotion.unknown")
        : emotionWord(label, words);
  return seenCount === 1
    ? t("announcement.emotion_of_one", { emotion })
    : t("announcement.emotion_of_several", { count: seenCount, faceId: selected?.faceId, emotion });
}

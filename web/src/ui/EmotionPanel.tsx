import type { TFunction } from "i18next";
import type { CSSProperties } from "react";
import { useTranslation } from "react-i18next";
import type { Answer, FacesView } from "../engine/faces";
import { doubtWords } from "./doubtWords";
import { emotionWord, formatPercent, toPercent } from "./format";
import { useLive } from "./liveContext";
import { colourOf, STALE_COLOUR } from "./palette";
import { useStore } from "./useStore";

const NO_LABELS: readonly string[] = [];

/** The selected face's emotion, and a bar for each of the labels that the server names. */
export function EmotionPanel() {
  const { t } = useTranslation();
  const { stores, settings } = useLive();
  const interval = useStore(settings.values, (values) => values.interval);
  const view = useStore(stores.faces, (faces) => faces);
  const named = useStore(stores.about, (about) => about?.labels ?? NO_LABELS);
  const labels = useStore(stores.session, (session) => session?.model.labels ?? named);
  const isOn = useStore(stores.source, (source) => source.kind === "live");
  const answer = shownAnswer(view);
  const colour = answer === null ? STALE_COLOUR : colourOf(headlineOf(answer), labels);
  const style = { "--emotion": colour, "--answer-interval": `${Math.min(interval, 250)}ms` };
  return (
    <section
      className="emotion"
      aria-label={t("emotion.title")}
      data-stale={answer === null}
      data-uncertain={answer?.uncertain === true}
      style={style as CSSProperties}
    >
      <p className="emotion-face quiet">{isOn ? caption(view, t) : t("camera.off.title")}</p>
      <Headline answer={answer} />
      {answer !== null && <Doubt answer={answer} />}
      {labels.length === 0 ? (
        <p className="quiet">{t("emotion.no_labels")}</p>
      ) : (
        <BarList labels={labels} answer={answer} />
      )}
    </section>
  );
}

export function Headline({ answer }: { readonly answer: Answer | null }) {
  const words = useTranslation();
  const emotion = answer === null ? null : headlineOf(answer);
  return (
    <p className="emotion-headline">
      <span className="emotion-name label" data-testid="dominant-emotion" data-emotion={emotion ?? undefined}>
        {emotion === null ? "–" : emotionWord(emotion, words)}
      </span>
      {answer !== null && emotion !== null && (
        <span className="emotion-confidence num">
          {formatPercent(answer.predictions[emotion] ?? answer.confidence, words.i18n.language)}
        </span>
      )}
    </p>
  );
}

/** Why the emotion should not be believed, and what else it may be; nothing where it may be believed. */
export function Doubt({ answer }: { readonly answer: Answer }) {
  const doubt = doubtWords(answer, useTranslation());
  if (doubt === null) return null;
  return (
    <p className="emotion-doubt" data-testid="doubt">
      {doubt.unsure} <span className="quiet">{doubt.guess}</span>
    </p>
  );
}

interface BarListProps {
  readonly labels: readonly string[];
  readonly answer: Answer | null;
}

export function BarList({ labels, answer }: BarListProps) {
  return (
    <ul className="bars">
      {labels.map((label) => (
        <EmotionBar
          key={label}
          label={label}
          labels={labels}
          probability={answer === null ? null : (answer.predictions[label] ?? 0)}
          leading={label === answer?.emotion}
        />
      ))}
    </ul>
  );
}

interface EmotionBarProps {
  readonly label: string;
  /** All of the model's. */
  readonly labels: readonly string[];
  /** In [0, 1]; null where nothing current is known. */
  readonly probability: number | null;
  readonly leading: boolean;
}

function EmotionBar({ label, labels, probability, leading }: EmotionBarProps) {
  const word = emotionWord(label, useTranslation());
  const percent = toPercent(probability ?? 0);
  return (
    <li
      className="bar"
      data-leading={leading}
      style={{ "--emotion": colourOf(label, labels) } as CSSProperties}
    >
      <span className="bar-label label" aria-hidden="true">
        {word}
      </span>
      <div
        className="bar-track"
        role="progressbar"
        aria-label={word}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={percent}
        data-testid={`emotion-bar-${label}`}
      >
        <div className="bar-fill" style={{ transform: `scaleX(${probability ?? 0})` }} />
      </div>
      <span className="bar-value num" aria-hidden="true">
        {probability === null ? "–" : percent}
      </span>
    </li>
  );
}

function headlineOf({ headline, emotion }: Answer): string {
  return headline ?? emotion;
}

function shownAnswer({ faces, selectedId }: FacesView): Answer | null {
  const face = faces.find((candidate) => candidate.faceId === selectedId);
  return face !== undefined && (face.fresh || face.held) ? face.answer : null;
}

function caption({ seenCount, selectedId: faceId, chosenId }: FacesView, t: TFunction): string {
  if (faceId === null) return t("faces.nobody");
  if (seenCount <= 1) return t("faces.face", { faceId });
  return chosenId === null
    ? t("faces.face_largest", { faceId, count: seenCount })
    : t("faces.face_chosen", { faceId });
}

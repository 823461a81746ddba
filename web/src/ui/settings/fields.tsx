import type { ReactNode } from "react";

interface FieldProps<T> {
  readonly name: string;
  readonly label: string;
  readonly hint?: ReactNode;
  readonly value: T;
  readonly onChange: (value: T) => void;
}

interface SliderProps extends FieldProps<number> {
  readonly min: number;
  readonly max: number;
  readonly step: number;
  /** The value in words. */
  readonly shown: string;
}

export function Slider({ name, label, hint, value, onChange, min, max, step, shown }: SliderProps) {
  const id = `setting-${name}`;
  return (
    <div className="field field-slider">
      <label htmlFor={id}>{label}</label>
      <output className="num" htmlFor={id}>
        {shown}
      </output>
      <input
        id={id}
        type="range"
        min={min}
        max={max}
        step={step}
        value={value}
        aria-valuetext={shown}
        aria-describedby={hint === undefined ? undefined : `${id}-hint`}
        onChange={(event) => onChange(event.target.valueAsNumber)}
      />
      {hint !== undefined && (
        <p id={`${id}-hint`} className="field-hint">
          {hint}
        </p>
      )}
    </div>
  );
}

interface ChoiceProps<T extends string> extends FieldProps<T> {
  readonly options: readonly { readonly value: T; readonly words: string }[];
}

export function Choice<T extends string>({ name, label, value, onChange, options }: ChoiceProps<T>) {
  const id = `setting-${name}`;
  return (
    <div className="field field-line">
      <label htmlFor={id}>{label}</label>
      <select
        id={id}
        className="select"
        value={value}
        onChange={({ target }) => {
          const chosen = options.find((option) => option.value === target.value);
          if (chosen !== undefined) onChange(chosen.value);
        }}
      >
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.words}
          </option>
        ))}
      </select>
    </div>
  );
}

export function Switch({ name, label, value, onChange }: FieldProps<boolean>) {
  const id = `setting-${name}`;
  return (
    <div className="field field-line">
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        type="checkbox"
        role="switch"
        className="switch"
        checked={value}
        onChange={(event) => onChange(event.target.checked)}
      />
    </div>
  );
}

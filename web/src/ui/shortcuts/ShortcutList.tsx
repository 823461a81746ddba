import "./shortcuts.css";
import { useCallback, useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { useStore } from "../useStore";
import { shortcutFor, shortcuts, useShortcut } from "./shortcuts";

/** Listens to the keyboard, and shows on `?` what each key does. */
export function ShortcutList() {
  const { t } = useTranslation();
  const all = useStore(shortcuts, (value) => value);
  const dialog = useRef<HTMLDialogElement>(null);
  const toggle = useCallback(() => {
    if (dialog.current?.open === true) dialog.current.close();
    else if (document.querySelector("dialog[open]") === null) dialog.current?.showModal();
  }, []);
  useShortcut("?", t("shortcuts.list"), toggle);

  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const shortcut = shortcutFor(event, shortcuts.get());
      if (shortcut === null) return;
      // Behind a dialog nothing is to happen; the key that shows it hides it.
      if (document.querySelector("dialog[open]") !== null && shortcut.key !== "?") return;
      event.preventDefault();
      shortcut.run();
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, []);

  return (
    <dialog ref={dialog} className="dialog" aria-labelledby="shortcuts-title" data-testid="shortcuts">
      <h2 id="shortcuts-title">{t("shortcuts.title")}</h2>
      <dl className="shortcuts">
        {all.map(({ key, words }) => (
          <div key={key}>
            <dt>
              <kbd>{key.length === 1 ? key.toUpperCase() : key}</kbd>
            </dt>
            <dd>{words}</dd>
          </div>
        ))}
      </dl>
      <form method="dialog">
        <button type="submit" className="button">
          {t("shortcuts.close")}
        </button>
      </form>
    </dialog>
  );
}

import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { useLive } from "../liveContext";
import "./sources.css";

/** Takes a video or an image that is dropped anywhere on the page. */
export function DropZone() {
  const { t } = useTranslation();
  const live = useLive();
  const [isOver, setIsOver] = useState(false);

  useEffect(() => {
    const listening = new AbortController();
    const listen = (event: "dragover" | "dragleave" | "drop", listener: (event: DragEvent) => void) =>
      window.addEventListener(event, listener, { signal: listening.signal });
    listen("dragover", (event) => {
      if (event.dataTransfer?.types.includes("Files") !== true) return;
      // Without this the browser would leave the page for the file.
      event.preventDefault();
      event.dataTransfer.dropEffect = "copy";
      setIsOver(true);
    });
    listen("dragleave", (event) => {
      // Null: the pointer has left the window, and not only one of its elements.
      if (event.relatedTarget === null) setIsOver(false);
    });
    listen("drop", (event) => {
      const [file] = event.dataTransfer?.files ?? [];
      if (file === undefined) return;
      event.preventDefault();
      setIsOver(false);
      live.openFile(file);
    });
    return () => listening.abort();
  }, [live]);

  if (!isOver) return null;
  return (
    <div className="drop-zone" role="status">
      <p>{t("sources.file.drop")}</p>
    </div>
  );
}

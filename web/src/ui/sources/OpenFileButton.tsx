import { type ReactNode, useRef } from "react";
import { useLive } from "../liveContext";

interface OpenFileButtonProps {
  readonly className: string;
  readonly children: ReactNode;
  readonly onOpen?: () => void;
}

/** Asks for a video or an image of this device. */
export function OpenFileButton({ className, children, onOpen }: OpenFileButtonProps) {
  const live = useLive();
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <button type="button" className={className} onClick={() => input.current?.click()}>
        {children}
      </button>
      <input
        ref={input}
        type="file"
        accept="video/*,image/*"
        hidden
        data-testid="file-input"
        onChange={({ currentTarget }) => {
          const [file] = currentTarget.files ?? [];
          // The same file may be chosen again.
          currentTarget.value = "";
          if (file === undefined) return;
          onOpen?.();
          live.openFile(file);
        }}
      />
    </>
  );
}

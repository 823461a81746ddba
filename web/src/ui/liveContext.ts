import { createContext, useContext } from "react";
import type { Live } from "../engine/live";

export const LiveContext = createContext<Live | null>(null);

export function useLive(): Live {
  const live = useContext(LiveContext);
  if (live === null) throw new Error("useLive needs a LiveContext around it");
  return live;
}

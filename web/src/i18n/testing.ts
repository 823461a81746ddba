import { startWords } from "./i18n";

// Vitest loads this before each file of tests: the page speaks English there.
await startWords("en");

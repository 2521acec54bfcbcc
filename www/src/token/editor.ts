// A textarea whose text is coloured by the token's segments: the textarea's own letters are transparent and lie exactly
// over a `pre` with the same text in colour. The box around both scrolls, so nothing needs to be kept in step.

import { make } from "../dom.js";

/** Beyond the hard limit of any verifier, colour is not worth the layout: the text is shown plainly. */
const COLOUR_LIMIT = 65_536;

export interface TokenEditor {
  /** The token as it is to be checked: without what people paste around it. */
  token(): string;
  /** What was left out around the token, for a note under the field; empty when nothing was. */
  leftOut(): string;
  set(text: string): void;
  onChange(listener: () => void): void;
}

export function tokenEditor(area: HTMLTextAreaElement, colour: HTMLElement, box: HTMLElement): TokenEditor {
  const paint = (): void => {
    const plain = area.value.length > COLOUR_LIMIT;
    box.classList.toggle("plain", plain);
    colour.replaceChildren(...(plain ? [] : coloured(area.value)));
  };
  area.addEventListener("input", paint);
  paint();
  return {
    token: () => unwrap(area.value).token,
    leftOut: () => unwrap(area.value).leftOut,
    set: (text) => {
      area.value = text;
      paint();
      box.scrollTop = 0;
    },
    onChange: (listener) => area.addEventListener("input", listener),
  };
}

/** Takes away the white space and the `Bearer` around a pasted token. White space inside it stays, and is refused. */
function unwrap(text: string): { token: string; leftOut: string } {
  const trimmed = text.trim();
  const token = trimmed.replace(/^(?:authorization:\s*)?bearer\s+/i, "");
  const parts = [
    ...(token === trimmed ? [] : ["“Bearer”"]),
    ...(trimmed === text || trimmed === "" ? [] : ["white space"]),
  ];
  return { token, leftOut: parts.length === 0 ? "" : `Left out around the token: ${parts.join(" and ")}.` };
}

/** Three segments in three colours; whatever follows a fourth full stop is one piece, marked as out of place. */
function coloured(text: string): Node[] {
  const parts = text.split(".");
  const pieces = parts.length > 3 ? [...parts.slice(0, 3), parts.slice(3).join(".")] : parts;
  const nodes = pieces.flatMap((piece, index) => [
    ...(index > 0 ? [make("span", { class: "point" }, ".")] : []),
    make("span", { class: `seg-${index}` }, piece),
  ]);
  // A `pre` that ends in a line break is one line shorter than a textarea that does.
  return [...nodes, document.createTextNode("\u200b")];
}

// A key from a file: dropped on the key field, or chosen. The file is read in the page and goes nowhere.

import { byId } from "../dom.js";

/** A JWK Set of a thousand keys is smaller; anything larger was a slip of the mouse. */
const FILE_LIMIT = 1_048_576;

export function acceptKeyFiles(accept: (text: string) => void, refuse: (message: string) => void): void {
  const area = byId("key-drop", HTMLElement);
  const input = byId("key-file", HTMLInputElement);
  const read = (file: File | undefined): void => {
    if (file === undefined) return;
    if (file.size > FILE_LIMIT) return refuse("The file is larger than 1 MiB: not a key.");
    file.text().then(accept, () => refuse("The file could not be read."));
  };
  byId("key-open", HTMLButtonElement).addEventListener("click", () => input.click());
  input.addEventListener("change", () => {
    read(input.files?.[0]);
    input.value = "";
  });
  area.addEventListener("dragover", (event) => {
    if (event.dataTransfer?.types.includes("Files") !== true) return;
    event.preventDefault();
    area.classList.add("over");
  });
  area.addEventListener("dragleave", () => area.classList.remove("over"));
  area.addEventListener("drop", (event) => {
    area.classList.remove("over");
    const file = event.dataTransfer?.files[0];
    if (file === undefined) return;
    event.preventDefault();
    read(file);
  });
  // A file that misses the field must not replace the page, and with it a token that is nowhere else.
  for (const name of ["dragover", "drop"] as const) {
    addEventListener(name, (event) => {
      if (event.dataTransfer?.types.includes("Files") === true) event.preventDefault();
    });
  }
}

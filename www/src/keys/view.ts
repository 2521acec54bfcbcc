// The keys view: makes a pair, shows it, and computes the thumbprint of a key that somebody has.

import { type Algorithm, generateKeyPair, type JWK, thumbprint } from "waxseal";
import { announce, byId, messageOf, setProse, setText } from "../dom.js";
import { showJson } from "../json-view.js";
import { setPeek } from "../peek.js";

const HIDDEN = "Hidden. Show it, or copy it without showing it.";
const NOTHING = "Nothing made yet.";

let publicKey: JWK | undefined;
let privateKey: JWK | undefined;
let revealed = false;

export function startKeysView(useKey: (text: string) => void): void {
  const form = byId("keys-form", HTMLFormElement);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void makePair(new FormData(form).get("alg") === "RS256" ? "RS256" : "ES256");
  });
  byId("k-reveal", HTMLButtonElement).addEventListener("click", () => {
    revealed = !revealed;
    showPair();
  });
  byId("k-use", HTMLButtonElement).addEventListener("click", () => {
    if (publicKey === undefined) return;
    useKey(JSON.stringify(publicKey, null, 2));
    location.hash = "#token";
  });
  byId("k-any", HTMLTextAreaElement).addEventListener("input", showThumbprint);
  showPair();
}

async function makePair(algorithm: Algorithm): Promise<void> {
  const button = byId("keys-make", HTMLButtonElement);
  button.disabled = true;
  try {
    ({ publicKey, privateKey } = await generateKeyPair(algorithm));
    revealed = false;
    showPair();
    setPeek(byId("keys-results", HTMLElement), { text: `${algorithm} key pair made`, state: "good" });
    announce(`${algorithm} key pair made`);
  } catch (error) {
    setProse(byId("k-thumb", HTMLElement), `No key pair: ${messageOf(error)}`);
    announce("No key pair was made");
  } finally {
    button.disabled = false;
    button.focus();
  }
}

function showPair(): void {
  const made = publicKey !== undefined;
  byId("keys-results", HTMLElement).classList.toggle("waiting", !made);
  for (const button of byId("keys-results", HTMLElement).querySelectorAll("button")) button.hidden = !made;
  setText(byId("k-thumb", HTMLElement), publicKey === undefined ? NOTHING : thumbprint(publicKey));
  const shownPublic = byId("k-public", HTMLElement);
  const shownPrivate = byId("k-private", HTMLElement);
  if (!made) {
    shownPublic.textContent = NOTHING;
    shownPrivate.textContent = NOTHING;
    return;
  }
  showJson(shownPublic, publicKey);
  showPrivate(shownPrivate);
}

function showPrivate(place: HTMLElement): void {
  delete place.dataset.raw;
  if (revealed) {
    showJson(place, privateKey);
  } else {
    place.textContent = HIDDEN;
    place.dataset.raw = JSON.stringify(privateKey, null, 2);
  }
  const button = byId("k-reveal", HTMLButtonElement);
  setText(button, revealed ? "hide" : "show");
  button.setAttribute("aria-expanded", String(revealed));
}

function showThumbprint(): void {
  const text = byId("k-any", HTMLTextAreaElement).value.trim();
  const note = byId("k-any-note", HTMLElement);
  const [message, wrong] = text === "" ? ["", false] : thumbprintOf(text);
  setProse(note, message);
  note.classList.toggle("wrong", wrong);
}

function thumbprintOf(text: string): [message: string, wrong: boolean] {
  let jwk: JWK;
  try {
    jwk = JSON.parse(text) as JWK;
  } catch {
    return ["Not complete JSON yet.", true];
  }
  try {
    return [thumbprint(jwk), false];
  } catch (error) {
    return [messageOf(error), true];
  }
}

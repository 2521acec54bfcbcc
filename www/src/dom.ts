// The little that the page needs instead of a framework: typed look-ups, building nodes, icons, copying.

type Child = Node | string;

/** The element of that id, of the class that the caller needs; the page is static, so its absence is a mistake in it. */
export function byId<E extends Element>(id: string, kind: new () => E): E {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`The page has no ${kind.name} #${id}`);
  return found;
}

/** Makes an element. Text goes in as text nodes: nothing that a token says is ever read as HTML. */
export function make<T extends keyof HTMLElementTagNameMap>(
  tag: T,
  attributes: Record<string, string> = {},
  ...children: Child[]
): HTMLElementTagNameMap[T] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** One of the symbols at the top of index.html. */
export function icon(name: string): SVGSVGElement {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

/** Sets text only when it differs, so that a selection in it survives and live regions stay silent. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

// A name alone: a backtick may also stand in a list of characters.
const OPTION = /`([A-Za-z]+)`/g;

/** As {@link setText}, for the library's messages: names of options stand between backticks in them. */
export function setProse(element: Element, text: string): void {
  if (element.textContent === plain(text)) return;
  element.replaceChildren(
    ...text.split(OPTION).map((part, index) => (index % 2 === 1 ? make("code", {}, part) : part)),
  );
}

/** A message without the marks around names. */
export function plain(text: string): string {
  return text.replace(OPTION, "$1");
}

let announced = "";
/** Tells people who use a screen reader what changed, once. */
export function announce(text: string): void {
  if (text === announced) return;
  announced = text;
  byId("announce", HTMLElement).textContent = plain(text);
}

/** Shows a failure of the page itself above everything else, which stays as it was. */
export function alarm(text: string): void {
  const place = byId("alarm", HTMLElement);
  place.textContent = text;
  place.hidden = text === "";
}

/** The message of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Gives every button with `data-copy` its work: the text of that element (or its `data-raw`) goes to the clipboard. */
export function wireCopyButtons(): void {
  for (const button of document.querySelectorAll<HTMLButtonElement>("button[data-copy]")) {
    const source = byId(button.dataset.copy ?? "", HTMLElement);
    const label = button.textContent ?? "copy";
    button.setAttribute("aria-label", `Copy ${source.getAttribute("aria-label") ?? ""}`.trim());
    button.addEventListener("click", () => {
      const text = source.dataset.raw ?? source.textContent ?? "";
      if (text === "") return;
      navigator.clipboard.writeText(text).then(
        () => say(button, "copied", label),
        () => {
          select(source);
          say(button, "press Ctrl+C", label);
        },
      );
    });
  }
}

function say(button: HTMLButtonElement, text: string, label: string): void {
  button.textContent = text;
  announce(text);
  setTimeout(() => {
    button.textContent = label;
    announce("");
  }, 1600);
}

/** Where the clipboard is refused, at least the text to copy is selected. */
function select(element: Element): void {
  const range = document.createRange();
  range.selectNodeContents(element);
  const selection = getSelection();
  selection?.removeAllRanges();
  selection?.addRange(range);
}

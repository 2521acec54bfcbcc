/** Real workerd, and a page in real Chromium, for runners that ask them what they have found. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Miniflare, Response } from "miniflare";
import type { Page } from "playwright-core";
import { launch } from "./chromium.js";
import { readVectors } from "./report.js";

/** What a Worker is made of: its script, and modules beside it by their names. */
export interface WorkerParts {
  readonly script: string;
  readonly wasm: Readonly<Record<string, Uint8Array<ArrayBuffer>>>;
  readonly bindings?: Readonly<Record<string, string>>;
}

/** Starts a Worker with an empty KV namespace and the vectors, and stops it when `run` is done with it. */
export async function withWorker<T>(
  { script, wasm, bindings }: WorkerParts,
  run: (worker: Miniflare) => Promise<T>,
): Promise<T> {
  const worker = new Miniflare({
    modules: [
      { type: "ESModule", path: "worker.js", contents: script },
      ...Object.entries(wasm).map(([path, contents]) => ({ type: "CompiledWasm", path, contents }) as const),
    ],
    compatibilityDate: "2026-04-01",
    kvNamespaces: ["KV"],
    ...(bindings && { bindings: { ...bindings } }),
    serviceBindings: {
      async VECTORS(request: { url: string }) {
        const text = await readVectors(new URL(request.url).pathname.slice(1));
        return text === undefined ? new Response(null, { status: 404 }) : new Response(text);
      },
    },
    host: "127.0.0.1",
    port: 0,
    cf: false,
    telemetry: { enabled: false },
  });
  try {
    return await run(worker);
  } finally {
    await worker.dispose();
  }
}

/** Asks a Worker for JSON. What it throws comes out with its text. */
export async function askWorker<T>(worker: Miniflare, query = ""): Promise<T> {
  const answer = await worker.dispatchFetch(`http://localhost/${query}`);
  if (!answer.ok) throw new Error(`the Worker failed: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as T;
}

/** What a page is made of: its script, and modules beside it by their names. */
export interface PageParts {
  readonly executable: string;
  readonly script: string;
  readonly wasm?: Readonly<Record<string, Uint8Array>>;
  readonly query?: string;
  /** Options of the browser's program. */
  readonly flags?: readonly string[];
}

const HTML =
  '<!doctype html><title>Waxseal</title><link rel="icon" href="data:,"><script type="module" src="/page.js"></script>';

/**
 * Opens a page with the script and the vectors, and closes it when `run` is done with it; an error that the page does not catch,
 * or its crash, is what comes of it then.
 */
export async function withPage<T>(
  { executable, script, wasm = {}, query = "", flags = [] }: PageParts,
  run: (page: Page) => Promise<T>,
): Promise<T> {
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    const answers: Record<string, [type: string, body: string | Uint8Array | undefined]> = {
      "/": ["text/html; charset=utf-8", HTML],
      "/page.js": ["text/javascript; charset=utf-8", script],
      ...Object.fromEntries(Object.entries(wasm).map(([name, bytes]) => [`/${name}`, ["application/wasm", bytes]])),
    };
    const [, vectors] = /^\/vectors\/(.*)$/.exec(pathname) ?? [];
    const file = vectors === undefined ? undefined : await readVectors(vectors);
    const [type, body] = answers[pathname] ?? ["application/json", file];
    response.writeHead(body === undefined ? 404 : 200, { "content-type": type }).end(body);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const browser = await launch(executable, ...flags);
  try {
    const page = await browser.newPage();
    page.on("console", (message) => console.log(`# ${message.type()}: ${message.text()}`));
    const failure = new Promise<never>((_resolve, reject) => {
      page.on("pageerror", reject);
      page.on("crash", () => reject(new Error("the page crashed")));
    });
    // A secure context, as WebCrypto wants one.
    await page.goto(`http://localhost:${(server.address() as AddressInfo).port}/${query}`);
    return await Promise.race([run(page), failure]);
  } finally {
    await browser.close();
    server.close();
  }
}

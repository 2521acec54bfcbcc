/** The page at `/`: four files that are bundled as text. */

import style from "../page/app.css";
import script from "../page/app.js";
import client from "../page/client.js";
import html from "../page/index.html";

const FILES = {
  "index.html": { type: "text/html; charset=utf-8", text: html },
  "app.css": { type: "text/css; charset=utf-8", text: style },
  "app.js": { type: "text/javascript; charset=utf-8", text: script },
  "client.js": { type: "text/javascript; charset=utf-8", text: client },
} as const;

const HEADERS = {
  "Cache-Control": "no-cache",
  // Nothing inline and nothing from elsewhere: a script that gets into the page's text does not run.
  "Content-Security-Policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " +
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Referrer-Policy": "same-origin",
  "Strict-Transport-Security": "max-age=31536000",
  "X-Content-Type-Options": "nosniff",
} as const;

/** One of the page's files. */
export function asset(name: keyof typeof FILES): Response {
  const { type, text } = FILES[name];
  return new Response(text, { headers: { ...HEADERS, "Content-Type": type } });
}

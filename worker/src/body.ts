/** Reading a request's body without trusting its size, its type or its text. */

import { HttpError } from "./responses.js";

/**
 * Reads a JSON body of at most `maxBytes` bytes.
 *
 * Insisting on `application/json` also keeps HTML forms of other sites out: a form cannot send it.
 */
export async function readJson(request: Request, maxBytes: number): Promise<unknown> {
  const mediaType = request.headers.get("Content-Type")?.split(";", 1)[0]?.trim().toLowerCase();
  if (mediaType !== "application/json") {
    throw new HttpError(415, "MEDIA_TYPE_UNSUPPORTED", "Send the body as Content-Type: application/json.");
  }
  const bytes = await readBytes(request, maxBytes);
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes));
  } catch {
    // The parser's own message quotes the body, which may hold a password.
    throw new HttpError(400, "BODY_MALFORMED", "The body is not JSON in UTF-8.");
  }
}

/**
 * Content-Length may be absent or wrong; what arrives is counted, and what is too much is thrown away as it comes. The
 * answer waits for the end of it: a connection that is closed before is reset, and the client may never see why
 * (RFC 9112 section 9.6). How much may come at all is the platform's limit.
 */
async function readBytes(request: Request, maxBytes: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(maxBytes);
  let length = 0;
  for await (const chunk of request.body ?? []) {
    if (length + chunk.byteLength <= maxBytes) bytes.set(chunk, length);
    length += chunk.byteLength;
  }
  if (length > maxBytes) {
    throw new HttpError(413, "BODY_TOO_LARGE", `The body may have ${maxBytes} bytes at most.`);
  }
  return bytes.subarray(0, length);
}

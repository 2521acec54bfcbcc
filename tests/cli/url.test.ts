/** `--jwks` with a URL, against servers that behave and servers that do not. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, describe, test } from "node:test";
import { fine, get, line, refused, secret } from "./support.js";

await line("keys generate --out one.json");
secret("one.json");
await line("keys jwks one.json --out set.json");
const token = (await line("token issue --key one.json --issuer https://id.example --audience web")).trim();

describe("keys from a URL", () => {
  const servers: Server[] = [];
  after(() => servers.forEach((server) => server.close().closeAllConnections()));

  async function serve(listener: RequestListener): Promise<string> {
    const server = createServer(listener).listen(0, "127.0.0.1");
    servers.push(server);
    await once(server, "listening");
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks.json`;
  }
  const verify = (url: string) => ["token", "verify", "-", "--jwks", url, "--any-issuer", "--any-audience"];

  test("are fetched with one request, which carries nothing of the token", async () => {
    const seen: string[] = [];
    const url = await serve((request, response) => {
      seen.push(`${request.method} ${request.url} ${JSON.stringify(request.headers)}`);
      response.end(get("set.json"));
    });
    await fine(verify(url), { stdin: token });
    assert.equal(seen.length, 1);
    assert.ok(!seen[0]?.includes(token.slice(0, 20)));
    // No variable of the environment changes where anything goes.
    const proxies = Object.fromEntries(
      ["http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"].map((name) => [name, url]),
    );
    await fine(["token", "explain", "-", "--jwks", "set.json"], { stdin: token, env: proxies });
    assert.equal(seen.length, 1);
  });

  test("may be PEM or one key too", async () => {
    const pem = await line("keys public one.json --pem");
    const jwk = await line("keys public one.json");
    for (const text of [pem, jwk]) {
      await fine(verify(await serve((_, response) => response.end(text))), { stdin: token });
    }
  });

  const answers: [string, RequestListener, RegExp][] = [
    [
      "an error",
      (_, response) => response.writeHead(404).end("no"),
      /^waxseal: 127\.0\.0\.1:\d+: answered with status 404$/m,
    ],
    [
      "a redirect",
      (_, response) => response.writeHead(302, { location: "/other" }).end(),
      /redirects, which is not followed/,
    ],
    ["HTML", (_, response) => response.end("<html>"), /neither a JWK/],
    ["half of JSON", (_, response) => response.end('{"keys":['), /not JSON/],
    ["nothing", (_, response) => response.end(), /empty/],
    [
      "a private key",
      (_, response) => response.end(get("one.json")),
      /private key, where a public one is meant; take it down/,
    ],
    [
      "without an end",
      (_, response) => {
        const more = (): void =>
          void (response.write("x".repeat(65536)) ? setImmediate(more) : response.once("drain", more));
        more();
      },
      /larger than 1 MiB/,
    ],
    ["by hanging up", (request) => request.socket.destroy(), /: no answer \(\w+\)$/m],
    [
      "with half of what it promised",
      (request, response) => {
        response.writeHead(200, { "content-length": "1000" }).write("{");
        setTimeout(() => request.socket.destroy(), 50);
      },
      /: no answer \(broken off\)$/m,
    ],
    ["never", () => {}, /did not answer within 5 s/],
  ];
  for (const [what, listener, says] of answers) {
    test(`a server that answers ${what} is asked once, and named with the reason`, async () => {
      let asked = 0;
      const url = await serve((request, response) => {
        asked += 1;
        listener(request, response);
      });
      await refused(verify(url), says, { stdin: "a.b.c" });
      assert.equal(asked, 1);
    });
  }

  test("are fetched by https alone, but from this machine", async () => {
    await refused(verify("http://id.example/jwks"), /id\.example: key sets are fetched by https alone/, {
      stdin: "a.b.c",
    });
    await refused(verify("http://127.0.0.1.id.example/jwks"), /https alone/, { stdin: "a.b.c" });
    await refused(verify("https://me:secret@id.example/"), /must hold no credentials/, { stdin: "a.b.c" });
    await refused(verify("https://"), /not a URL/, { stdin: "a.b.c" });
    // What else the library refuses is refused here: it is the same rule.
    for (const url of ["https://id.example/#keys", "https://id.example\\jwks"]) {
      await refused(verify(url), /^waxseal: id\.example: `url` must be an absolute https URL/, { stdin: "a.b.c" });
    }
  });
});

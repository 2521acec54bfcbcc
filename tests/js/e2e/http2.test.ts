/** Servers of HTTP/2 (`node:http2` and its interface in the manner of `http`, and Fastify on it), which speak HTTP/1.1 too. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect, createSecureServer, type Http2SecureServer } from "node:http2";
import { get } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { connect as connectTls } from "node:tls";
import fastify, { type FastifyInstance } from "fastify";
import { generateKeyPair } from "waxseal";
import { GUARDS, Running, SESSIONS } from "../../frameworks/cases.js";
import { asking } from "../../frameworks/client.js";
import { fastifyApp, httpApp } from "../../frameworks/node-apps.js";
import { type Keys, worldOf } from "../../frameworks/world.js";

const key = async () => (await generateKeyPair("ES256")).privateKey;
const keys: Keys = { provider: await key(), access: await key(), refresh: await key() };
const errors: unknown[] = [];

/** A certificate for localhost, and its key. */
const certified = ((): { key: string; cert: string } => {
  const directory = mkdtempSync(join(tmpdir(), "waxseal-http2-"));
  const [keyFile, certFile] = [join(directory, "key.pem"), join(directory, "cert.pem")];
  const made = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost";
  const named = ["-addext", "subjectAltName=DNS:localhost", "-keyout", keyFile, "-out", certFile];
  execFileSync("openssl", [...made.split(" "), ...named], { stdio: "pipe" });
  const pair = { key: readFileSync(keyFile, "utf8"), cert: readFileSync(certFile, "utf8") };
  rmSync(directory, { recursive: true });
  return pair;
})();

const SERVERS: Record<string, () => Promise<{ server: Http2SecureServer; close(): Promise<unknown> }>> = {
  "node:http2": async () => {
    const server = createSecureServer({ ...certified, allowHTTP1: true });
    // Its requests and responses are made in the manner of http, and this is the listener of the tests of http.
    server.on("request", httpApp(await worldOf(keys), errors) as never);
    await new Promise<void>((resolve) => server.listen(0, "localhost", resolve));
    return { server, close: async () => server.close() };
  },
  "Fastify on HTTP/2": async () => {
    const app = fastify({ http2: true, https: { ...certified, allowHTTP1: true } });
    fastifyApp(await worldOf(keys), app as unknown as FastifyInstance);
    await app.listen({ port: 0, host: "localhost" });
    return { server: app.server as Http2SecureServer, close: () => app.close() };
  },
};

for (const [name, start] of Object.entries(SERVERS)) {
  describe(name, () => {
    let running: Running;
    let port = 0;
    before(async () => {
      const { server, close } = await start();
      port = (server.address() as AddressInfo).port;
      const session = connect(`https://localhost:${port}`, { ca: certified.cert });
      const stop = async (): Promise<void> => {
        session.destroy();
        await close();
      };
      running = await Running.at(`https://localhost:${port}`, keys, stop, asking(session));
    });
    after(() => running.stop());

    for (const [sentence, run] of [...GUARDS, ...SESSIONS]) test(sentence, () => run(running));

    test("cookies that come in pieces are one header, in which a second of a name is seen", async () => {
      // RFC 9113 section 8.2.3
      const token = `__Host-token=${await running.token("bob")}`;
      const whole = await running.ask("/api/me", "GET", { cookie: ["a=1", token, "b=2"] });
      assert.deepEqual([whole.status, whole.json["sub"]], [200, "bob"]);
      const twice = await running.ask("/api/me", "GET", { cookie: [token, "a=1", token] });
      assert.deepEqual([twice.status, twice.json], [400, { error: "ERR_COOKIE_DUPLICATE" }]);
    });

    test("two Authorization fields are refused", async () => {
      const bearer = `Bearer ${await running.token()}`;
      assert.match(await raw(port, [bearer]), /"sub":"alice"/);
      assert.match(await raw(port, [bearer, bearer]), /ERR_AUTHORIZATION_MALFORMED/);
    });

    test("a client of HTTP/1.1 is served as well", async () => {
      const headers = { authorization: `Bearer ${await running.token()}` };
      const version = await new Promise<string>((resolve, reject) => {
        const sent = get({ host: "localhost", port, path: "/api/me", ca: certified.cert, headers }, (response) => {
          response.resume().on("end", () => resolve(`${response.httpVersion} ${response.statusCode}`));
        });
        sent.on("error", reject);
      });
      assert.equal(version, "1.1 200");
    });

    if (name === "node:http2") {
      test("errors of handlers are told to onError, and break off an answer that has begun", async () => {
        errors.length = 0;
        await assert.rejects(running.ask("/api/half", "GET", await running.bearer()), /aborted|INTERNAL_ERROR/);
        assert.deepEqual(
          errors.map((error) => (error as Error).message),
          ["the handler broke"],
        );
      });
    }
  });
}

/** The text that a request gets whose frames are written by hand: Node's client sends no Authorization twice. */
async function raw(port: number, authorizations: string[]): Promise<string> {
  const length = (size: number, bits: number): number[] => {
    // RFC 7541 section 5.1
    const most = 2 ** bits - 1;
    if (size < most) return [size];
    const bytes = [most];
    let rest = size - most;
    for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
    return [...bytes, rest];
  };
  const text = (value: string): number[] => [...length(value.length, 7), ...Buffer.from(value)];
  const fields = [
    [":method", "GET"],
    [":scheme", "https"],
    [":authority", "localhost"],
    [":path", "/api/me"],
    ...authorizations.map((value) => ["authorization", value]),
  ];
  // Literal fields without indexing (RFC 7541 section 6.2.2), in a frame that ends headers and stream (RFC 9113 section 6.2).
  const block = fields.flatMap(([field = "", value = ""]) => [0, ...text(field), ...text(value)]);
  const frame = (type: number, flags: number, stream: number, payload: number[]): Buffer =>
    Buffer.from([
      payload.length >> 16,
      (payload.length >> 8) & 255,
      payload.length & 255,
      type,
      flags,
      0,
      0,
      0,
      stream,
      ...payload,
    ]);
  const socket = connectTls({ host: "localhost", port, ca: certified.cert, ALPNProtocols: ["h2"] });
  socket.write(
    Buffer.concat([Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), frame(4, 0, 0, []), frame(1, 5, 1, block)]),
  );
  let received = Buffer.alloc(0);
  let body = "";
  for await (const chunk of socket) {
    received = Buffer.concat([received, chunk as Buffer]);
    while (received.length >= 9 && received.length >= 9 + received.readUIntBE(0, 3)) {
      const [size, type, flags] = [received.readUIntBE(0, 3), received[3], received[4] ?? 0];
      if (type === 0) body += received.subarray(9, 9 + size).toString();
      // The end of the stream, or of the connection.
      if ((type === 0 && (flags & 1) === 1) || type === 3 || type === 7) {
        socket.destroy();
        return body;
      }
      received = received.subarray(9 + size);
    }
  }
  return body;
}

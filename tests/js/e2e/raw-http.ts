/** A client that reads nothing before it has sent everything, as many do. */

import { connect } from "node:net";

/**
 * Posts a JSON body of so many bytes and resolves to what comes back, head and all.
 *
 * 32 MiB are more than the buffers of a connection to this machine hold: a server that answers and closes before it has
 * read them resets the connection, and this rejects.
 */
export async function sendThenRead(address: string, path: string, length: number, origin = address): Promise<string> {
  const { host, port } = new URL(address);
  const head = [
    `POST ${path} HTTP/1.1`,
    `Host: ${host}`,
    `Origin: ${origin}`,
    "Content-Type: application/json",
    `Content-Length: ${length}`,
    "Connection: close",
  ];
  const socket = connect(Number(port), "127.0.0.1");
  await new Promise<void>((sent, failed) => {
    socket.on("error", failed);
    socket.write(`${head.join("\r\n")}\r\n\r\n`);
    socket.write(Buffer.alloc(length, "x"), () => sent());
  });
  let answer = "";
  for await (const chunk of socket) answer += chunk;
  return answer;
}

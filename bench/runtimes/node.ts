/** Node: a process of its own, which reads its clocks itself. */
import { type ChildProcess, fork } from "node:child_process";
import { bundle } from "../bundle.js";
import { startOn } from "./cpu.js";
import type { Answer, Question } from "./node-child.js";
import type { Runtime, Start, Timed } from "./runtime.js";

export const startNode: Start = async (cpus, control): Promise<Runtime> => {
  const { file } = await bundle("node", { entry: "runtimes/node-child" });
  const child = await startOn(cpus, async () => fork(file, control ? ["--control"] : [], { execArgv: [] }));
  return {
    name: "node",
    version: `Node ${process.versions.node}`,
    load: async (fixture) => (await ask(child, { load: fixture })) as string[],
    batch: async (batch) => (await ask(child, { batch })) as Timed,
    async close() {
      child.disconnect();
    },
  };
};

/** The answer to one question; there is never more than one under way. */
function ask(child: ChildProcess, question: Question): Promise<string[] | Timed> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null): void => reject(new Error(`the process on Node ended with ${code}`));
    child.once("exit", ended);
    child.once("message", (answer: Answer) => {
      child.off("exit", ended);
      if ("error" in answer) reject(new Error(answer.error));
      else resolve(answer.value);
    });
    child.send(question);
  });
}

/** One server, a number of users at once, and what came of it. */
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "./client.js";
import { PASSWORD, type Target, type Usage } from "./servers.js";
import { Lane, type Sessions } from "./traffic.js";

/** How many users go about at once. */
const LANES = 16;

/** What was seen, as lines of a table, and all that must not have been. */
export interface Report {
  readonly lines: string[];
  readonly wrong: string[];
  readonly sessions: Sessions;
  readonly faults: number;
}

/** Puts a server under load. */
export async function load(start: (grace: number) => Promise<Target>, seconds: number): Promise<Report> {
  // The window in which a used token is still answered: its default, unless everything is over before that has passed.
  const grace = seconds < 60 ? 2 : 10;
  const target = await start(grace);
  const client = new Client(target.address, target.address);
  const sessions: Sessions = { made: 0, ended: 0, lost: 0, forked: 0, revived: 0, late: 0 };
  const wrong: string[] = [];
  const usages: [at: number, usage: Usage][] = [];
  try {
    const began = performance.now();
    const elapsed = (): number => (performance.now() - began) / 1000;
    const over = (): boolean => elapsed() >= seconds;
    const lanes = Array.from(
      { length: LANES },
      (_, index) => new Lane(index, client, sessions, PASSWORD, grace * 1000, (what) => wrong.push(what)),
    );
    // Faults begin with the first look.
    usages.push([0, await target.usage()]);
    const running = Promise.all(lanes.map((lane) => lane.run(over)));
    // Looked at below; until then somebody must, or the process ends with the first that fails.
    running.catch(() => undefined);
    while (!over()) {
      await sleep(Math.max(500, (seconds * 1000) / 60));
      usages.push([elapsed(), await target.usage()]);
    }
    await running;
    const took = elapsed();
    wrong.push(...client.tally.wrong, ...growth(usages, seconds));
    if (seconds >= 60 && !client.tally.counts.has("replay")) wrong.push("no token was used again");
    const faults = usages.at(-1)?.[1].faults ?? 0;
    const lines = [
      `## ${target.name}: ${took.toFixed(0)} seconds, ${LANES} users at once, window ${grace} s`,
      "",
      ...requests(client, took),
      "",
      `faults injected: ${faults}; sessions: ${sessions.made} made, ${sessions.ended} ended, ${sessions.lost} lost, ` +
        `${sessions.forked} forked, ${sessions.revived} ended ones alive, ${sessions.late} repeated too late`,
      "",
      ...memory(usages),
      "",
      ...(wrong.length === 0 ? ["nothing else than expected"] : ["OTHERWISE THAN EXPECTED:", ...summed(wrong)]),
      "",
    ];
    return { lines, wrong, sessions, faults };
  } finally {
    client.close();
    await target.stop();
  }
}

function requests({ tally }: Client, seconds: number): string[] {
  const rows = [...tally.counts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([kind, statuses]) => {
      const times = (tally.times.get(kind) ?? []).sort((a, b) => a - b);
      const at = (part: number): string =>
        (times[Math.min(times.length - 1, Math.floor(times.length * part))] ?? 0).toFixed(1);
      const seen = [...statuses].sort(([a], [b]) => a - b).map(([status, count]) => `${status}: ${count}`);
      return `| ${kind} | ${seen.join(", ")} | ${at(0.5)} | ${at(0.9)} | ${at(0.99)} | ${at(0.999)} | ${at(1)} |`;
    });
  return [
    "| request | answers by status | p50 ms | p90 | p99 | p99.9 | max |",
    "|---|---|---|---|---|---|---|",
    ...rows,
    "",
    `${tally.total} requests, ${(tally.total / seconds).toFixed(0)} a second; ${tally.reconnected} idle connections found closed`,
  ];
}

const megabytes = (bytes: number | undefined): string =>
  bytes === undefined ? "" : `${(bytes / 2 ** 20).toFixed(1)} MB`;

function memory(usages: [number, Usage][]): string[] {
  const rows = ([0.25, 0.5, 0.75, 1] as const).map((part) => {
    const [at, usage] = usages[Math.min(usages.length - 1, Math.floor(usages.length * part))] ?? [];
    const when = `after ${at?.toFixed(0)} s`;
    return `| ${when} | ${megabytes(usage?.rss)} | ${megabytes(usage?.heap)} | ${usage?.descriptors} |`;
  });
  return ["| | resident | heap after a collection | file descriptors |", "|---|---|---|---|", ...rows];
}

/** What has grown in the second half, by the slope of all that was measured there: until then allocators and caches fill. */
function growth(usages: [number, Usage][], seconds: number): string[] {
  // A slope over some seconds is one of warming up.
  if (seconds < 300) return [];
  const warm = usages.slice(Math.floor(usages.length / 2));
  return (["rss", "heap", "descriptors"] as const).flatMap((what) => {
    const points = warm.flatMap(([at, usage]): [number, number][] => {
      const value = usage[what];
      return value === undefined ? [] : [[at, value]];
    });
    if (points.length < 2) return [];
    const mean = (index: 0 | 1): number => points.reduce((sum, point) => sum + point[index], 0) / points.length;
    const [x, y] = [mean(0), mean(1)];
    const slope =
      points.reduce((sum, [at, value]) => sum + (at - x) * (value - y), 0) /
      points.reduce((sum, [at]) => sum + (at - x) ** 2, 0);
    const grown = (slope * seconds * 0.5) / y;
    return grown > 0.1 ? [`${what} grows: by ${(grown * 100).toFixed(0)} % of its mean in the second half`] : [];
  });
}

/** Each once, and how often. */
function summed(list: string[]): string[] {
  const counts = new Map<string, number>();
  for (const each of list) counts.set(each, (counts.get(each) ?? 0) + 1);
  return [...counts].map(([each, count]) => `- ${each} (${count})`);
}

/** The cases that take no longer than the store does. */
import { atOnce, inSeconds, type Kit, key, later, record, same } from "./kit.js";

/** The longest record in bytes. */
const LONGEST = 60_000;

/** Texts that only a comparison of bytes tells apart from `{"name":"José"}`, or that some databases change. */
const NEARLY = [
  '{"name":"José" }',
  '{"name":"josé"}',
  '{"NAME":"José"}',
  '{"name":"Jose"}',
  // The same character, decomposed.
  '{"name":"Jose\u0301"}',
  '{"name":"José"} ',
  ' {"name":"José"}',
  '{"name":"José"}\n',
  '{"name":"José"',
  '{"name":"José"}{"name":"José"}',
  '{"name":"Jos_"}',
  '{"name":"%"}',
];

/** What a database, a script or a serialization might not give back as it was. */
const UNUSUAL = [
  "1",
  "01",
  "1.0",
  "1e3",
  "null",
  "true",
  "0x10",
  '"',
  "'; DROP TABLE waxseal_sessions; --",
  "\\u0041\\n",
  "%s $1 ?1 :a @b {0} KEYS[1]",
  "\u2028\u2029\u00a0\u200b\ufeff",
  "\ufeffbegins with a byte order mark",
  "日本語 العربية \u{1f9ed}\u{10ffff} e\u0301",
  "\t\r\n\x01\x1f\x7f",
];

function filled(bytes: number, unit: string, end: string): string {
  const length = (text: string): number => new TextEncoder().encode(text).length;
  const units = Math.floor((bytes - length(end)) / length(unit));
  return unit.repeat(units) + "a".repeat(bytes - length(end) - units * length(unit)) + end;
}

/** Names of cases, and what each does. */
export const CASES: Record<string, (kit: Kit) => Promise<void>> = {
  "a key without a record reads as null": async ({ store }) => {
    same(await store.read(key()), null, "the read");
  },

  "a record is read by both clients as soon as it was written": async ({ store, other }) => {
    const name = key();
    let former: string | null = null;
    for (let i = 0; i < 20; i++) {
      const [writer, reader] = i % 2 === 0 ? [store, other] : [other, store];
      const text: string = `{"i":${i}}`;
      same(await writer.compareAndSwap(name, former, text, later()), true, `swap ${i}`);
      same(await reader.read(name), text, `the other client's read after swap ${i}`);
      same(await writer.read(name), text, `the same client's read after swap ${i}`);
      former = text;
    }
  },

  "a swap that expects another record writes nothing": async ({ store }) => {
    const name = await record(store, "first");
    same(await store.compareAndSwap(name, "other", "second", later()), false, "the swap");
    same(await store.read(name), "first", "the record");
  },

  "a swap that expects a record of the past writes nothing": async ({ store, other }) => {
    const name = await record(store, "first");
    same(await other.compareAndSwap(name, "first", "second", later()), true, "the swap in between");
    same(await store.compareAndSwap(name, "first", "third", later()), false, "the late swap");
    same(await store.read(name), "second", "the record");
  },

  "a swap that expects no record writes nothing over one": async ({ store }) => {
    const name = await record(store, "first");
    same(await store.compareAndSwap(name, null, "second", later()), false, "the swap");
    same(await store.read(name), "first", "the record");
  },

  "a swap that expects a record makes none where there is none": async ({ store }) => {
    const name = key();
    for (const expected of ["first", "null", "undefined", "false", "0"]) {
      same(await store.compareAndSwap(name, expected, "second", later()), false, `the swap that expects ${expected}`);
    }
    same(await store.read(name), null, "the record");
  },

  "a repeated swap is refused, since its record is another by then": async ({ store }) => {
    const name = await record(store, "first");
    same(await store.compareAndSwap(name, "first", "second", later()), true, "the swap");
    same(await store.compareAndSwap(name, "first", "second", later()), false, "the same swap again");
    same(await store.compareAndSwap(name, null, "second", later()), false, "the same text as a first write");
  },

  "records are compared byte for byte": async ({ store }) => {
    const text = '{"name":"José"}';
    const name = await record(store, text);
    for (const expected of NEARLY) {
      same(await store.compareAndSwap(name, expected, "changed", later()), false, `the swap that expects ${expected}`);
    }
    same(await store.read(name), text, "the record");
    same(await store.compareAndSwap(name, text, "changed", later()), true, "the swap that expects the record");
  },

  "records come back byte for byte": async ({ store, other }) => {
    const name = key();
    let former: string | null = null;
    for (const text of [...UNUSUAL, ...NEARLY]) {
      same(await store.compareAndSwap(name, former, text, later()), true, `the swap to ${text}`);
      same(await other.read(name), text, "the record");
      former = text;
    }
  },

  "records of 60,000 bytes are kept and compared to their last byte": async ({ store }) => {
    // Serializations differ in how they count: ASCII, Latin-1, two units of UTF-16, and one odd character in ASCII.
    for (const unit of ["a", "é", "日", "\u{1f9ed}", '"', "a".repeat(59_000) + "日"]) {
      const text = filled(LONGEST, unit, "1");
      const name = await record(store, text);
      same(await store.read(name), text, "the record");
      const nearly = `${text.slice(0, -1)}2`;
      same(await store.compareAndSwap(name, nearly, "short", later()), false, "the swap that differs in its last byte");
      same(await store.compareAndSwap(name, text, nearly, later()), true, "the swap");
      same(await store.read(name), nearly, "the record after the swap");
    }
  },

  "keys that resemble one another have records of their own": async ({ store }) => {
    const base = key("aaaa");
    const keys = [
      base,
      base.slice(0, -1),
      `${base}a`,
      `${base.slice(0, -1)}A`,
      `${base.slice(0, -1)}_`,
      `${base.slice(0, -1)}-`,
      `${base.slice(0, -1)}0`,
      base.replace("wx1:", "wx2:"),
      base.replace("sessions", "session"),
    ];
    for (const name of keys) same(await store.compareAndSwap(name, null, name, later()), true, "the first write");
    for (const name of keys) same(await store.read(name), name, "the record");
    same(await store.compareAndSwap(base, base, "changed", later()), true, "the swap of one");
    for (const name of keys.slice(1)) same(await store.read(name), name, "the record of another key");
  },

  "swaps of many keys at once all succeed": async (kit) => {
    const keys = Array.from({ length: 2 * kit.parallel }, () => key());
    const written = await atOnce(kit, keys.length, (store, i) =>
      store.compareAndSwap(keys[i] as string, null, `{"i":${i}}`, later()),
    );
    for (const [i, answer] of written.entries()) same(answer, true, `the first write of key ${i}`);
    const read = await atOnce(kit, keys.length, (store, i) => store.read(keys[i] as string));
    for (const [i, text] of read.entries()) same(text, `{"i":${i}}`, `the record of key ${i}`);
  },

  "of many first writes at once one succeeds": async (kit) => {
    for (let round = 0; round < 5; round++) {
      const name = key();
      const won = await atOnce(kit, kit.parallel, (store, i) => store.compareAndSwap(name, null, `${i}`, later()));
      await oneWinner(kit, name, won);
    }
  },

  "of many swaps of one record at once one succeeds": async (kit) => {
    const name = await record(kit.store, "0");
    let former = "0";
    for (let round = 1; round <= 10; round++) {
      const expected = former;
      const won = await atOnce(kit, kit.parallel, (store, i) =>
        store.compareAndSwap(name, expected, `${round}:${i}`, later()),
      );
      former = await oneWinner(kit, name, won, `${round}:`);
    }
  },

  "of many equal swaps at once one succeeds": async (kit) => {
    const name = await record(kit.store, "first");
    const won = await atOnce(kit, kit.parallel, (store) => store.compareAndSwap(name, "first", "second", later()));
    same(won.filter((answer) => answer).length, 1, "how many succeeded");
  },

  "no update is lost among many clients that count up one record": async (kit) => {
    const name = await record(kit.store, "0");
    const [clients, each] = [8, 15];
    await atOnce(kit, clients, async (store) => {
      let done = 0;
      // With each success of another client one attempt may fail, and no more.
      for (let attempt = 0; done < each; attempt++) {
        if (attempt > 10 * clients * each) throw new Error("swaps of what was just read keep failing");
        const text = await store.read(name);
        if (text === null) throw new Error("the record is gone");
        if (await store.compareAndSwap(name, text, String(Number(text) + 1), later())) done += 1;
      }
    });
    same(await kit.other.read(name), String(clients * each), "the count");
  },

  "a read is never older than a swap acknowledged before it began": async (kit) => {
    const name = await record(kit.store, "0");
    let acknowledged = 0;
    let writing = true;
    const readers = atOnce(kit, 8, async (store) => {
      while (writing) {
        // Lets timers run: a store in memory answers without them.
        await new Promise((resolve) => setTimeout(resolve, 0));
        const least = acknowledged;
        const seen = Number(await store.read(name));
        if (!(seen >= least)) throw new Error(`a read gave ${seen} after ${least} was acknowledged`);
      }
    });
    // Without this a reader's failure would be unhandled until the writer is done.
    readers.catch(() => {});
    try {
      for (let i = 1; i <= 100; i++) {
        const store = i % 2 === 0 ? kit.store : kit.other;
        same(await store.compareAndSwap(name, String(i - 1), String(i), later()), true, `swap ${i}`);
        acknowledged = i;
      }
    } finally {
      writing = false;
    }
    await readers;
  },

  "an expiry 400 days ahead keeps the record": async ({ store }) => {
    // Milliseconds of that time do not fit into the 31 bits of a timer.
    const name = await record(store, "first", inSeconds(400 * 86_400));
    same(await store.read(name), "first", "the record");
    same(await store.compareAndSwap(name, "first", "second", inSeconds(400 * 86_400)), true, "the swap");
    same(await store.read(name), "second", "the record after the swap");
  },

  "a description, if there is one, says what the store promises": async ({ store: { description } }) => {
    if (description === undefined) return;
    for (const member of ["name", "consistency", "limits"] as const) {
      same(typeof description[member] === "string" && description[member].length > 0, true, `a text as ${member}`);
    }
    same(description.staleness, 0, "the staleness");
    for (const method of ["read", "compareAndSwap"] as const) {
      const trips = description.roundTrips[method];
      same(Number.isInteger(trips) && trips >= 0, true, `a number of round trips of ${method}`);
    }
  },
};

/** Checks that exactly one swap succeeded, and that its text is the record; gives the text. */
async function oneWinner({ store, other }: Kit, name: string, won: boolean[], prefix = ""): Promise<string> {
  for (const answer of won) same(typeof answer, "boolean", "the type of an answer");
  same(won.filter((answer) => answer).length, 1, "how many succeeded");
  const text = `${prefix}${won.indexOf(true)}`;
  same(await store.read(name), text, "the record");
  same(await other.read(name), text, "the record, read by the other client");
  return text;
}

/** The cases that wait for records to expire, some seconds each. */
import { inSeconds, type Kit, key, later, record, same, until } from "./kit.js";

/** Names of cases, and what each does. */
export const EXPIRY_CASES: Record<string, (kit: Kit) => Promise<void>> = {
  "a record reads as null once it has expired, and not before": async ({ store, other }) => {
    const expiresAt = inSeconds(3);
    const name = await record(store, "first", expiresAt);
    await until(expiresAt - 1.5, 0);
    same(await store.read(name), "first", "the record before its expiry");
    same(await other.read(name), "first", "the record before its expiry, read by the other client");
    await until(expiresAt);
    same(await store.read(name), null, "the record after its expiry");
    same(await other.read(name), null, "the record after its expiry, read by the other client");
  },

  "an expired record is not there to be swapped, and a first write takes its place": async ({ store, other }) => {
    const expiresAt = inSeconds(2);
    const name = await record(store, "first", expiresAt);
    await until(expiresAt);
    same(await store.compareAndSwap(name, "first", "second", later()), false, "the swap of an expired record");
    same(await store.read(name), null, "the record after that swap");
    same(await other.compareAndSwap(name, null, "third", later()), true, "the first write after the expiry");
    same(await store.read(name), "third", "the new record");
    same(await store.compareAndSwap(name, null, "fourth", later()), false, "another first write");
  },

  "of many first writes over an expired record one succeeds": async ({ store, other, parallel }) => {
    const expiresAt = inSeconds(2);
    const name = await record(store, "first", expiresAt);
    await until(expiresAt);
    const won = await Promise.all(
      Array.from({ length: parallel }, (_, i) =>
        (i % 2 === 0 ? store : other).compareAndSwap(name, null, `${i}`, later()),
      ),
    );
    same(won.filter((answer) => answer).length, 1, "how many succeeded");
    same(await store.read(name), `${won.indexOf(true)}`, "the record");
  },

  "a swap moves the expiry, to a later time and to an earlier one": async ({ store, other }) => {
    const soon = inSeconds(2);
    const [longer, shorter] = [await record(store, "first", soon), await record(store, "first", later())];
    same(await store.compareAndSwap(longer, "first", "second", inSeconds(60)), true, "the swap to a later time");
    same(await store.compareAndSwap(shorter, "first", "second", soon), true, "the swap to an earlier time");
    await until(soon + 1);
    same(await other.read(longer), "second", "the record that was to live longer");
    same(await other.read(shorter), null, "the record that was to live shorter");
  },

  "a swap that is refused does not move the expiry": async ({ store, other }) => {
    const soon = inSeconds(2);
    const [longer, shorter] = [await record(store, "first", later()), await record(store, "first", soon)];
    for (const expected of ["other", null]) {
      same(await store.compareAndSwap(longer, expected, "second", soon), false, "the refused swap");
      same(await store.compareAndSwap(shorter, expected, "second", later()), false, "the refused swap");
    }
    await until(soon + 1);
    same(await other.read(longer), "first", "the record that has not expired");
    same(await other.read(shorter), null, "the record that has expired");
  },

  "a swap whose expiry has passed leaves no record": async ({ store }) => {
    const name = key();
    await store.compareAndSwap(name, null, "first", inSeconds(-10));
    same(await store.read(name), null, "the record");
    same(await store.compareAndSwap(name, null, "second", later()), true, "a first write");
    same(await store.read(name), "second", "the new record");
  },
};

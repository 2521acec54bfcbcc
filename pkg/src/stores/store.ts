/**
 * The contract between sessions and the database that keeps them: all that the author of an adapter has to know.
 * `waxseal/testing` exports the suite that checks an adapter against it.
 */

/**
 * Where sessions are kept: one text, the record, for each subject.
 *
 * **What is stored.** A record is JSON text of at most 60,000 bytes in UTF-8, beyond ASCII where a label is, without NUL
 * characters, and never empty. Its key is `wx1:sessions:` and 43 characters of base64url, in which case matters. Records
 * hold no token, no secret and nothing that signs anybody in. An adapter keeps the text byte for byte and does not read it.
 *
 * **What must hold.** {@link compareAndSwap} decides and writes in one step that nothing can come between, whatever other
 * process, machine or isolate uses the database. Together the two methods are linearizable: a read that begins after a swap
 * was acknowledged sees that swap or a later one. A read replica, a cache or an eventually consistent database cannot keep
 * this promise, and sessions on it can be forked or revived. What was acknowledged must also survive the crash of a process.
 *
 * **What a rejection means.** Nobody knows: a swap that rejects may have been written, now or a little later. An adapter
 * rejects whenever it is not sure, and so for an answer of its client that is neither of the expected ones; it does not turn
 * a failure into `null` or `false`, and does not repeat a swap by itself. It needs no timeout of its own. What it rejects
 * with is not shown to users, and should name no record.
 *
 * **Comparing.** Two texts are equal if they have the same bytes: no collation, no folding of case, no Unicode
 * normalization, no trimming. A text is never written twice under one key, so equality of texts is enough and no separate
 * version is needed.
 *
 * **Expiry.** From `expiresAt` on a record reads as `null`, and `compareAndSwap` treats it as absent. Removing it from the
 * disk may take longer, but must come without anybody reading that key again. Only a swap that was written sets the expiry.
 */
export interface SessionStore {
  /**
   * Reads the record under a key.
   *
   * @returns The text, or `null` if there is none or it has expired; never older than the last acknowledged swap.
   */
  read(key: string): Promise<string | null>;
  /**
   * Writes `next` and its expiry if the record is still exactly `expected`.
   *
   * @param key - As in {@link read}.
   * @param expected - The text that was read; `null` if there was none, and there still must be none.
   * @param next - The new text.
   * @param expiresAt - Whole seconds since 1970-01-01T00:00:00Z; the record is not dropped before. At most 400 days ahead.
   * @returns `true` if it was written, `false` if the record is another one and nothing was changed.
   */
  compareAndSwap(key: string, expected: string | null, next: string, expiresAt: number): Promise<boolean>;
  /** What the adapter promises. For people; nothing reads it. */
  readonly description?: StoreDescription;
}

/** What a session store promises, in words for its users. */
export interface StoreDescription {
  /** What it is, such as `"Redis"`. */
  readonly name: string;
  /** Why a read sees the last acknowledged swap, and when it would not. */
  readonly consistency: string;
  /** How old an answer may be, in seconds: 0 wherever the contract holds. */
  readonly staleness: number;
  /** What it cannot hold or do. */
  readonly limits: string;
  /** How often each method waits for the database: 0 where it is in the same process. */
  readonly roundTrips: { readonly read: number; readonly compareAndSwap: number };
}

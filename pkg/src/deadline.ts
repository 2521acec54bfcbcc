/** Waiting for what belongs to the host, and not for ever. */

/** Stands for what failed or came too late; the core takes it for a failure wherever it is not an answer. */
export const FAILED = undefined;

/** The end of the time that something may take. */
export interface Deadline {
  /** Waits for a call of the host's until the end of the time, and does not begin it after. Never rejects. */
  attempt<T>(run: () => T | Promise<T>): Promise<T | typeof FAILED>;
}

/** Runs something with a deadline, in seconds from now. */
export async function within<T>(seconds: number, run: (deadline: Deadline) => Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let over = false;
  const end = new Promise<typeof FAILED>((resolve) => {
    timer = setTimeout(() => {
      over = true;
      resolve(FAILED);
    }, seconds * 1000);
  });
  try {
    return await run({
      attempt: (call) => (over ? Promise.resolve(FAILED) : Promise.race([settled(call), end])),
    });
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Passes on what is not waited for. Should it be a promise, nobody else will handle its rejection, for which Node would end the
 * process.
 */
export function unawaited<T>(value: T): T {
  // Also of another realm, and whatever calls itself one.
  if (typeof value === "object" && value !== null) Promise.resolve(value).catch(() => undefined);
  return value;
}

async function settled<T>(run: () => T | Promise<T>): Promise<T | typeof FAILED> {
  try {
    return await run();
  } catch {
    return FAILED;
  }
}

/**
 * What the adapter for Durable Objects uses of Cloudflare's runtime. Whoever imports the adapter has the runtime's own
 * declarations, of which these are a part.
 */
declare module "cloudflare:workers" {
  export interface DurableObjectState {
    readonly storage: {
      /** The synchronous API of objects with SQLite storage. */
      readonly kv: {
        get(key: string): unknown;
        put(key: string, value: unknown): void;
      };
      getAlarm(): Promise<number | null>;
      setAlarm(time: number): Promise<void>;
      deleteAll(): Promise<void>;
    };
  }

  export abstract class DurableObject {
    constructor(ctx: DurableObjectState, env: unknown);
    protected ctx: DurableObjectState;
  }
}

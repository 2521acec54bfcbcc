/** The Worker that is measured. */
import { type Batch, Lab } from "../lab.js";
import { everywhere } from "../peers/everywhere.js";
import type { Fixture } from "../tokens.js";

interface Question {
  readonly fixture?: Fixture;
  readonly batch?: Batch;
  readonly control: boolean;
}

let lab: Lab | undefined;

export default {
  async fetch(request: Request): Promise<Response> {
    try {
      const { fixture, batch, control } = (await request.json()) as Question;
      lab ??= new Lab("workerd", everywhere(control));
      if (fixture !== undefined) return Response.json(await lab.load(fixture));
      if (batch !== undefined) await lab.batch(batch);
      return Response.json({});
    } catch (error) {
      return new Response(error instanceof Error ? error.stack : String(error), { status: 500 });
    }
  },
};

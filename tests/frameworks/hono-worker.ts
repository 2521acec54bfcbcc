/** The server in Hono as a Worker, whose keys are in its environment. */
import { honoApp } from "./hono-app.js";
import { type Keys, type World, worldOf } from "./world.js";

let world: World | undefined;

export default honoApp(async (c) => (world ??= await worldOf(JSON.parse((c.env as { KEYS: string }).KEYS) as Keys)));

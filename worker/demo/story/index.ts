/** The story that the demo tells, chapter by chapter. Each step says what should happen and checks that it did. */

import { type Stage, signIn } from "../stage.js";
import { forgeries } from "./forgeries.js";
import { outages } from "./outages.js";
import { planted, stolen } from "./attacks.js";
import { signingIn } from "./signing-in.js";
import { signingOut } from "./signing-out.js";
import { everywhere } from "./everywhere.js";
import { stayingSignedIn } from "./staying-signed-in.js";

export async function tell(stage: Stage): Promise<void> {
  // Signed in first, so that its access token has expired by the time it is wanted.
  const tablet = await signIn(stage, "Ada’s tablet", "ada", stage.hurried);

  const laptop = await signingIn(stage);
  await forgeries(stage, laptop);
  await stayingSignedIn(stage, laptop);
  await stolen(stage, laptop);
  await planted(stage, laptop);
  await signingOut(stage, tablet, laptop);
  await everywhere(stage, laptop);
  await outages(stage, laptop);
}

/** The suites by name, in the order in which they run. */

import type { Suite } from "../harness/types.js";
import { algorithms } from "./algorithms.js";
import { authenticate } from "./authenticate.js";
import { brokenCallbacks } from "./broken-callbacks.js";
import { brokenHost } from "./broken-host.js";
import { brokenModule } from "./broken-module.js";
import { cache } from "./cache.js";
import { claimsSets } from "./claims.js";
import { counted } from "./counted.js";
import { cookies } from "./cookies.js";
import { errors } from "./errors.js";
import { decode, explain } from "./explain.js";
import { fuzzish } from "./fuzzish.js";
import { hostile } from "./hostile.js";
import { issue } from "./issue.js";
import { keyForms } from "./key-forms.js";
import { keys } from "./keys.js";
import { lifecycle } from "./lifecycle.js";
import { limits } from "./limits.js";
import { metrics } from "./metrics.js";
import { models } from "./models.js";
import { options } from "./options.js";
import { padding } from "./padding.js";
import { remote } from "./remote.js";
import { remoteBad } from "./remote-bad.js";
import { remoteFresh } from "./remote-fresh.js";
import { remoteKept } from "./remote-kept.js";
import { revocation } from "./revocation.js";
import { schema } from "./schema.js";
import { secrets } from "./secrets.js";
import { sessionsArriving } from "./sessions-arriving.js";
import { sessionsAuthenticate } from "./sessions-authenticate.js";
import { sessionsEvents } from "./sessions-events.js";
import { sessionsFaults } from "./sessions-faults.js";
import { sessionsKeys } from "./sessions-keys.js";
import { sessionsLifecycle } from "./sessions-lifecycle.js";
import { sessionsLogin } from "./sessions-login.js";
import { sessionsLogout } from "./sessions-logout.js";
import { sessionsModels } from "./sessions-models.js";
import { sessionsOptions } from "./sessions-options.js";
import { sessionsPresented } from "./sessions-presented.js";
import { sessionsRaces } from "./sessions-races.js";
import { sessionsRefresh } from "./sessions-refresh.js";
import { signers } from "./signers.js";
import { steady } from "./steady.js";
import { storeFailures } from "./store-failures.js";
import { tables } from "./tables.js";
import { vectors } from "./vectors.js";
import { verify } from "./verify.js";

export const suites: Record<string, Suite> = {
  verify,
  algorithms,
  padding,
  claims: claimsSets,
  limits,
  keys,
  keyForms,
  issue,
  signers,
  options,
  cookies,
  authenticate,
  revocation,
  cache,
  schema,
  remote,
  remoteFresh,
  remoteBad,
  remoteKept,
  steady,
  storeFailures,
  errors,
  secrets,
  lifecycle,
  explain,
  decode,
  metrics,
  counted,
  tables,
  sessionsLogin,
  sessionsArriving,
  sessionsKeys,
  sessionsAuthenticate,
  sessionsRefresh,
  sessionsPresented,
  sessionsLogout,
  sessionsOptions,
  sessionsEvents,
  sessionsLifecycle,
  sessionsModels,
  sessionsRaces,
  sessionsFaults,
  hostile,
  brokenCallbacks,
  brokenHost,
  brokenModule,
  models,
  fuzzish,
  vectors,
};

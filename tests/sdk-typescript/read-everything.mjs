// Reads every list endpoint with the official TypeScript SDK, one record a page.
//
// Standard input: the JSON object that `cadre demo --json` prints (`url`, `api_key`, `integrations`).
// Standard output: a JSON object with what was seen; the caller compares it. Any answer that the SDK's
// own schemas refuse throws, and the script ends with a non-zero status.
import { readFileSync } from "node:fs";
import { Kombo } from "@kombo-api/sdk";

const LISTS = {
  hris: [
    "getEmployees", "getEmployments", "getGroups", "getLegalEntities", "getLocations", "getAbsenceTypes",
    "getAbsences", "getTimeOffBalances", "getTimesheets", "getEmployeeDocumentCategories",
    "getPerformanceReviewCycles", "getPerformanceReviews", "getStaffingEntities",
  ],
  ats: [
    "getJobs", "getUsers", "getCandidates", "getApplications", "getApplicationStages", "getInterviews",
    "getOffers", "getRejectionReasons", "getRoles", "getTags",
  ],
};

const PAGES_AT_MOST = 60;
const demo = JSON.parse(readFileSync(0, "utf8"));
const { sandboxhris: hris, sandboxats: ats } = demo.integrations;

const client = (integration, key = demo.api_key) =>
  new Kombo({ api_key: key, integration_id: integration, server_url: `${demo.url}/v1` });

async function walk(api, name) {
  const seen = [];
  let pages = 0;
  for await (const page of await api[name]({ page_size: 1 })) {
    seen.push(...(page.result ?? page).data.results.map((record) => record.id));
    if (++pages >= PAGES_AT_MOST) break;
  }
  return { count: seen.length, distinct: new Set(seen).size };
}

async function refused(call) {
  try {
    await call();
  } catch (error) {
    if (error.body === undefined) throw error;
    const body = JSON.parse(error.body).error;
    return {
      class: error.name,
      status: error.statusCode,
      code: body.code,
      title: body.title,
      has_log: Boolean(body.log_url),
      header: error.headers.get("x-cadre-error-code"),
    };
  }
  throw new Error("the call was expected to fail");
}

const out = { lists: {}, errors: {} };
for (const [category, integration] of [["hris", hris], ["ats", ats]]) {
  const api = client(integration)[category];
  for (const name of LISTS[category]) out.lists[name] = await walk(api, name);
}
const general = client(hris).general;
out.environment_id = (await general.checkApiKey()).data.environment_id;
out.integration = (await general.getIntegrationDetails({ integration_id: hris })).data.id;
out.errors = {
  bad_key: await refused(() => client(hris, "ks_prod_wrong").general.checkApiKey()),
  unknown_integration: await refused(() => client("sandboxhris:nobody").hris.getEmployees({})),
  bad_page_size: await refused(() => client(hris).hris.getEmployees({ page_size: 0 })),
  wrong_category: await refused(() => client(ats).hris.getEmployees({})),
};
process.stdout.write(JSON.stringify(out));

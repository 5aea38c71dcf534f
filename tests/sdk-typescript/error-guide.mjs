// The three scenarios of the error guide with the official TypeScript SDK.
//
// Standard input: the JSON object that `cadre demo --json` prints. Standard output: a JSON object with the error of
// each scenario as the SDK shows it, and how often the tool was asked meanwhile.
import { readFileSync } from "node:fs";
import { Kombo } from "@kombo-api/sdk";

const demo = JSON.parse(readFileSync(0, "utf8"));
const client = new Kombo({
  api_key: demo.api_key, integration_id: demo.integrations.sandboxats, server_url: `${demo.url}/v1`, timeout_ms: 90_000,
});

async function admin(method, path, body) {
  const headers = { "Content-Type": "application/json" };
  const answer = await fetch(`${demo.sandbox_url}/admin/${path}`, { method, headers, body: body && JSON.stringify(body) });
  const text = await answer.text();
  if (!answer.ok) throw new Error(text);
  return text ? JSON.parse(text) : undefined;
}

const page = await client.ats.getJobs({ statuses: ["OPEN"], page_size: 1 });
const job_id = (page.result ?? page).data.results[0].id;
const out = { asked: {} };

// Without retries of the client's own: what is retried, the server retries.
const apply = (email_address) =>
  client.ats.createApplication(
    { job_id, body: { candidate: { first_name: "Ada", last_name: "Lovelace", email_address } } },
    { retries: { strategy: "none" } },
  );

async function refused(name, email) {
  await admin("DELETE", "requests");
  let caught;
  try {
    await apply(email);
  } catch (error) {
    caught = error;
  }
  if (caught?.data$ === undefined) throw caught ?? new Error("the call was expected to fail");
  const told = caught.data$.error;
  out[name] = {
    class: caught.name, status: caught.statusCode, code: told.code, title: told.title, message: told.message,
    has_log: Boolean(told.log_url),
  };
  const seen = await admin("GET", "requests");
  out.asked[name] = seen.filter((one) => one.method === "POST" && one.path === "/ats/v1/applications").length;
}

await refused("invalid", "nobody");
out.applied = Boolean((await apply("ada.lovelace@post.example")).data.id);
await refused("twice", "ada.lovelace@post.example");
const match = { method: "POST", path: "/ats/v1/applications" };
await admin("POST", "faults", { match, fault: "status", status: 503, times: 0 });
await refused("down", "grace.hopper@post.example");
process.stdout.write(JSON.stringify(out));

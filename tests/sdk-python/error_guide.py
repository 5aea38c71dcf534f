"""The three scenarios of the error guide with the official Python SDK.

Standard input: the JSON object that `cadre demo --json` prints. Standard output: a JSON object with the error of
each scenario as the SDK shows it, and how often the tool was asked meanwhile.
"""

import json
import sys
import urllib.request

from kombo import Kombo
from kombo.errors import KomboAtsError


def admin(demo, method, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(demo["sandbox_url"] + "/admin/" + path, data, headers, method=method)
    with urllib.request.urlopen(request) as answer:
        text = answer.read()
    return json.loads(text) if text else None


def main():
    demo = json.load(sys.stdin)
    client = Kombo(
        api_key=demo["api_key"], integration_id=demo["integrations"]["sandboxats"],
        server_url=demo["url"] + "/v1", timeout_ms=90_000,
    )
    job = client.ats.get_jobs(statuses=["OPEN"], page_size=1).result.data.results[0].id
    out = {"asked": {}}

    def apply(email):
        # Without retries of the client's own: what is retried, the server retries.
        candidate = {"first_name": "Ada", "last_name": "Lovelace", "email_address": email}
        return client.ats.create_application(job_id=job, candidate=candidate, retries=None)

    def refused(name, email):
        admin(demo, "DELETE", "requests")
        try:
            apply(email)
        except KomboAtsError as error:
            told = error.data.error
            out[name] = {
                "class": type(error).__name__, "status": error.status_code, "code": told.code, "title": told.title,
                "message": told.message, "has_log": bool(told.log_url),
            }
        else:
            raise AssertionError("the call was expected to fail")
        seen = admin(demo, "GET", "requests")
        posts = [one for one in seen if one["method"] == "POST" and one["path"] == "/ats/v1/applications"]
        out["asked"][name] = len(posts)

    refused("invalid", "nobody")
    out["applied"] = bool(apply("ada.lovelace@post.example").data.id)
    refused("twice", "ada.lovelace@post.example")
    match = {"method": "POST", "path": "/ats/v1/applications"}
    admin(demo, "POST", "faults", {"match": match, "fault": "status", "status": 503, "times": 0})
    refused("down", "grace.hopper@post.example")
    json.dump(out, sys.stdout)


main()

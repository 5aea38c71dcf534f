"""Reads every list endpoint with the official Python SDK, one record a page.

Standard input: the JSON object that `cadre demo --json` prints (`url`, `api_key`, `integrations`).
Standard output: a JSON object with what was seen; the caller compares it. Any answer that the SDK's
own models refuse raises, and the script ends with a non-zero status.
"""

import json
import sys

from kombo import Kombo
from kombo.errors import SDKError

LISTS = {
    "hris": [
        "get_employees", "get_employments", "get_groups", "get_legal_entities", "get_locations",
        "get_absence_types", "get_absences", "get_time_off_balances", "get_timesheets",
        "get_employee_document_categories", "get_performance_review_cycles", "get_performance_reviews",
        "get_staffing_entities", "get_hris_pay_runs", "get_hris_payslips",
    ],
    "ats": [
        "get_jobs", "get_users", "get_candidates", "get_applications", "get_application_stages",
        "get_interviews", "get_offers", "get_rejection_reasons", "get_roles", "get_tags", "get_notes",
        "get_ats_scorecards", "get_ats_attachments",
    ],
}

PAGES_AT_MOST = 60


def client(demo, integration, key=None):
    return Kombo(
        api_key=key or demo["api_key"],
        integration_id=integration,
        server_url=demo["url"] + "/v1",
        timeout_ms=30_000,
    )


def walk(method):
    """The ids of the first pages, read one record a page, and whether all pages held one."""
    seen, pages = [], 0
    answer = method(page_size=1)
    while answer is not None and pages < PAGES_AT_MOST:
        pages += 1
        seen += [record.id for record in answer.result.data.results]
        answer = answer.next()
    return seen


def refused(call):
    """The envelope of the error that a call ends with."""
    try:
        call()
    except SDKError as error:
        body = json.loads(error.body)["error"]
        return {
            "class": type(error).__name__,
            "status": error.status_code,
            "code": body["code"],
            "title": body["title"],
            "has_log": bool(body["log_url"]),
            "header": error.headers.get("x-cadre-error-code"),
        }
    raise AssertionError("the call was expected to fail")


def main():
    demo = json.load(sys.stdin)
    hris, ats = demo["integrations"]["sandboxhris"], demo["integrations"]["sandboxats"]
    out = {"lists": {}, "errors": {}}
    for category, integration in (("hris", hris), ("ats", ats)):
        api = getattr(client(demo, integration), category)
        for name in LISTS[category]:
            seen = walk(getattr(api, name))
            out["lists"][name] = {"count": len(seen), "distinct": len(set(seen))}
    assessment = client(demo, ats).assessment
    package = {"id": "sums", "type": "SKILLS_TEST", "name": "Sums", "description": "Adding up."}
    assessment.set_packages(packages=[package])
    out["packages"] = [one.id for one in assessment.get_packages().data.packages]
    orders = assessment.get_assessment_orders(page_size=1)
    out["orders"] = len(orders.result.data.results)
    general = client(demo, hris).general
    out["environment_id"] = general.check_api_key().data.environment_id
    out["integration"] = general.get_integration_details(integration_id=hris).data.id
    out["sync"] = bool(general.trigger_sync(type_="FULL").data.sync_id)
    out["errors"] = {
        "bad_key": refused(lambda: client(demo, hris, "ks_prod_wrong").general.check_api_key()),
        "unknown_integration": refused(lambda: client(demo, "sandboxhris:nobody").hris.get_employees()),
        "bad_page_size": refused(lambda: client(demo, hris).hris.get_employees(page_size=0)),
        "wrong_category": refused(lambda: client(demo, ats).hris.get_employees()),
    }
    json.dump(out, sys.stdout)


main()

//! Identity providers push people and groups. Requests and answers are those of RFC 7644 and of the
//! documentation of Entra ID
//! (<https://learn.microsoft.com/en-us/entra/identity/app-provisioning/use-scim-to-provision-users-and-groups>)
//! and Okta (<https://developer.okta.com/docs/api/openapi/okta-scim/guides/scim-20>).

use std::path::Path;
use std::sync::Arc;

use cadre_jobs::catalog::{Catalog, Folder};
use cadre_jobs::scim::address;
use cadre_jobs::worker::drain;
use cadre_store::{IntegrationScope, InteractionFilter, InteractionKind};
use cadre_web::WebSettings;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::app::{Answer, TestApp, on_both};

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// An integration that is pushed to.
struct Provider<'a> {
    app: &'a TestApp,
    integration: String,
    scope: IntegrationScope,
    base: String,
    bearer: String,
}

impl<'a> Provider<'a> {
    async fn new(app: &'a mut TestApp) -> Provider<'a> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../connectors/scim");
        let catalog = Catalog::load([Folder::read(&folder).expect("a folder")]);
        app.state.parts.catalog = Arc::new(catalog.map_err(|p| format!("{p:?}")).expect("valid"));
        let settings = Arc::make_mut(&mut app.state.parts.settings);
        settings.public_url = Some("https://cadre.example.com".to_owned());
        app.router = cadre_web::router(app.state.clone());
        let integration = app.connect("scim", json!({})).await;
        let scope = app.integration(&integration).await;
        let (url, hook) =
            address(&app.state.parts, &scope).await.expect("a store").expect("an address");
        let base = url.strip_prefix("https://cadre.example.com").expect("a path").to_owned();
        let bearer = format!("Bearer {}", hook.secret.expose());
        Provider { app, integration, scope, base, bearer }
    }

    async fn ask(&self, method: &str, path: &str, body: Value) -> Answer {
        self.ask_with(method, path, body, &[]).await
    }

    async fn ask_with(
        &self,
        method: &str,
        path: &str,
        body: Value,
        headers: &[(&'static str, &str)],
    ) -> Answer {
        let path = format!("{}{}", self.base, path.replace(' ', "%20").replace('"', "%22"));
        let mut call = self.app.request(method, &path).header("authorization", &self.bearer);
        call = call.header("content-type", "application/scim+json");
        for (name, value) in headers {
            call = call.header(name, value);
        }
        if body.is_null() { call.send().await } else { call.raw(body.to_string()).send().await }
    }

    async fn patch(&self, path: &str, operations: Value) -> Answer {
        let body = json!({"schemas": [PATCH], "Operations": operations});
        self.ask("PATCH", path, body).await
    }

    async fn made(&self, path: &str, body: Value) -> String {
        let answer = self.ask("POST", path, body).await;
        assert_eq!(answer.status, 201, "{}", answer.json);
        answer.json["id"].as_str().expect("an id").to_owned()
    }

    /// Lets what was pushed become records.
    async fn settle(&self) {
        for _ in 0..3 {
            self.app.clock.advance(SignedDuration::from_secs(5));
            drain(&self.app.state.parts).await.expect("the jobs are done");
        }
    }

    async fn records(&self, path: &str) -> Vec<Value> {
        let call = self.app.request("GET", path).key(&self.app.tenant.key);
        let answer = call.integration(&self.integration).send().await;
        assert_eq!(answer.status, 200, "{}", answer.json);
        answer.json["data"]["results"].as_array().expect("records").clone()
    }
}

fn babs() -> Value {
    json!({
        "schemas": [USER, ENTERPRISE], "userName": "bjensen@example.com", "externalId": "701984",
        "name": {"givenName": "Barbara", "familyName": "Jensen"}, "displayName": "Babs Jensen",
        "title": "Tour Guide", "active": true, "password": "t1meMa$heen",
        "emails": [{"value": "bjensen@example.com", "type": "work", "primary": true},
                   {"value": "babs@jensen.org", "type": "home"}],
        ENTERPRISE: {"employeeNumber": "701984", "department": "Tour Operations"},
    })
}

fn refused(answer: &Answer, status: u16, word: Option<&str>) {
    assert_eq!(answer.status, status, "{}", answer.json);
    assert_eq!(answer.json["schemas"], json!(["urn:ietf:params:scim:api:messages:2.0:Error"]));
    assert_eq!(answer.json["status"], status.to_string(), "the status is text");
    assert_eq!(answer.json["scimType"].as_str(), word, "{}", answer.json);
    assert!(answer.json["detail"].as_str().is_some_and(|words| !words.is_empty()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_pushed_becomes_records() {
    on_both(WebSettings::default(), async |mut app| {
        let provider = Provider::new(&mut app).await;
        let id = provider.made("/Users", babs()).await;
        let boss = json!({"userName": "boss@example.com", "active": true,
                          "name": {"givenName": "Ada", "familyName": "Boss"}});
        let boss = provider.made("/Users", boss).await;
        provider.settle().await;
        let people = provider.records("/v1/hris/employees").await;
        assert_eq!(people.len(), 2);
        let of = |people: &[Value], id: &str| {
            people.iter().find(|one| one["remote_id"] == id).cloned().expect("the employee")
        };
        let one = of(&people, &id);
        assert_eq!(one["last_name"], "Jensen");
        assert_eq!(one["work_email"], "bjensen@example.com");
        assert_eq!(one["personal_email"], "babs@jensen.org");
        assert_eq!(one["employment_status"], "ACTIVE");

        // A group with a member, a manager by id alone, and a leaver: as Entra ID sends them.
        let group = json!({"displayName": "Tour Guides", "members": [{"value": id}]});
        let group = provider.made("/Groups", group).await;
        let place = format!("/Users/{id}");
        let done = provider.patch(
            &place,
            json!([
                {"op": "Add", "path": format!("{ENTERPRISE}:manager"), "value": boss},
                {"op": "Replace", "path": "active", "value": "False"},
            ]),
        );
        assert_eq!(done.await.status, 200);
        provider.settle().await;
        let one = of(&provider.records("/v1/hris/employees").await, &id);
        assert_eq!(one["employment_status"], "INACTIVE");
        assert_eq!(one["manager"]["remote_id"], boss);
        let groups = one["groups"].as_array().expect("groups");
        assert!(groups.iter().any(|one| one["name"] == "Tour Guides"), "{one}");

        // Gone from the group, then gone.
        let gone = json!([{"op": "Remove", "path": "members", "value": [{"value": id}]}]);
        assert_eq!(provider.patch(&format!("/Groups/{group}"), gone).await.status, 200);
        provider.settle().await;
        let one = of(&provider.records("/v1/hris/employees").await, &id);
        assert!(!one["groups"].to_string().contains("Tour Guides"), "{one}");
        assert_eq!(provider.ask("DELETE", &format!("/Users/{id}"), Value::Null).await.status, 204);
        refused(&provider.ask("GET", &format!("/Users/{id}"), Value::Null).await, 404, None);
        provider.settle().await;
        assert_eq!(provider.records("/v1/hris/employees").await.len(), 1);
        // A full sync, which reads the directory as it reads any service, agrees.
        let trigger = cadre_store::RunTrigger::ForceSync;
        let full = cadre_store::RunKind::Full;
        let run = cadre_jobs::enqueue_sync(&provider.app.store, &provider.scope, full, trigger);
        let run = run.await.expect("a run");
        provider.settle().await;
        let run = provider.app.store.run_get(&provider.scope, &run.run_id).await;
        let run = run.expect("a store").expect("a run");
        let receipt = &run.counts["receipt"]["models"]["hris_employees"];
        assert_eq!((run.state.as_str(), &receipt["proof"]), ("SUCCEEDED", &json!("complete")));
        assert_eq!(provider.records("/v1/hris/employees").await.len(), 1);
        // What was pushed is in the log as calls of the tool, without the people.
        let filter = InteractionFilter {
            kind: Some(InteractionKind::WebhookIn),
            limit: 100,
            ..InteractionFilter::default()
        };
        let scope = &provider.app.tenant.scope;
        let kept = provider.app.store.interaction_list(scope, &filter).await.expect("a store");
        assert!(kept.len() >= 5);
        let text = format!("{kept:?}");
        assert!(!text.contains("bjensen") && !text.contains("t1meMa$heen"), "{text}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn looking_and_changing_as_the_standard_says() {
    on_both(WebSettings::default(), async |mut app| {
        let provider = Provider::new(&mut app).await;
        // Entra ID probes for somebody who is not there.
        let probe = provider.ask("GET", "/Users?filter=userName eq \"nobody\"", Value::Null).await;
        assert_eq!(probe.status, 200);
        assert_eq!(probe.json["totalResults"], 0);
        let answer = provider.ask("POST", "/Users", babs()).await;
        assert_eq!(answer.status, 201);
        let id = answer.json["id"].as_str().expect("an id").to_owned();
        let location = answer.headers["location"].to_str().expect("text").to_owned();
        assert!(location.ends_with(&format!("/Users/{id}")), "{location}");
        assert_eq!(answer.json["meta"]["location"], location);
        assert_eq!(answer.headers["content-type"], "application/scim+json");
        assert!(answer.json.get("password").is_none());
        let mut same = babs();
        same["userName"] = "BJENSEN@example.com".into();
        refused(&provider.ask("POST", "/Users", same).await, 409, Some("uniqueness"));
        refused(&provider.ask("POST", "/Users", json!({})).await, 400, Some("invalidValue"));

        let found = async |filter: &str| {
            let path = format!("/Users?filter={filter}");
            let answer = provider.ask("GET", &path, Value::Null).await;
            assert_eq!(answer.status, 200, "{filter}: {}", answer.json);
            answer.json["totalResults"].as_u64().expect("a number")
        };
        for (filter, count) in [
            ("username EQ \"bjensen@EXAMPLE.com\"", 1),
            ("externalId eq \"701984\"", 1),
            ("name.familyName co \"ens\"", 1),
            ("title pr and not (userType eq \"Intern\")", 1),
            ("emails[type eq \"work\" and value ew \"@example.com\"]", 1),
            ("emails eq \"babs@jensen.org\"", 1),
            ("active eq \"True\"", 1),
            ("meta.lastModified gt \"2011-05-13T04:42:34Z\"", 1),
            ("meta.lastModified lt \"2011-05-13T04:42:34Z\"", 0),
            (
                "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department sw \"Tour\"",
                1,
            ),
            ("(title eq \"x\" or title sw \"tour\") and active eq true", 1),
            ("userName ne \"bjensen@example.com\"", 0),
        ] {
            assert_eq!(found(filter).await, count, "{filter}");
        }
        for wrong in [
            "userName eq",
            "userName is \"x\"",
            "(userName pr",
            "eq \"x\"",
            "userName eq \"x\" xor",
        ] {
            let answer = provider.ask("GET", &format!("/Users?filter={wrong}"), Value::Null).await;
            refused(&answer, 400, Some("invalidFilter"));
        }

        // Versions.
        let user = format!("/Users/{id}");
        let first = provider.ask("GET", &user, Value::Null).await;
        let tag = first.headers["etag"].to_str().expect("text").to_owned();
        let known = [("if-none-match", tag.as_str())];
        assert_eq!(provider.ask_with("GET", &user, Value::Null, &known).await.status, 304);
        let title = json!({"Operations": [{"op": "replace", "path": "title", "value": "Chief"}]});
        let old = [("if-match", "W/\"99\"")];
        refused(&provider.ask_with("PATCH", &user, title.clone(), &old).await, 412, None);
        let mine = [("if-match", tag.as_str())];
        assert_eq!(provider.ask_with("PATCH", &user, title, &mine).await.json["title"], "Chief");
        refused(&provider.ask_with("DELETE", &user, Value::Null, &mine).await, 412, None);

        // What an answer holds.
        let place = format!("{user}?attributes=userName,name.givenName");
        let some = provider.ask("GET", &place, Value::Null).await.json;
        assert_eq!(some["name"], json!({"givenName": "Barbara"}));
        assert!(some.get("emails").is_none() && some["id"] == id, "{some}");
        let place = format!("{user}?excludedAttributes=emails");
        let without = provider.ask("GET", &place, Value::Null).await.json;
        assert!(without.get("emails").is_none() && without["title"] == "Chief", "{without}");

        // Replaced: what is not said is gone, what cannot be changed stays.
        let put = json!({"id": "mine", "userName": "bjensen@example.com", "active": "true"});
        let put = provider.ask("PUT", &user, put).await.json;
        assert_eq!((&put["id"], &put["active"]), (&json!(id), &json!(true)));
        assert!(put.get("title").is_none() && put.get("emails").is_none(), "{put}");

        // Pages and order.
        for name in ["d", "b", "c"] {
            provider.made("/Users", json!({"userName": name, "title": name})).await;
        }
        let page = provider.ask("GET", "/Users?sortBy=userName&startIndex=2&count=2", Value::Null);
        let page = page.await.json;
        let names: Vec<&Value> = page["Resources"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|one| &one["userName"])
            .collect();
        assert_eq!(names, [&json!("bjensen@example.com"), &json!("c")]);
        assert_eq!((&page["totalResults"], &page["itemsPerPage"]), (&json!(4), &json!(2)));
        let none = provider.ask("GET", "/Users?count=0", Value::Null).await.json;
        assert_eq!((&none["totalResults"], &none["itemsPerPage"]), (&json!(4), &json!(0)));
        let posted = json!({"filter": "userName eq \"d\"", "attributes": ["userName"]});
        let posted = provider.ask("POST", "/Users/.search", posted).await.json;
        assert_eq!(posted["totalResults"], 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn patches_as_large_providers_send_them() {
    on_both(WebSettings::default(), async |mut app| {
        let provider = Provider::new(&mut app).await;
        let id = provider.made("/Users", babs()).await;
        let user = format!("/Users/{id}");
        let patched = async |operations: Value| {
            let answer = provider.patch(&user, operations.clone()).await;
            assert_eq!(answer.status, 200, "{operations}: {}", answer.json);
            answer.json
        };
        // Okta switches people off without a path.
        let off = patched(json!([{"op": "replace", "value": {"active": false}}])).await;
        assert_eq!(off["active"], false);
        // Entra ID: dotted names and schemas as keys.
        let mut value = serde_json::Map::new();
        value.insert("name.givenName".into(), "Babsy".into());
        value.insert(format!("{ENTERPRISE}:department"), "Sales".into());
        value.insert("displayName".into(), "Babsy J".into());
        let keyed = patched(json!([{"op": "Add", "value": value}])).await;
        assert_eq!(keyed["name"], json!({"givenName": "Babsy", "familyName": "Jensen"}));
        assert_eq!(keyed[ENTERPRISE]["department"], "Sales");
        // A condition that nothing meets makes the value, one that something meets changes it.
        let phone = patched(json!([
            {"op": "Add", "path": "phoneNumbers[type eq \"mobile\"].value", "value": "555-1"},
            {"op": "Replace", "path": "emails[type eq \"work\"].value", "value": "b@example.com"},
            {"op": "Replace", "path": "addresses[type eq \"work\"].locality", "value": "Oslo"},
        ]));
        let phone = phone.await;
        assert_eq!(phone["phoneNumbers"], json!([{"type": "mobile", "value": "555-1"}]));
        assert_eq!(phone["emails"][0]["value"], "b@example.com");
        assert_eq!(phone["addresses"], json!([{"type": "work", "locality": "Oslo"}]));
        // A new main value takes the mark from the old one.
        let main = json!([{"op": "add", "path": "emails",
                           "value": [{"value": "n@example.com", "type": "other", "primary": "True"}]}]);
        let main = patched(main).await;
        let marked: Vec<&Value> = main["emails"].as_array().expect("a list").iter()
            .filter(|one| one["primary"] == true).map(|one| &one["value"]).collect();
        assert_eq!(marked, [&json!("n@example.com")]);
        let less = patched(json!([
            {"op": "remove", "path": "emails[type eq \"other\"]"},
            {"op": "remove", "path": "title"},
            {"op": "Remove", "path": "name.givenName"},
        ]));
        let less = less.await;
        assert_eq!(less["emails"].as_array().map(Vec::len), Some(2));
        assert!(less.get("title").is_none() && less["name"].get("givenName").is_none(), "{less}");
        // Nothing changed: the version stays.
        let same = patched(json!([{"op": "replace", "path": "active", "value": false}])).await;
        assert_eq!(same["meta"]["version"], less["meta"]["version"]);

        let wrong = async |operations: Value, word: &str| {
            refused(&provider.patch(&user, operations).await, 400, Some(word));
        };
        wrong(json!([{"op": "replace", "path": "id", "value": "x"}]), "mutability").await;
        wrong(json!([{"op": "remove"}]), "noTarget").await;
        wrong(json!([{"op": "replace", "path": "emails[type co \"zz\"].value", "value": "x"}]), "noTarget").await;
        wrong(json!([{"op": "replace", "path": "emails[type eq", "value": "x"}]), "invalidPath").await;
        wrong(json!([{"op": "replace", "path": "active", "value": "perhaps"}]), "invalidValue").await;
        wrong(json!([{"op": "jump", "path": "title", "value": "x"}]), "invalidSyntax").await;
        wrong(json!([{"op": "remove", "path": "userName"}]), "invalidValue").await;

        // Groups: members come and go in pages.
        let group = provider.made("/Groups", json!({"displayName": "All"})).await;
        let place = format!("/Groups/{group}");
        let many: Vec<Value> = (0..150).map(|at| json!({"$ref": null, "value": format!("u{at}")})).collect();
        let added = provider.patch(&place, json!([{"op": "Add", "path": "members", "value": many}])).await;
        assert_eq!(added.json["members"].as_array().map(Vec::len), Some(150));
        let again = json!([{"op": "Add", "path": "members", "value": [{"value": "u3"}]}]);
        assert_eq!(provider.patch(&place, again).await.json["members"].as_array().map(Vec::len), Some(150));
        let one = json!([{"op": "remove", "path": "members[value eq \"u3\"]"}]);
        assert_eq!(provider.patch(&place, one).await.json["members"].as_array().map(Vec::len), Some(149));
        let list = provider.ask("GET", "/Groups?filter=displayName eq \"all\"&excludedAttributes=members", Value::Null);
        let list = list.await.json;
        assert_eq!(list["totalResults"], 1);
        assert!(list["Resources"][0].get("members").is_none());
        let none = provider.patch(&place, json!([{"op": "remove", "path": "members"}])).await;
        assert!(none.json.get("members").is_none());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_who_has_the_token_may_push() {
    on_both(WebSettings::default(), async |mut app| {
        let provider = Provider::new(&mut app).await;
        let path = format!("{}/Users", provider.base);
        let app = provider.app;
        for authorization in ["", "Bearer wrong", "Bearer ", "Basic Og=="] {
            let call = app.request("GET", &path).header("authorization", authorization);
            let answer = call.send().await;
            refused(&answer, 401, None);
            assert_eq!(answer.headers["www-authenticate"], "Bearer");
        }
        let elsewhere = app.request("GET", "/scim/nobody/v2/Users");
        refused(&elsewhere.header("authorization", &provider.bearer).send().await, 401, None);
        for path in ["/ServiceProviderConfig", "/Schemas", "/ResourceTypes", "/ResourceTypes/User"]
        {
            assert_eq!(provider.ask("GET", path, Value::Null).await.status, 200, "{path}");
        }
        refused(&provider.ask("POST", "/Schemas", json!({})).await, 405, None);
        let all = provider.ask("POST", "/.search", json!({"filter": "id pr"})).await;
        assert_eq!((all.status.as_u16(), &all.json["totalResults"]), (200, &json!(0)));
        refused(&provider.ask("POST", "/Bulk", json!({})).await, 501, None);
        refused(&provider.ask("GET", "/Nothing", Value::Null).await, 404, None);
        let status = cadre_store::IntegrationStatus::Inactive;
        app.store.integration_status_set(&provider.scope, status, None).await.expect("a store");
        refused(&provider.ask("GET", "/Users", Value::Null).await, 403, None);
    })
    .await;
}

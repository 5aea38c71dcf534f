//! What callers may change.

use jiff::civil::Date;
use serde_json::{Value, json};

use super::BambooHr;
use super::dress::{HOURS_A_DAY, request};
use crate::twin::Vendor;
use crate::twin::call::{Call, Reply};
use crate::twin::house::{House, Subscriber, text};

impl BambooHr {
    pub(super) fn hire(&self, house: &mut House, call: &Call) -> Reply {
        let body = call.json().unwrap_or_default();
        if text(&body, "firstName").is_empty() || text(&body, "lastName").is_empty() {
            return self.error(400, "firstName and lastName are required");
        }
        let fields = match self.given(house, &body, None) {
            Ok(fields) => fields,
            Err(refusal) => return refusal,
        };
        let mut row = json!({"email": null, "status": "active", "end": null, "gender": null});
        if let (Value::Object(row), Value::Object(fields)) = (&mut row, fields) {
            row.extend(fields);
        }
        let id = house.add("people", row);
        Reply::empty(201).with("location", format!("{}/api/v1/employees/{id}", call.base))
    }

    pub(super) fn update(&self, house: &mut House, id: &str, call: &Call) -> Reply {
        if house.get("people", id).is_null() {
            return self.error(404, "Employee not found");
        }
        match self.given(house, &call.json().unwrap_or_default(), Some(id)) {
            Ok(fields) => {
                house.change("people", id, fields);
                Reply::empty(200)
            }
            Err(refusal) => refusal,
        }
    }

    /// The fields of a person that a body names.
    fn given(&self, house: &House, body: &Value, own: Option<&str>) -> Result<Value, Reply> {
        let mut fields = json!({});
        let plain = [
            ("firstName", "first"),
            ("lastName", "last"),
            ("workEmail", "email"),
            ("homeEmail", "private_email"),
            ("mobilePhone", "phone"),
            ("jobTitle", "title"),
            ("address1", "street"),
            ("city", "city"),
            ("zipcode", "zip"),
            ("country", "country"),
        ];
        for (theirs, ours) in plain {
            if !body[theirs].is_null() {
                fields[ours] = body[theirs].clone();
            }
        }
        if let Some(gender) = body["gender"].as_str() {
            fields["gender"] = gender.to_lowercase().into();
        }
        for (theirs, ours) in
            [("hireDate", "start"), ("dateOfBirth", "birthday"), ("terminationDate", "end")]
        {
            match body[theirs].as_str() {
                Some(day) if day.parse::<Date>().is_ok() => fields[ours] = day.into(),
                Some(_) => return Err(self.error(409, &format!("Invalid value for {theirs}"))),
                None => {}
            }
        }
        for (theirs, list, ours) in
            [("department", "departments", "department"), ("location", "offices", "office")]
        {
            if let Some(row) = house.find(list, |row| row["name"] == body[theirs]) {
                fields[ours] = row["id"].clone();
            }
        }
        let email = text(body, "workEmail");
        let taken = |row: &Value| {
            text(row, "email").eq_ignore_ascii_case(email)
                && Some(row["id"].to_string().as_str()) != own
        };
        if !email.is_empty() && house.find("people", taken).is_some() {
            return Err(self.error(409, "Duplicate email: the work email is already in use"));
        }
        Ok(fields)
    }

    pub(super) fn ask(&self, house: &mut House, id: &str, call: &Call) -> Reply {
        let body = call.json().unwrap_or_default();
        if house.get("people", id).is_null() {
            return self.error(404, "Employee not found");
        }
        let number = |value: &Value| value.as_u64().or_else(|| value.as_str()?.parse().ok());
        let kind = number(&body["timeOffTypeId"]).unwrap_or(0);
        if house.get("absence_types", kind).is_null() {
            return self.error(400, "Invalid time off type");
        }
        let bound = |name: &str| text(&body, name).parse::<Date>().ok();
        let (Some(from), Some(until)) = (bound("start"), bound("end")) else {
            return self.error(400, "Invalid start or end");
        };
        let state = match body["status"].as_str() {
            Some("approved") => "approved",
            Some("requested") => "requested",
            _ => return self.error(400, "Invalid status"),
        };
        if until < from {
            return self.error(400, "The end is before the start");
        }
        let amount = body["amount"].as_f64().or_else(|| body["amount"].as_str()?.parse().ok());
        let hours = house.get("absence_types", kind)["unit"] == "hour";
        let whole = f64::from((until - from).get_days()) + 1.0;
        let days = amount.map_or(whole, |amount| if hours { amount / HOURS_A_DAY } else { amount });
        let note = body["notes"][0]["note"].clone();
        let made = house.add(
            "absences",
            json!({"person": id.parse::<u64>().ok(), "type": kind, "from": from.to_string(),
                "until": until.to_string(), "half_start": false, "half_end": false, "days": days,
                "state": state, "note": note}),
        );
        let body = request(house, house.get("absences", made));
        Reply::json(201, &body)
            .with("location", format!("{}/api/v1/time_off/requests/{made}", call.base))
    }

    pub(super) fn decide(&self, house: &mut House, id: &str, call: &Call) -> Reply {
        if house.get("absences", id).is_null() {
            return self.error(404, "The time off request does not exist");
        }
        let body = call.json().unwrap_or_default();
        let state = match body["status"].as_str() {
            Some("approved") => "approved",
            Some("canceled") => "cancelled",
            Some("denied" | "declined") => "rejected",
            _ => return self.error(400, "Invalid status"),
        };
        house.change("absences", id, json!({"state": state}));
        Reply::empty(200)
    }

    pub(super) fn keep(&self, house: &mut House, id: &str, call: &Call) -> Reply {
        use base64::Engine as _;
        if house.get("people", id).is_null() {
            return self.error(404, "Employee not found");
        }
        let parts = call.parts();
        let part = |name: &str| parts.iter().find(|part| part.name == name);
        let (Some(name), Some(kind), Some(file)) =
            (part("fileName"), part("category"), part("file"))
        else {
            return self.error(400, "fileName, category and file are required");
        };
        let words = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let kept = json!({"owner": "people", "of": id.parse::<u64>().ok(), "name": words(&name.bytes),
            "kind": words(&kind.bytes),
            "base64": base64::engine::general_purpose::STANDARD.encode(&file.bytes)});
        let made = house.add("files", kept);
        Reply::empty(201)
            .with("location", format!("{}/api/v1/employees/{id}/files/{made}", call.base))
    }
}

pub(super) fn subscribe(house: &mut House, call: &Call) -> Reply {
    let body = call.json().unwrap_or_default();
    let id = house.subscribers.len() as u64 + 1;
    let secret = format!("twin-private-key-{id}");
    let url = text(&body, "url").to_owned();
    let made =
        json!({"id": id.to_string(), "name": body["name"], "url": url, "privateKey": secret});
    house.subscribers.push(Subscriber { id, url, secret, events: Vec::new() });
    Reply::json(201, &made)
}

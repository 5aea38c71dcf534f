//! Workday: the web service `Human_Resources` over SOAP, and a report of workers as a service.
//!
//! Written from the description of the service,
//! <https://community.workday.com/sites/default/files/file-hosting/productionapi/Human_Resources/v44.0/Human_Resources.html>,
//! and for reports from <https://docs.workato.com/en/connectors/workday/workday_raas>: a user name token in
//! the header; pages by `Page` and `Count` of at most 999 with `Total_Pages`; references as lists of ids
//! told apart by `type`; booleans as 1 and 0; days that may carry a zone; workers who left unless they are
//! excluded; changes of a window by `Transaction_Log_Criteria_Data`; every fault with status 500. A report
//! is one answer without pages, refused in XML whatever was asked for.
//!
//! Not documented, so chosen: the words of a task that is not allowed, as callers report them.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::RateLimit;
use crate::twin::call::{Call, Reply};
use crate::twin::house::{House, full_name, text};
use crate::twin::{Vendor, page};

const USER: &str = "ISU_Cadre";
const TENANT: &str = "twin";

#[derive(Debug)]
pub(crate) struct Workday;

impl Vendor for Workday {
    fn credentials(&self, seed: u64) -> Vec<(&'static str, String)> {
        vec![
            ("tenant", TENANT.to_owned()),
            ("username", USER.to_owned()),
            ("password", format!("twin-isu-password-{seed}")),
        ]
    }

    fn budget(&self) -> Option<RateLimit> {
        None
    }

    fn error(&self, status: u16, words: &str) -> Reply {
        match status {
            401 => fault("Client.authenticationError", "invalid username or password"),
            403 => fault(
                "Server.processingError",
                "Processing error occurred. The task submitted is not authorized.",
            ),
            400 | 404 | 422 => {
                fault("Client.validationError", &format!("Validation error occurred. {words}"))
            }
            // What stands before the service answers for it.
            _ => Reply::text(
                status,
                "text/html; charset=utf-8",
                format!("<h1>{status}</h1><p>{words}</p>"),
            ),
        }
    }

    fn throttled(&self, seconds: u64, _: Timestamp) -> Reply {
        self.error(429, "Too many requests").with("retry-after", seconds)
    }

    fn answer(&self, house: &mut House, call: &Call) -> Reply {
        let segments = call.segments();
        let parts: Vec<&str> = segments.iter().map(String::as_str).collect();
        match (call.method.as_str(), &parts[..]) {
            ("GET", ["ccx", "service", "customreport2", TENANT, _, _]) => self.report(house, call),
            ("POST", ["ccx", "service", TENANT, "Human_Resources", _]) => self.soap(house, call),
            _ => self.error(404, "Invalid service"),
        }
    }
}

impl Workday {
    fn soap(&self, house: &House, call: &Call) -> Reply {
        let sent = String::from_utf8_lossy(&call.body).into_owned();
        let password = format!("twin-isu-password-{}", house.plan.seed);
        // The name of the user stands with the tenant behind it.
        let user = format!("{USER}@{TENANT}");
        if element(&sent, "Username") != Some(user.as_str())
            || element(&sent, "Password") != Some(password.as_str())
        {
            return self.error(401, "");
        }
        let Some((operation, request)) = ["Get_Workers", "Get_Organizations", "Get_Locations"]
            .iter()
            .find_map(|name| Some((*name, element(&sent, &format!("{name}_Request"))?)))
        else {
            return self.error(400, "Invalid request: the operation is not known.");
        };
        if house.forbidden.contains(operation) {
            return self.error(403, "");
        }
        let number = |name: &str, default: usize| {
            element(request, name).map_or(Some(default), |text| text.trim().parse().ok())
        };
        let (Some(number), Some(count)) = (number("Page", 1), number("Count", 100)) else {
            return self.error(400, "Invalid Page or Count.");
        };
        if !(1..=999).contains(&count) || number < 1 {
            return self.error(400, "Count must be between 1 and 999.");
        }
        let moment = |name: &str| {
            element(request, name).and_then(|text| text.trim().parse::<Timestamp>().ok())
        };
        let (from, through) = (moment("Updated_From"), moment("Updated_Through"));
        let asked =
            |name: &str| ["true", "1"].contains(&element(request, name).unwrap_or_default());
        let list = match operation {
            "Get_Workers" => "people",
            "Get_Organizations" => "departments",
            _ => "offices",
        };
        let today = house.today();
        let rows = house.rows(list).filter(|row| {
            from.is_none_or(|from| row.updated >= from)
                && through.is_none_or(|through| row.updated <= through)
                && !(asked("Exclude_Inactive_Workers") && row.value["status"] == "left")
                // Whoever begins later is not a worker as of today.
                && (list != "people" || text(&row.value, "start") <= today.as_str())
                && (list != "departments" || wants_departments(request))
        });
        let rows: Vec<Value> = rows.map(|row| row.value.clone()).collect();
        let (total, rows) = page(rows, (number - 1) * count, count);
        let shown: String = rows
            .iter()
            .map(|row| match operation {
                "Get_Workers" => worker(house, row),
                "Get_Organizations" => organization(house, row),
                _ => location(row),
            })
            .collect();
        let body = format!(
            "<wd:{operation}_Response xmlns:wd=\"urn:com.workday/bsvc\" wd:version=\"v44.0\">\
             <wd:Response_Results>\
             <wd:Total_Results>{total}</wd:Total_Results><wd:Total_Pages>{}</wd:Total_Pages>\
             <wd:Page_Results>{}</wd:Page_Results><wd:Page>{number}</wd:Page></wd:Response_Results>\
             <wd:Response_Data>{shown}</wd:Response_Data></wd:{operation}_Response>",
            total.div_ceil(count).max(1),
            rows.len()
        );
        enveloped(200, &body)
    }

    fn report(&self, house: &House, call: &Call) -> Reply {
        let password = format!("twin-isu-password-{}", house.plan.seed);
        let known = call.basic().is_some_and(|(user, given)| {
            given == password && (user == USER || user == format!("{USER}@{TENANT}"))
        });
        if !known {
            let mut refusal = self.error(401, "");
            refusal.status = 401;
            return refusal;
        }
        if call.param("format") != Some("json") {
            return Reply::text(
                200,
                "text/xml; charset=utf-8",
                "<wd:Report_Data xmlns:wd=\"urn:com.workday.report/Workers\"/>",
            );
        }
        let rows: Vec<Value> = house.rows("people").map(|row| column(house, &row.value)).collect();
        Reply::json(200, &json!({"Report_Entry": rows}))
    }
}

/// A row of the report, with columns as its author named them; empty cells are not there.
fn column(house: &House, row: &Value) -> Value {
    let manager = house.get("people", &row["manager"]);
    let left = row["status"] == "left";
    let mut all = json!({
        "Employee_ID": row["id"].to_string(), "First_Name": row["first"], "Last_Name": row["last"],
        "Work_Email": row["email"], "Business_Title": row["title"],
        "Hire_Date": row["start"].as_str().map(|day| format!("{day}-08:00")),
        "Termination_Date": row["end"],
        "Active_Status": if left { "0" } else { "1" }, "Worker_Type": "Employee",
        "Department": house.get("departments", &row["department"])["name"],
        "Location": house.get("offices", &row["office"])["name"],
        "Scheduled_Weekly_Hours": row["weekly_hours"].as_f64().map(|hours| hours.to_string()),
        "Date_of_Birth": row["birthday"], "Personal_Email": row["private_email"],
        "Gender": gender(row), "Home_City": row["city"], "Home_Country": row["country"],
        "Manager_Employee_ID": manager["id"].as_u64().map(|id| id.to_string()),
    });
    if let Value::Object(cells) = &mut all {
        let full: Map<String, Value> = cells
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        *cells = full;
    }
    all
}

fn gender(row: &Value) -> Value {
    match row["gender"].as_str() {
        Some("female") => "Female".into(),
        Some("male") => "Male".into(),
        _ => Value::Null,
    }
}

/// Whether a request for organizations means departments: it names no type, or theirs.
fn wants_departments(request: &str) -> bool {
    !request.contains("Organization_Type_Reference")
        || request.to_ascii_uppercase().contains(">SUPERVISORY<")
}

fn enveloped(status: u16, body: &str) -> Reply {
    let text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><SOAP-ENV:Envelope \
         xmlns:SOAP-ENV=\"http://schemas.xmlsoap.org/soap/envelope/\"><SOAP-ENV:Body>{body}</SOAP-ENV:Body></SOAP-ENV:Envelope>"
    );
    Reply::text(status, "text/xml; charset=utf-8", text)
}

fn fault(code: &str, words: &str) -> Reply {
    let kind = if code.contains("validation") { "Validation_Fault" } else { "Processing_Fault" };
    let words = escaped(words);
    let body = format!(
        "<SOAP-ENV:Fault xmlns:wd=\"urn:com.workday/bsvc\"><faultcode>SOAP-ENV:{code}</faultcode>\
         <faultstring>{words}</faultstring><detail><wd:{kind}><wd:Detail_Message>{words}\
         </wd:Detail_Message>\
         </wd:{kind}></detail></SOAP-ENV:Fault>"
    );
    enveloped(500, &body)
}

/// What stands in the first element of this name, whatever its prefix.
fn element<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let mut at = 0;
    while let Some(found) = xml[at..].find(name) {
        let (start, end) = (at + found, at + found + name.len());
        let before = xml[..start].rsplit('<').next().unwrap_or_default();
        let opens = before.is_empty() || before.ends_with(':') && !before.contains(['/', ' ', '>']);
        let after = xml[end..].chars().next();
        if opens && matches!(after, Some('>' | ' ')) {
            let tag = &xml[start - before.len()..end];
            let begin = end + xml[end..].find('>')? + 1;
            let close = xml[begin..].find(&format!("</{tag}>"))?;
            return Some(&xml[begin..begin + close]);
        }
        at = end;
    }
    None
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// An element with text; nothing where there is none.
fn tag(name: &str, value: &str) -> String {
    if value.is_empty() {
        String::new()
    } else {
        format!("<wd:{name}>{}</wd:{name}>", escaped(value))
    }
}

/// A reference: what it is called, its WID and the id that people know.
fn reference(name: &str, shown: &str, kind: &str, id: &Value) -> String {
    let Some(number) = id.as_u64() else { return String::new() };
    format!(
        "<wd:{name} wd:Descriptor=\"{}\"><wd:ID wd:type=\"WID\">{number:032x}</wd:ID>\
         <wd:ID wd:type=\"{kind}\">{number}</wd:ID></wd:{name}>",
        escaped(shown)
    )
}

/// A reference to a word of a list.
fn word(name: &str, kind: &str, id: &str) -> String {
    format!("<wd:{name} wd:Descriptor=\"{id}\"><wd:ID wd:type=\"{kind}\">{id}</wd:ID></wd:{name}>")
}

fn usage(kind: &str) -> String {
    let reference = word("Type_Reference", "Communication_Usage_Type_ID", kind);
    format!(
        "<wd:Usage_Data wd:Public=\"1\"><wd:Type_Data wd:Primary=\"1\">{reference}</wd:Type_Data>\
         </wd:Usage_Data>"
    )
}

fn address(row: &Value, kind: &str) -> String {
    let country = word("Country_Reference", "ISO_3166-1_Alpha-2_Code", text(row, "country"));
    format!(
        "<wd:Address_Data wd:Formatted_Address=\"{}\">{country}\
         <wd:Address_Line_Data wd:Type=\"ADDRESS_LINE_1\">{}</wd:Address_Line_Data>{}{}{}\
         </wd:Address_Data>",
        escaped(text(row, "street")),
        escaped(text(row, "street")),
        tag("Municipality", text(row, "city")),
        tag("Postal_Code", text(row, "zip")),
        usage(kind)
    )
}

fn worker(house: &House, row: &Value) -> String {
    let shown = full_name(row);
    let (unit, office, boss) = (
        house.get("departments", &row["department"]),
        house.get("offices", &row["office"]),
        house.get("people", &row["manager"]),
    );
    let left = row["status"] == "left";
    let hours = row["weekly_hours"].as_f64().unwrap_or(40.0);
    let name = format!(
        "<wd:Name_Detail_Data wd:Formatted_Name=\"{0}\" wd:Reporting_Name=\"{0}\">{1}{2}\
         </wd:Name_Detail_Data>",
        escaped(&shown),
        tag("First_Name", text(row, "first")),
        tag("Last_Name", text(row, "last"))
    );
    let mail = |address: &str, kind: &str| {
        format!(
            "<wd:Email_Address_Data>{}{}</wd:Email_Address_Data>",
            tag("Email_Address", address),
            usage(kind)
        )
    };
    // The private address stands first: which is the one for work, only its usage says.
    let contact = format!(
        "<wd:Contact_Data>{}{}{}<wd:Phone_Data wd:Formatted_Phone=\"{}\">{}{}</wd:Phone_Data>\
         </wd:Contact_Data>",
        address(row, "HOME"),
        mail(text(row, "private_email"), "HOME"),
        mail(text(row, "email"), "WORK"),
        escaped(text(row, "phone")),
        word("Phone_Device_Type_Reference", "Phone_Device_Type_ID", "Mobile"),
        usage("HOME")
    );
    let gender = gender(row)
        .as_str()
        .map(|gender| word("Gender_Reference", "Gender_Code", gender))
        .unwrap_or_default();
    // A day of birth carries a zone, which says nothing about the day.
    let birth = tag("Birth_Date", &format!("{}-08:00", text(row, "birthday")));
    let boss_reference = reference(
        "Manager_as_of_last_detected_manager_change_Reference",
        &full_name(boss),
        "Employee_ID",
        &boss["id"],
    );
    let site = format!(
        "<wd:Business_Site_Summary_Data>{}{}</wd:Business_Site_Summary_Data>",
        reference("Location_Reference", text(office, "name"), "Location_ID", &office["id"]),
        tag("Name", text(office, "name"))
    );
    let position = format!(
        "<wd:Worker_Job_Data wd:Primary_Job=\"1\"><wd:Position_Data><wd:Position_ID>P-{}\
         </wd:Position_ID>{}{}{}{}{}{site}{boss_reference}</wd:Position_Data></wd:Worker_Job_Data>",
        row["id"],
        tag("Business_Title", text(row, "title")),
        tag("Start_Date", text(row, "start")),
        word("Worker_Type_Reference", "Employee_Type_ID", "Regular"),
        word(
            "Position_Time_Type_Reference",
            "Position_Time_Type_ID",
            if hours >= 38.0 { "Full_time" } else { "Part_time" }
        ),
        tag("Scheduled_Weekly_Hours", &hours.to_string())
    );
    let status = format!(
        "<wd:Worker_Status_Data><wd:Active>{}</wd:Active>{}<wd:Terminated>{}</wd:Terminated>{}\
         </wd:Worker_Status_Data>",
        u8::from(!left),
        tag("Hire_Date", text(row, "start")),
        u8::from(left),
        tag("Termination_Date", text(row, "end"))
    );
    let own = format!(
        "<wd:Organization_Data><wd:Worker_Organization_Data>{}<wd:Organization_Data>{}{}\
         </wd:Organization_Data></wd:Worker_Organization_Data></wd:Organization_Data>",
        reference(
            "Organization_Reference",
            text(unit, "name"),
            "Organization_Reference_ID",
            &unit["id"]
        ),
        tag("Organization_Name", text(unit, "name")),
        word("Organization_Type_Reference", "Organization_Type_ID", "SUPERVISORY")
    );
    format!(
        "<wd:Worker>{}<wd:Worker_Data>{}<wd:Personal_Data><wd:Name_Data><wd:Legal_Name_Data>{name}\
         </wd:Legal_Name_Data>\
         <wd:Preferred_Name_Data>{name}</wd:Preferred_Name_Data></wd:Name_Data>{gender}{birth}{contact}\
         </wd:Personal_Data>\
         <wd:Employment_Data>{position}{status}</wd:Employment_Data>{own}</wd:Worker_Data></wd:Worker>",
        reference("Worker_Reference", &shown, "Employee_ID", &row["id"]),
        tag("Worker_ID", &row["id"].to_string()),
    )
}

fn organization(house: &House, row: &Value) -> String {
    let above = house.get("departments", &row["parent"]);
    let superior = reference(
        "Superior_Organization_Reference",
        text(above, "name"),
        "Organization_Reference_ID",
        &above["id"],
    );
    format!(
        "<wd:Organization>{}<wd:Organization_Data>{}{}{}<wd:Inactive>0</wd:Inactive><wd:Hierarchy_Data>\
         {superior}</wd:Hierarchy_Data></wd:Organization_Data></wd:Organization>",
        reference(
            "Organization_Reference",
            text(row, "name"),
            "Organization_Reference_ID",
            &row["id"]
        ),
        tag("Reference_ID", &row["id"].to_string()),
        tag("Name", text(row, "name")),
        word("Organization_Type_Reference", "Organization_Type_ID", "SUPERVISORY")
    )
}

fn location(row: &Value) -> String {
    format!(
        "<wd:Location>{}<wd:Location_Data>{}{}<wd:Inactive>0</wd:Inactive><wd:Contact_Data>{}\
         </wd:Contact_Data></wd:Location_Data></wd:Location>",
        reference("Location_Reference", text(row, "name"), "Location_ID", &row["id"]),
        tag("Location_ID", &row["id"].to_string()),
        tag("Location_Name", text(row, "name")),
        address(row, "BUSINESS")
    )
}

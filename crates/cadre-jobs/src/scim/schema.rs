//! What resources look like: the schemas of RFC 7643, as the other files and the discovery need them.

use cadre_store::DirectoryKind;
use serde_json::{Value, json};

/// An attribute.
#[derive(Debug, Clone, Copy)]
pub(super) struct Attribute {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    /// Whether there may be several values.
    pub(super) many: bool,
    pub(super) required: bool,
    pub(super) read_only: bool,
    /// Its parts, where it is complex.
    pub(super) parts: &'static [Attribute],
}

/// What values an attribute has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Flag,
    Moment,
    Reference,
    Binary,
    Complex,
}

const fn text(name: &'static str) -> Attribute {
    Attribute { name, kind: Kind::Text, many: false, required: false, read_only: false, parts: &[] }
}

const fn of(name: &'static str, kind: Kind) -> Attribute {
    Attribute { kind, ..text(name) }
}

const fn complex(name: &'static str, parts: &'static [Attribute]) -> Attribute {
    Attribute { kind: Kind::Complex, parts, ..text(name) }
}

const fn several(name: &'static str, parts: &'static [Attribute]) -> Attribute {
    Attribute { many: true, ..complex(name, parts) }
}

const fn required(attribute: Attribute) -> Attribute {
    Attribute { required: true, ..attribute }
}

const fn read_only(attribute: Attribute) -> Attribute {
    Attribute { read_only: true, ..attribute }
}

const TYPED: &[Attribute] =
    &[text("value"), text("display"), text("type"), of("primary", Kind::Flag)];

const NAME: &[Attribute] = &[
    text("formatted"),
    text("familyName"),
    text("givenName"),
    text("middleName"),
    text("honorificPrefix"),
    text("honorificSuffix"),
];

const ADDRESS: &[Attribute] = &[
    text("formatted"),
    text("streetAddress"),
    text("locality"),
    text("region"),
    text("postalCode"),
    text("country"),
    text("type"),
    of("primary", Kind::Flag),
];

const MEMBER: &[Attribute] =
    &[text("value"), of("$ref", Kind::Reference), text("display"), text("type")];

const CERTIFICATE: &[Attribute] =
    &[of("value", Kind::Binary), text("display"), text("type"), of("primary", Kind::Flag)];

const PHOTO: &[Attribute] =
    &[of("value", Kind::Reference), text("display"), text("type"), of("primary", Kind::Flag)];

const USER: &[Attribute] = &[
    required(text("userName")),
    complex("name", NAME),
    text("displayName"),
    text("nickName"),
    of("profileUrl", Kind::Reference),
    text("title"),
    text("userType"),
    text("preferredLanguage"),
    text("locale"),
    text("timezone"),
    of("active", Kind::Flag),
    several("emails", TYPED),
    several("phoneNumbers", TYPED),
    several("ims", TYPED),
    several("photos", PHOTO),
    several("addresses", ADDRESS),
    read_only(several("groups", MEMBER)),
    several("entitlements", TYPED),
    several("roles", TYPED),
    several("x509Certificates", CERTIFICATE),
];

const GROUP: &[Attribute] = &[required(text("displayName")), several("members", MEMBER)];

const ENTERPRISE_USER: &[Attribute] = &[
    text("employeeNumber"),
    text("costCenter"),
    text("organization"),
    text("division"),
    text("department"),
    complex(
        "manager",
        &[text("value"), of("$ref", Kind::Reference), read_only(text("displayName"))],
    ),
];

/// What every resource has beside its schema.
const COMMON: &[Attribute] = &[
    read_only(text("id")),
    text("externalId"),
    read_only(complex(
        "meta",
        &[
            text("resourceType"),
            of("created", Kind::Moment),
            of("lastModified", Kind::Moment),
            of("location", Kind::Reference),
            text("version"),
        ],
    )),
    read_only(text("schemas")),
];

/// A schema with its name.
pub(super) struct Schema {
    pub(super) id: &'static str,
    name: &'static str,
    pub(super) attributes: &'static [Attribute],
}

pub(super) const ENTERPRISE: Schema = Schema {
    id: "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
    name: "EnterpriseUser",
    attributes: ENTERPRISE_USER,
};

const CORE_USER: Schema =
    Schema { id: "urn:ietf:params:scim:schemas:core:2.0:User", name: "User", attributes: USER };

const CORE_GROUP: Schema =
    Schema { id: "urn:ietf:params:scim:schemas:core:2.0:Group", name: "Group", attributes: GROUP };

/// The schema of a kind of resources.
pub(super) fn core(kind: DirectoryKind) -> &'static Schema {
    match kind {
        DirectoryKind::User => &CORE_USER,
        DirectoryKind::Group => &CORE_GROUP,
    }
}

/// An attribute of a resource, by its name in any case.
pub(super) fn attribute(kind: DirectoryKind, name: &str) -> Option<&'static Attribute> {
    part(core(kind).attributes, name).or_else(|| part(COMMON, name))
}

/// An attribute among others, by its name in any case.
pub(super) fn part(of: &'static [Attribute], name: &str) -> Option<&'static Attribute> {
    of.iter().find(|attribute| attribute.name.eq_ignore_ascii_case(name))
}

/// Where resources of a kind are found.
pub(super) fn endpoint(kind: DirectoryKind) -> &'static str {
    match kind {
        DirectoryKind::User => "Users",
        DirectoryKind::Group => "Groups",
    }
}

fn described(attribute: &Attribute) -> Value {
    let kind = match attribute.kind {
        Kind::Text => "string",
        Kind::Flag => "boolean",
        Kind::Moment => "dateTime",
        Kind::Reference => "reference",
        Kind::Binary => "binary",
        Kind::Complex => "complex",
    };
    let mut shown = json!({
        "name": attribute.name, "type": kind, "multiValued": attribute.many,
        "required": attribute.required, "returned": "default",
        "mutability": if attribute.read_only { "readOnly" } else { "readWrite" },
    });
    if attribute.kind != Kind::Flag && attribute.kind != Kind::Complex {
        shown["caseExact"] = matches!(attribute.kind, Kind::Reference | Kind::Binary).into();
        shown["uniqueness"] = if attribute.name == "userName" { "server" } else { "none" }.into();
    }
    if attribute.kind == Kind::Reference {
        let members = matches!(attribute.name, "$ref");
        shown["referenceTypes"] =
            if members { json!(["User", "Group"]) } else { json!(["external"]) };
    }
    if !attribute.parts.is_empty() {
        shown["subAttributes"] = attribute.parts.iter().map(described).collect();
    }
    shown
}

/// Every schema, as `/Schemas` shows it.
pub(super) fn schemas(base: &str) -> Vec<Value> {
    let shown = |schema: &Schema| {
        json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Schema"],
            "id": schema.id, "name": schema.name, "description": schema.name,
            "attributes": schema.attributes.iter().map(described).collect::<Vec<_>>(),
            "meta": {"resourceType": "Schema", "location": format!("{base}/Schemas/{}", schema.id)},
        })
    };
    [&CORE_USER, &CORE_GROUP, &ENTERPRISE].into_iter().map(shown).collect()
}

/// Every kind of resources, as `/ResourceTypes` shows it.
pub(super) fn resource_types(base: &str) -> Vec<Value> {
    let shown = |kind: DirectoryKind| {
        let name = kind.as_str();
        let extensions = match kind {
            DirectoryKind::User => json!([{"schema": ENTERPRISE.id, "required": false}]),
            DirectoryKind::Group => json!([]),
        };
        json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ResourceType"],
            "id": name, "name": name, "endpoint": format!("/{}", endpoint(kind)),
            "schema": core(kind).id, "schemaExtensions": extensions,
            "meta": {"resourceType": "ResourceType", "location": format!("{base}/ResourceTypes/{name}")},
        })
    };
    [DirectoryKind::User, DirectoryKind::Group].into_iter().map(shown).collect()
}

/// What can be done, as `/ServiceProviderConfig` shows it.
pub(super) fn provider(base: &str, most: u64) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],
        "patch": {"supported": true},
        "bulk": {"supported": false, "maxOperations": 0, "maxPayloadSize": 0},
        "filter": {"supported": true, "maxResults": most},
        "changePassword": {"supported": false},
        "sort": {"supported": true},
        "etag": {"supported": true},
        "authenticationSchemes": [{
            "type": "oauthbearertoken", "name": "Bearer token",
            "description": "The token that belongs to this address, in the header Authorization.",
            "specUri": "https://www.rfc-editor.org/rfc/rfc6750", "primary": true,
        }],
        "meta": {
            "resourceType": "ServiceProviderConfig", "location": format!("{base}/ServiceProviderConfig"),
        },
    })
}

//! What a value is about, by the key it stands under.

use serde_json::{Map, Value};

/// What is personal or secret about a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::authoring) enum Kind {
    /// Proves who asks.
    Secret,
    /// What the customer entered, such as the name of their account.
    Setting,
    /// A given name.
    GivenName,
    /// A family name.
    FamilyName,
    /// A whole name, or a user name made of one.
    FullName,
    /// An e-mail address.
    Email,
    /// A phone number.
    Phone,
    /// A part of an address.
    Address,
    /// An account at a bank.
    Bank,
    /// A day of birth.
    BirthDate,
    /// A number that the state gave somebody.
    Identity,
    /// A picture or a profile of somebody.
    Picture,
    /// A text that somebody wrote about somebody.
    Text,
}

impl Kind {
    /// As people read it, several of them.
    pub(in crate::authoring) const fn words(self) -> &'static str {
        match self {
            Kind::Secret => "secrets and tokens",
            Kind::Setting => "settings of the account",
            Kind::GivenName | Kind::FamilyName | Kind::FullName => "names",
            Kind::Email => "e-mail addresses",
            Kind::Phone => "phone numbers",
            Kind::Address => "addresses",
            Kind::Bank => "bank accounts",
            Kind::BirthDate => "dates of birth",
            Kind::Identity => "numbers of the state",
            Kind::Picture => "pictures and profiles",
            Kind::Text => "texts about people",
        }
    }
}

const GIVEN: &[&str] = &[
    "firstname",
    "givenname",
    "givennames",
    "forename",
    "forenames",
    "preferredname",
    "preferredfirstname",
    "legalfirstname",
    "middlename",
    "nickname",
    "fname",
    "given",
    "knownas",
    "vorname",
    "prenom",
];
const FAMILY: &[&str] = &[
    "lastname",
    "familyname",
    "surname",
    "maidenname",
    "birthname",
    "secondname",
    "preferredlastname",
    "legallastname",
    "lname",
    "sn",
    "family",
    "nachname",
    "secondlastname",
];
const FULL: &[&str] = &[
    "fullname",
    "displayname",
    "displayfullname",
    "formattedname",
    "preferredfullname",
    "holdername",
    "accountholder",
    "accountholdername",
    "nameonaccount",
    "employeename",
    "managername",
    "supervisorname",
    "candidatename",
    "personname",
    "contactname",
    "username",
    "login",
    "loginname",
    "authorname",
    "creatorname",
    "cn",
    "namefmla",
];
const PHONE: &[&str] = &["tel", "cell", "cellular", "fax", "mobile", "handy", "telefon"];
const STREET: &[&str] = &[
    "street",
    "streetaddress",
    "street1",
    "street2",
    "streetname",
    "address",
    "address1",
    "address2",
    "addressline",
    "addressline1",
    "addressline2",
    "addressline3",
    "line1",
    "line2",
    "line3",
    "housenumber",
    "formattedaddress",
    "fulladdress",
    "homeaddress",
    "strasse",
    "placeofbirth",
    "birthplace",
    "cityofbirth",
    "addresslinedata",
];
const POSTAL: &[&str] = &["zip", "zipcode", "postalcode", "postcode", "plz"];
const BANK: &[&str] = &[
    "iban",
    "bic",
    "swift",
    "swiftcode",
    "bankaccount",
    "bankaccountnumber",
    "accountnumber",
    "routingnumber",
    "sortcode",
    "bsb",
    "blz",
    "bankcode",
    "accountno",
    "ibannumber",
];
const BIRTH: &[&str] = &["birthdate", "dateofbirth", "dob", "birthday", "birth", "birthdatetime"];
const IDENTITY: &[&str] = &[
    "ssn",
    "sin",
    "nin",
    "socialsecuritynumber",
    "socialinsurancenumber",
    "nationalinsurancenumber",
    "taxid",
    "taxnumber",
    "taxidentificationnumber",
    "nationalid",
    "nationalidnumber",
    "passport",
    "passportnumber",
    "driverslicense",
    "driverslicensenumber",
    "identificationnumber",
    "visanumber",
    "nationalidentifier",
    "vatnumber",
    "steuerid",
    "socialsecurity",
];
const PICTURE: &[&str] = &[
    "photo",
    "photourl",
    "avatar",
    "avatarurl",
    "picture",
    "pictureurl",
    "profilepicture",
    "profilephoto",
    "thumbnail",
    "image",
    "imageurl",
    "linkedin",
    "linkedinurl",
    "twitter",
    "github",
    "facebook",
    "skype",
    "instagram",
    "xing",
    "linkedinprofile",
    "twitterfeed",
];
const TEXT: &[&str] = &[
    "note",
    "notes",
    "comment",
    "comments",
    "bio",
    "biography",
    "about",
    "aboutme",
    "feedback",
    "coverletter",
    "remark",
    "remarks",
    "dietaryrequirements",
    "resumetext",
    "headline",
];
const SECRET: &[&str] = &[
    "token",
    "accesstoken",
    "refreshtoken",
    "idtoken",
    "bearertoken",
    "authtoken",
    "sessiontoken",
    "sessionid",
    "sid",
    "jsessionid",
    "secret",
    "clientsecret",
    "password",
    "passwd",
    "apikey",
    "signature",
    "cookie",
    "csrftoken",
    "xsrftoken",
    "assertion",
    "code",
    "authorizationcode",
    "wstoken",
    "bhresttoken",
    "privatekey",
    "securitytoken",
    "jwt",
];

/// A key without case and without what parts its words.
pub(super) fn bare(key: &str) -> String {
    let key = key.rsplit(':').next().unwrap_or(key);
    key.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// What a text or number under a key is about. `within` is the key of the object it stands in.
pub(super) fn of(key: &str, within: &str, beside: &Beside) -> Option<Kind> {
    let key = bare(key);
    let key = key.as_str();
    let is = |known: &[&str]| known.contains(&key);
    if is(GIVEN) || (key == "first" && beside.names) {
        return Some(Kind::GivenName);
    }
    if is(FAMILY) || (key == "last" && beside.names) {
        return Some(Kind::FamilyName);
    }
    if is(FULL) || (key == "name" && beside.person) {
        return Some(Kind::FullName);
    }
    if key.contains("email") || key == "mail" {
        return Some(Kind::Email);
    }
    let inner = matches!(key, "number" | "value" | "formatted" | "display");
    let phone = |key: &str| key.contains("phone") || key.contains("mobile") || PHONE.contains(&key);
    if phone(key) || (inner && phone(&bare(within))) {
        return Some(Kind::Phone);
    }
    if is(STREET) || is(POSTAL) || (matches!(key, "city" | "town" | "ort") && beside.street) {
        return Some(Kind::Address);
    }
    if is(BANK) {
        return Some(Kind::Bank);
    }
    if is(BIRTH) {
        return Some(Kind::BirthDate);
    }
    if is(IDENTITY) {
        return Some(Kind::Identity);
    }
    if is(PICTURE) {
        return Some(Kind::Picture);
    }
    if is(TEXT) {
        return Some(Kind::Text);
    }
    let word = key == "code" && !beside.unknown;
    (is(SECRET) && !word).then_some(Kind::Secret)
}

/// What an object holds, as far as it says what its other values are about.
#[derive(Debug, Default)]
pub(super) struct Beside {
    /// Both `first` and `last`: parts of a name.
    names: bool,
    /// It is about a person: `name` is theirs.
    person: bool,
    /// It has a street or a postal code: the city is part of an address.
    street: bool,
    /// Nothing is known, as of a query or a form: there a `code` is what somebody logs in with.
    unknown: bool,
}

impl Beside {
    pub(super) fn of(object: &Map<String, Value>) -> Beside {
        let keys: Vec<String> = object.keys().map(|key| bare(key)).collect();
        let has = |known: &[&str]| keys.iter().any(|key| known.contains(&key.as_str()));
        let names = has(&["first"]) && has(&["last"]);
        let mail = keys.iter().any(|key| key.contains("email") || key == "mail");
        Beside {
            names,
            person: names || mail || has(GIVEN) || has(FAMILY) || has(BIRTH) || has(BANK),
            street: has(STREET) || has(POSTAL),
            unknown: false,
        }
    }

    /// Of a query, a form or an element of XML: nothing is known.
    pub(super) fn nothing() -> Beside {
        Beside { unknown: true, ..Beside::default() }
    }
}

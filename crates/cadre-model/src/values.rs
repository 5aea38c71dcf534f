//! Values that have a form of their own.
//!
//! Each type holds the wire form, already checked by the mapping; what it adds is its name and its
//! [`Kind`].

use serde::{Deserialize, Serialize};

use crate::shape::{FieldType, Kind, structure};

macro_rules! text_values {
    ($($(#[doc = $doc:expr])+ $name:ident: $kind:ident;)+) => {$(
        $(#[doc = $doc])+
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl FieldType for $name {
            const KIND: Kind = Kind::$kind;
        }
    )+};
}

text_values! {
    /// A moment: `2026-01-31T08:15:00.000Z`.
    Moment: Timestamp;
    /// A calendar day, printed as its midnight: `2026-01-31T00:00:00.000Z`.
    Midnight: Midnight;
    /// A calendar day: `2026-01-31`.
    Day: Date;
    /// A time of day: `08:15:00`.
    TimeOfDay: TimeOfDay;
    /// An offset from UTC: `+01:00`.
    Offset: Offset;
    /// An e-mail address.
    Email: Email;
    /// An absolute URL.
    Url: Url;
    /// A currency: ISO 4217, `EUR`.
    Currency: Currency;
    /// A country: ISO 3166-1 alpha-2, `DE`.
    Country: Country;
}

/// The countries of ISO 3166-1, alpha-2, in order.
#[rustfmt::skip]
pub const COUNTRIES: &[&str] = &[
    "AD", "AE", "AF", "AG", "AI", "AL", "AM", "AO", "AQ", "AR", "AS", "AT", "AU", "AW", "AX", "AZ",
    "BA", "BB", "BD", "BE", "BF", "BG", "BH", "BI", "BJ", "BL", "BM", "BN", "BO", "BQ", "BR", "BS",
    "BT", "BV", "BW", "BY", "BZ", "CA", "CC", "CD", "CF", "CG", "CH", "CI", "CK", "CL", "CM", "CN",
    "CO", "CR", "CU", "CV", "CW", "CX", "CY", "CZ", "DE", "DJ", "DK", "DM", "DO", "DZ", "EC", "EE",
    "EG", "EH", "ER", "ES", "ET", "FI", "FJ", "FK", "FM", "FO", "FR", "GA", "GB", "GD", "GE", "GF",
    "GG", "GH", "GI", "GL", "GM", "GN", "GP", "GQ", "GR", "GS", "GT", "GU", "GW", "GY", "HK", "HM",
    "HN", "HR", "HT", "HU", "ID", "IE", "IL", "IM", "IN", "IO", "IQ", "IR", "IS", "IT", "JE", "JM",
    "JO", "JP", "KE", "KG", "KH", "KI", "KM", "KN", "KP", "KR", "KW", "KY", "KZ", "LA", "LB", "LC",
    "LI", "LK", "LR", "LS", "LT", "LU", "LV", "LY", "MA", "MC", "MD", "ME", "MF", "MG", "MH", "MK",
    "ML", "MM", "MN", "MO", "MP", "MQ", "MR", "MS", "MT", "MU", "MV", "MW", "MX", "MY", "MZ", "NA",
    "NC", "NE", "NF", "NG", "NI", "NL", "NO", "NP", "NR", "NU", "NZ", "OM", "PA", "PE", "PF", "PG",
    "PH", "PK", "PL", "PM", "PN", "PR", "PS", "PT", "PW", "PY", "QA", "RE", "RO", "RS", "RU", "RW",
    "SA", "SB", "SC", "SD", "SE", "SG", "SH", "SI", "SJ", "SK", "SL", "SM", "SN", "SO", "SR", "SS",
    "ST", "SV", "SX", "SY", "SZ", "TC", "TD", "TF", "TG", "TH", "TJ", "TK", "TL", "TM", "TN", "TO",
    "TR", "TT", "TV", "TW", "TZ", "UA", "UG", "UM", "US", "UY", "UZ", "VA", "VC", "VE", "VG", "VI",
    "VN", "VU", "WF", "WS", "YE", "YT", "ZA", "ZM", "ZW",
];

/// The id of a record of another model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Ref<M>(pub String, #[serde(skip)] pub std::marker::PhantomData<M>);

impl<M: crate::model::Model> FieldType for Ref<M> {
    const KIND: Kind = Kind::Ref(M::ID);
}

structure! {
    /// A postal address. `raw` is the whole address where the tool has it only as one text.
    pub struct Address {
        /// City.
        pub city: Option<String>,
        /// Country.
        pub country: Option<Country>,
        /// The whole address as one text.
        pub raw: Option<String>,
        /// State, province or region.
        pub state: Option<String>,
        /// Street and number.
        pub street_1: Option<String>,
        /// What else the address line needs.
        pub street_2: Option<String>,
        /// Postal code.
        pub zip_code: Option<String>,
    }
}

structure! {
    /// An amount of money.
    pub struct Money {
        /// Currency of the amount.
        pub currency: Currency,
        /// The amount in units of the currency, not in cents.
        pub value: f64,
    }
}

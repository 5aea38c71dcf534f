//! People: a name that fits a place, and what follows from it.

use serde_json::{Value, json};

use crate::dice::Dice;
use crate::words::{City, REGIONS, Region};

/// A made-up person.
#[derive(Debug)]
pub(crate) struct Person {
    /// Where the person lives.
    pub(crate) region: &'static Region,
    /// Given name.
    pub(crate) given: &'static str,
    /// Family name.
    pub(crate) family: &'static str,
    /// Both, in the order of the region.
    pub(crate) display: String,
    /// ASCII form with a dot, for addresses; unique only together with a number.
    pub(crate) handle: String,
}

/// Rolls a person. Regions go round, so that a small company has all of them.
pub(crate) fn person(dice: &mut Dice, index: usize) -> Person {
    let region = &REGIONS[index % REGIONS.len()];
    let given = dice.pick(region.given);
    let family = dice.pick(region.family);
    let display = if region.family_first {
        format!("{} {}", family.0, given.0)
    } else {
        format!("{} {}", given.0, family.0)
    };
    Person {
        region,
        given: given.0,
        family: family.0,
        display,
        handle: format!("{}.{}", given.1, family.1),
    }
}

/// Rolls a phone number of the region.
pub(crate) fn phone(dice: &mut Dice, region: &Region) -> String {
    format!("{} {} {}", region.dial, dice.digits(3), dice.digits(7))
}

/// Rolls an address: street and number, postal code, city, region of the country, country.
pub(crate) fn address(dice: &mut Dice, region: &Region) -> Value {
    let &(city, state, zip): &City = dice.pick(region.cities);
    let street = format!("{} {}", dice.pick(region.streets), dice.between(1, 199));
    json!({
        "line1": street,
        "line2": if dice.chance(20) { json!("c/o 2nd floor") } else { Value::Null },
        "zip": zip,
        "city": city,
        "region": if state.is_empty() { Value::Null } else { json!(state) },
        "country": region.country,
    })
}

/// Rolls an account that wages go to, in the form of the region.
pub(crate) fn bank_account(dice: &mut Dice, person: &Person) -> Value {
    let (scheme, routing) = match person.region.country {
        "DE" => ("de_blz", dice.digits(8)),
        "GB" => ("gb_sort_code", dice.digits(6)),
        "US" => ("us_aba", dice.digits(9)),
        "FR" => ("fr_rib", dice.digits(10)),
        // A scheme that the connector has no word for: the number stays, its kind is unknown.
        _ => ("local", dice.digits(7)),
    };
    let account = dice.digits(10);
    let iban = match person.region.country {
        "DE" => Some(format!("DE{}{routing}{account}", dice.digits(2))),
        "FR" => Some(format!("FR{}{}{account}", dice.digits(2), dice.digits(13))),
        _ => None,
    };
    json!({
        "holder": person.display,
        "bank": "Sandbank eG",
        "iban": iban,
        "bic": iban.as_ref().map(|_| format!("SAND{}FFXXX", person.region.country)),
        "account_number": account,
        "routing": {"scheme": scheme, "code": routing},
    })
}

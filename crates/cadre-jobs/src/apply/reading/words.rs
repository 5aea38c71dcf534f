//! Words by which pages say what a question asks for and what became of an application, in English,
//! German, French and Spanish.

/// What a question asks for: the key, and pieces of its words or of the control's name in lower case. The
/// first one that fits counts, so that narrow ones stand before wide ones.
const QUESTIONS: &[(&str, &[&str])] = &[
    ("EMAIL", &["e-mail", "email", "courriel", "correo electr", "adresse électronique"]),
    (
        "RESUME",
        &[
            "resume",
            "résumé",
            "curriculum",
            "cv",
            "lebenslauf",
            "upload cv",
            "your cv",
            "ihr cv",
            "votre cv",
            "tu cv",
        ],
    ),
    (
        "FULL_PHONE_NUMBER",
        &["phone", "telefon", "téléphone", "teléfono", "mobile number", "handynummer", "móvil"],
    ),
    (
        "BIRTH_DATE",
        &[
            "date of birth",
            "birth date",
            "geburtsdatum",
            "date de naissance",
            "fecha de nacimiento",
        ],
    ),
    (
        "EXPECTED_START_DATE",
        &[
            "start date",
            "earliest start",
            "eintrittstermin",
            "eintrittsdatum",
            "frühestmöglich",
            "date de début",
            "date d'entrée",
            "fecha de inicio",
            "incorporación",
        ],
    ),
    (
        "FIRST_NAME",
        &[
            "first name",
            "firstname",
            "first_name",
            "given name",
            "vorname",
            "prénom",
            "prenom",
            "nombre de pila",
        ],
    ),
    (
        "LAST_NAME",
        &[
            "last name",
            "lastname",
            "last_name",
            "surname",
            "family name",
            "nachname",
            "familienname",
            "nom de famille",
            "apellido",
        ],
    ),
    (
        "FULL_NAME",
        &[
            "full name",
            "fullname",
            "full_name",
            "your name",
            "ihr name",
            "vollständiger name",
            "nom complet",
            "nombre completo",
        ],
    ),
    ("GENDER", &["gender", "geschlecht", "genre", "sexe", "género", "sexo"]),
    (
        "RESIDENCE_ZIP_CODE",
        &[
            "zip code",
            "postal code",
            "postcode",
            "postleitzahl",
            "plz",
            "code postal",
            "código postal",
        ],
    ),
    ("RESIDENCE_CITY", &["city", "wohnort", "stadt", "ville", "ciudad"]),
    ("RESIDENCE_COUNTRY", &["country", "land", "pays", "país"]),
    ("RESIDENCE_LINE_1", &["street", "straße", "strasse", "rue", "calle", "address line 1"]),
    (
        "TERMS_AND_CONDITIONS",
        &[
            "privacy policy",
            "privacy notice",
            "terms and conditions",
            "datenschutz",
            "politique de confidentialité",
            "protection des données",
            "política de privacidad",
            "protección de datos",
        ],
    ),
    (
        "APPLICANT_POOL_CONSENT",
        &["talent pool", "talentpool", "future openings", "vivier", "bolsa de empleo"],
    ),
];

/// Words of questions about equal opportunities.
const EQUALITY: &[&str] = &[
    "gender",
    "race",
    "ethnic",
    "veteran",
    "disabilit",
    "geschlecht",
    "schwerbehinder",
    "behinderung",
    "handicap",
    "genre",
    "sexe",
    "género",
    "sexo",
    "discapacidad",
];

const SUCCESS: &[&str] = &[
    "thank you for appl",
    "thank you for your appl",
    "thanks for applying",
    "application has been submitted",
    "application was submitted",
    "application submitted",
    "received your application",
    "application has been received",
    "vielen dank für ihre bewerbung",
    "vielen dank für deine bewerbung",
    "bewerbung erhalten",
    "bewerbung ist eingegangen",
    "bewerbung wurde",
    "merci pour votre candidature",
    "candidature a bien été",
    "candidature a été envoyée",
    "gracias por tu candidatura",
    "gracias por su candidatura",
    "gracias por su solicitud",
    "hemos recibido",
];
const DUPLICATE: &[&str] = &[
    "already applied",
    "already submitted an application",
    "bereits beworben",
    "bereits eine bewerbung",
    "déjà postulé",
    "deja postule",
    "ya te has inscrito",
    "ya ha solicitado",
    "ya has solicitado",
    "ya se ha postulado",
];
const CLOSED: &[&str] = &[
    "no longer accepting applications",
    "no longer available",
    "position has been filled",
    "job is closed",
    "job has been closed",
    "stelle ist nicht mehr",
    "stelle ist bereits besetzt",
    "nicht mehr verfügbar",
    "n'est plus disponible",
    "offre est pourvue",
    "a été pourvu",
    "ya no está disponible",
    "oferta cerrada",
    "vacante cerrada",
];

fn says(text: &str, words: &[&str]) -> bool {
    words.iter().any(|piece| text.contains(piece))
}

/// What a question asks for by its words, or else by the name of its control.
pub(super) fn unified_key(label: &str, name: &str) -> Option<&'static str> {
    let key = |text: &str| {
        let fits = |pieces: &&[&str]| pieces.iter().any(|piece| holds(text, piece));
        QUESTIONS.iter().find(|(_, pieces)| fits(pieces)).map(|(key, _)| *key)
    };
    key(&label.to_lowercase()).or_else(|| key(&name.to_lowercase()))
}

/// Whether a text holds a piece; a short one as a word of its own.
fn holds(text: &str, piece: &str) -> bool {
    if piece.len() > 5 {
        return text.contains(piece);
    }
    text.split(|letter: char| !letter.is_alphanumeric()).any(|word| word == piece) || text == piece
}

pub(super) fn is_equality(label: &str) -> bool {
    let label = label.to_lowercase();
    EQUALITY.iter().any(|piece| holds(&label, piece))
}

pub(super) fn says_success(text: &str) -> bool {
    says(text, SUCCESS)
}

pub(super) fn says_duplicate(text: &str) -> bool {
    says(text, DUPLICATE)
}

pub(super) fn says_closed(text: &str) -> bool {
    says(text, CLOSED)
}

#[cfg(test)]
mod tests {
    use super::unified_key;

    #[test]
    fn questions_are_known_by_their_words() {
        for (label, name, key) in [
            ("Your e-mail address", "", Some("EMAIL")),
            ("E-Mail-Adresse", "", Some("EMAIL")),
            ("Vorname", "", Some("FIRST_NAME")),
            ("Apellidos", "", Some("LAST_NAME")),
            ("Lebenslauf hochladen", "", Some("RESUME")),
            ("Pays", "", Some("RESIDENCE_COUNTRY")),
            ("", "candidate[first_name]", Some("FIRST_NAME")),
            ("Why do you like the outlandish?", "q1", None),
            ("How did you hear of us?", "source", None),
        ] {
            assert_eq!(unified_key(label, name), key, "{label} {name}");
        }
    }
}

//! Word lists: people and places that do not exist, in the scripts that real customers have.

/// A part of a name: how it is written there, and in ASCII for addresses.
pub(crate) type Name = (&'static str, &'static str);

/// A city: name, state or region (may be empty), postal code.
pub(crate) type City = (&'static str, &'static str, &'static str);

/// A country that the made-up companies have people in.
#[derive(Debug)]
pub(crate) struct Region {
    /// ISO 3166-1 alpha-2.
    pub(crate) country: &'static str,
    /// ISO 3166-1 alpha-3.
    pub(crate) alpha3: &'static str,
    /// English name.
    pub(crate) name: &'static str,
    /// ISO 4217.
    pub(crate) currency: &'static str,
    /// Offset from UTC in winter.
    pub(crate) offset: &'static str,
    /// Whether the family name is written first.
    pub(crate) family_first: bool,
    /// Prefix of phone numbers.
    pub(crate) dial: &'static str,
    /// Given names.
    pub(crate) given: &'static [Name],
    /// Family names.
    pub(crate) family: &'static [Name],
    /// Cities.
    pub(crate) cities: &'static [City],
    /// Streets, without number.
    pub(crate) streets: &'static [&'static str],
}

/// The countries.
pub(crate) const REGIONS: &[Region] = &[
    Region {
        country: "DE",
        alpha3: "DEU",
        name: "Germany",
        currency: "EUR",
        offset: "+01:00",
        family_first: false,
        dial: "+49",
        given: &[
            ("Jörg", "joerg"),
            ("Käthe", "kaethe"),
            ("Björn", "bjoern"),
            ("Änne", "aenne"),
            ("Till", "till"),
            ("Mareike", "mareike"),
            ("Ümit", "uemit"),
            ("Lieselotte", "lieselotte"),
        ],
        family: &[
            ("Grünwaldner", "gruenwaldner"),
            ("Müßigbrod", "muessigbrod"),
            ("Öhlenschmidt", "oehlenschmidt"),
            ("von der Lähn", "vonderlaehn"),
            ("Krautmacher", "krautmacher"),
            ("Süßenguth-Böhl", "suessenguthboehl"),
            ("Türkheimer", "tuerkheimer"),
        ],
        cities: &[
            ("Köln", "Nordrhein-Westfalen", "50667"),
            ("München", "Bayern", "80331"),
            ("Görlitz", "Sachsen", "02826"),
        ],
        streets: &["Straße am Mühlbach", "Größenwahnallee", "Lindenweg", "Äußere Ringstraße"],
    },
    Region {
        country: "FR",
        alpha3: "FRA",
        name: "France",
        currency: "EUR",
        offset: "+01:00",
        family_first: false,
        dial: "+33",
        given: &[
            ("Anaïs", "anais"),
            ("Théo", "theo"),
            ("Élodie", "elodie"),
            ("Jean-Loïc", "jeanloic"),
            ("Maëlle", "maelle"),
        ],
        family: &[
            ("Lefèbvraux", "lefebvraux"),
            ("d'Aubépine", "daubepine"),
            ("Garçonnet", "garconnet"),
            ("Mercœur", "mercoeur"),
            ("Besançonne", "besanconne"),
        ],
        cities: &[
            ("Nîmes", "Occitanie", "30000"),
            ("Besançon", "Bourgogne-Franche-Comté", "25000"),
            ("Lyon", "", "69002"),
        ],
        streets: &["rue de l'Église", "avenue du Maréchal", "quai des Œillets"],
    },
    Region {
        country: "GB",
        alpha3: "GBR",
        name: "United Kingdom",
        currency: "GBP",
        offset: "+00:00",
        family_first: false,
        dial: "+44",
        given: &[
            ("Imogen", "imogen"),
            ("Rhys", "rhys"),
            ("Siobhán", "siobhan"),
            ("Alasdair", "alasdair"),
            ("Zara", "zara"),
        ],
        family: &[
            ("O'Tannery", "otannery"),
            ("Brackenbury-Shaw", "brackenburyshaw"),
            ("McAlder", "mcalder"),
            ("Thistlewick", "thistlewick"),
            ("Penhallurick", "penhallurick"),
        ],
        cities: &[
            ("Leeds", "West Yorkshire", "LS1 4DY"),
            ("Cardiff", "", "CF10 1EP"),
            ("Inverness", "Highland", "IV1 1HY"),
        ],
        streets: &["Haymaker Lane", "St Swithun's Row", "Old Foundry Yard"],
    },
    Region {
        country: "US",
        alpha3: "USA",
        name: "United States",
        currency: "USD",
        offset: "-05:00",
        family_first: false,
        dial: "+1",
        given: &[
            ("Dakota", "dakota"),
            ("LaShawn", "lashawn"),
            ("María José", "mariajose"),
            ("Wyatt", "wyatt"),
            ("Quinn", "quinn"),
        ],
        family: &[
            ("Whitcomber", "whitcomber"),
            ("Ibáñez-Reed", "ibanezreed"),
            ("Okonjo", "okonjo"),
            ("Van Sandt III", "vansandt"),
            ("Holloway", "holloway"),
        ],
        cities: &[
            ("Albany", "NY", "12207"),
            ("Duluth", "MN", "55802"),
            ("Santa Fe", "NM", "87501"),
        ],
        streets: &["Cottonwood Ave", "N 14th St", "Old Mill Rd"],
    },
    Region {
        country: "PL",
        alpha3: "POL",
        name: "Poland",
        currency: "PLN",
        offset: "+01:00",
        family_first: false,
        dial: "+48",
        given: &[
            ("Łucja", "lucja"),
            ("Żaneta", "zaneta"),
            ("Bogusław", "boguslaw"),
            ("Świętosław", "swietoslaw"),
        ],
        family: &[
            ("Brzęczykowski", "brzeczykowski"),
            ("Źdźbłowska", "zdzblowska"),
            ("Gąsienicki", "gasienicki"),
        ],
        cities: &[("Łódź", "łódzkie", "90-001"), ("Gdańsk", "pomorskie", "80-831")],
        streets: &["ul. Źródlana", "aleja Świerkowa"],
    },
    Region {
        country: "JP",
        alpha3: "JPN",
        name: "Japan",
        currency: "JPY",
        offset: "+09:00",
        family_first: true,
        dial: "+81",
        given: &[("陽菜", "hina"), ("蓮", "ren"), ("さくら", "sakura"), ("健太", "kenta")],
        family: &[
            ("山乃川", "yamanokawa"),
            ("小鳥谷", "kotoriya"),
            ("西雲", "nishigumo"),
            ("渡瀬", "watase"),
        ],
        cities: &[("札幌市", "北海道", "060-0001"), ("京都市", "京都府", "600-8216")],
        streets: &["中央区北一条西", "下京区東塩小路町"],
    },
    Region {
        country: "CN",
        alpha3: "CHN",
        name: "China",
        currency: "CNY",
        offset: "+08:00",
        family_first: true,
        dial: "+86",
        given: &[("梓涵", "zihan"), ("浩然", "haoran"), ("雨桐", "yutong")],
        family: &[("欧阳", "ouyang"), ("林", "lin"), ("慕容", "murong")],
        cities: &[("成都市", "四川省", "610000"), ("厦门市", "福建省", "361000")],
        streets: &["人民南路", "海滨大道"],
    },
    Region {
        country: "BR",
        alpha3: "BRA",
        name: "Brazil",
        currency: "BRL",
        offset: "-03:00",
        family_first: false,
        dial: "+55",
        given: &[
            ("João", "joao"),
            ("Antônia", "antonia"),
            ("Thaís", "thais"),
            ("Caetano", "caetano"),
        ],
        family: &[
            ("Gonçalves Brandão", "goncalvesbrandao"),
            ("Araújo", "araujo"),
            ("da Conceição", "daconceicao"),
        ],
        cities: &[("São Paulo", "SP", "01001-000"), ("Florianópolis", "SC", "88010-000")],
        streets: &["Rua das Laranjeiras", "Avenida São João"],
    },
    Region {
        country: "IN",
        alpha3: "IND",
        name: "India",
        currency: "INR",
        offset: "+05:30",
        family_first: false,
        dial: "+91",
        given: &[("Aadhya", "aadhya"), ("Kavin", "kavin"), ("मीरा", "meera"), ("Devika", "devika")],
        family: &[
            ("Raghunathan", "raghunathan"),
            ("Chaturbhuj", "chaturbhuj"),
            ("Sivaprasad", "sivaprasad"),
        ],
        cities: &[("Kochi", "Kerala", "682001"), ("Pune", "Maharashtra", "411001")],
        streets: &["Lotus Tank Road", "4th Cross, Banyan Layout"],
    },
];

/// Departments: name, place of the one above.
pub(crate) const DEPARTMENTS: &[(&str, Option<usize>)] = &[
    ("Management", None),
    ("Engineering", Some(0)),
    ("Vertrieb & Märkte", Some(0)),
    ("People", Some(0)),
    ("Finance", Some(0)),
    ("Plattform", Some(1)),
    ("品質保証", Some(1)),
    ("Kundenbetreuung", Some(2)),
];

/// Teams: name, place of their department.
pub(crate) const TEAMS: &[(&str, usize)] = &[
    ("Storage", 5),
    ("Réseau", 5),
    ("Mobile", 1),
    ("Web", 1),
    ("DACH", 2),
    ("Américas", 2),
    ("Recruiting", 3),
    ("Payroll", 4),
    ("検証", 6),
    ("Second Level", 7),
];

/// Cost centres: number and name in one, as people write it.
pub(crate) const COST_CENTERS: &[&str] =
    &["1000 Verwaltung", "2000 Entwicklung", "3000 Vertrieb", "9999 Sonstiges"];

/// Job titles.
pub(crate) const TITLES: &[&str] = &[
    "Software Engineer",
    "Sachbearbeiter:in Lohn & Gehalt",
    "Responsable des ventes",
    "Data Analyst",
    "品質管理担当",
    "Working Student (m/w/d)",
    "Office Manager",
    "Site Reliability Engineer",
    "Account Executive – Nordics",
];

/// Skills: name, what it means (may be empty), place of the scale in [`SCALES`].
pub(crate) const SKILLS: &[(&str, &str, usize)] = &[
    ("Rust", "Writes and reviews Rust", 0),
    ("Verhandlungsführung", "", 1),
    ("日本語", "Conversation and business letters", 1),
    ("Spreadsheet modelling", "Plans and forecasts", 0),
    ("First aid", "", 2),
];

/// Scales: name, and the steps of a scale that is not of numbers.
pub(crate) const SCALES: &[(&str, &[&str])] = &[
    ("1 to 5", &[]),
    ("Language levels", &["Beginner", "Intermediate", "Fluent", "Native"]),
    ("Certified", &["No", "Yes"]),
    ("0 to 100", &[]),
    ("Overall", &["Below expectations", "Meets expectations", "Exceeds expectations"]),
];

/// Absence types: name, unit, half days, times of day.
pub(crate) const ABSENCE_TYPES: &[(&str, &str, bool, bool)] = &[
    ("Urlaub", "day", true, false),
    ("Sick leave", "day", true, false),
    ("Zeitausgleich", "hour", false, true),
    ("Congé parental", "day", false, false),
    ("Unpaid", "day", false, false),
];

/// Categories of documents.
pub(crate) const DOCUMENT_CATEGORIES: &[&str] =
    &["Contracts", "Zeugnisse", "Payslips", "身分証明書", "Other"];

/// Stages of an application: name, whether it is in use.
pub(crate) const STAGES: &[(&str, bool)] = &[
    ("Applied", true),
    ("Telefoninterview", true),
    ("Take-home task", true),
    ("On-site", true),
    ("Offer", true),
    ("Hired", true),
    ("Assessment centre (old)", false),
];

/// Roles in the ATS: label, level, function.
pub(crate) const ROLES: &[(&str, &str, Option<&str>)] = &[
    ("Administrator", "system", Some("admin")),
    ("Recruiting", "system", Some("recruiter")),
    ("Nur lesen", "system", None),
    ("Hiring Manager", "job", Some("hiring_manager")),
    ("Recruiter", "job", Some("recruiter")),
    ("Koordination", "job", Some("coordinator")),
    ("Sourcer", "job", Some("sourcer")),
    ("Interviewer", "job", Some("interviewer")),
    ("Betriebsrat", "job", None),
];

/// Tags on candidates.
pub(crate) const TAGS: &[&str] =
    &["rückrufen", "silver medalist", "relocation", "重要", "remote only"];

/// Reasons for rejecting.
pub(crate) const REJECTION_REASONS: &[&str] = &[
    "Position filled",
    "Not enough experience",
    "Gehaltsvorstellung zu hoch",
    "Withdrew",
    "Other",
];

/// Where candidates come from.
pub(crate) const SOURCES: &[&str] =
    &["Career page", "Referral", "Jobbörse Nord", "Agency", "Campus fair"];

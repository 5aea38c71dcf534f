//! What HR information systems can be asked to do.

use super::input::{REMOTE_FIELDS, may, must};
use super::{About, Action, Answer, Bulk, FILE, Input, InputField, Preset};
use crate::model::Category::Hris;
use crate::shape::{Shape, structure};

const EMPLOYEE: Option<About> = Some(About { parameter: "employee_id", model: "hris_employees" });

const SKILL: Option<About> = Some(About { parameter: "skill_id", model: "hris_skills" });
const ASSIGNMENT: Option<About> = Some(About {
    parameter: "employee_skill_assignment_id",
    model: "hris_employee_skill_assignments",
});

const GENDERS: Input = Input::Choice(&["MALE", "FEMALE", "NON_BINARY", "NOT_SPECIFIED"]);
const HOME: InputField = may(
    "home_address",
    Input::Object(&[
        may("street_1", Input::Text, "Street and number."),
        may("street_2", Input::Text, "What else the address needs."),
        may("city", Input::Text, "City."),
        may("state", Input::Text, "State, province or region."),
        may("zip_code", Input::Text, "Postal code."),
        may("country", Input::Country, "Country."),
    ]),
    "Where the person lives.",
);
const JOB_TITLE: InputField = may("job_title", Input::Text, "Title of the position.");
const BORN: InputField = may("date_of_birth", Input::Day, "Day of birth.");
const MOBILE: InputField = may("mobile_phone_number", Input::Text, "Mobile number.");
const PHONE: InputField = may("home_phone_number", Input::Text, "Number at home.");
const NATIONALITY: InputField = may("nationality", Input::Country, "Nationality.");
const START: InputField = may("start_date", Input::Day, "First day of work.");
const ENTITY: InputField =
    may("legal_entity_id", Input::Id("hris_legal_entities"), "The company that employs.");
const LOCATION: InputField = may("location_id", Input::Id("hris_locations"), "The place of work.");

static CREATE_EMPLOYEE: &[InputField] = &[
    must("first_name", Input::Text, "Given name."),
    must("last_name", Input::Text, "Family name."),
    may("work_email", Input::Email, "Address at work."),
    may("gender", GENDERS, "Gender."),
    JOB_TITLE,
    HOME,
    BORN,
    MOBILE,
    PHONE,
    NATIONALITY,
    START,
    ENTITY,
    LOCATION,
    REMOTE_FIELDS,
];

static UPDATE_EMPLOYEE: &[InputField] = &[
    may("first_name", Input::Text, "Given name."),
    may("last_name", Input::Text, "Family name."),
    must("work_email", Input::Email, "Address at work."),
    may("gender", GENDERS, "Gender."),
    JOB_TITLE,
    HOME,
    BORN,
    MOBILE,
    PHONE,
    NATIONALITY,
    START,
    ENTITY,
    LOCATION,
    REMOTE_FIELDS,
    may("ssn", Input::Text, "Social security number."),
    may(
        "marital_status",
        Input::Choice(&[
            "SINGLE",
            "MARRIED",
            "DOMESTIC_PARTNERSHIP",
            "WIDOWED",
            "DIVORCED",
            "SEPARATED",
            "NOT_MARRIED",
        ]),
        "Marital status.",
    ),
    may("termination_date", Input::Day, "Last day of work."),
    may("tax_id", Input::Text, "Tax number."),
];

static CREATE_ABSENCE: &[InputField] = &[
    must("employee_id", Input::Id("hris_employees"), "Who is absent."),
    must("absence_type_id", Input::Id("hris_absence_types"), "The kind of absence."),
    must("start_date", Input::Day, "First day."),
    must("end_date", Input::Day, "Last day."),
    must("employee_note", Input::Text, "What the person says to it.").or_null(),
    may("status", Input::Choice(&["REQUESTED", "APPROVED"]), "Whether it is approved already.")
        .preset(Preset::Text("REQUESTED")),
    may("start_half_day", Input::Boolean, "Whether it begins at noon.").preset(Preset::False),
    may("end_half_day", Input::Boolean, "Whether it ends at noon.").preset(Preset::False),
    may("amount", Input::Number(Some(0)), "How much; together with `unit`."),
    may("unit", Input::Choice(&["HOURS", "DAYS"]), "What `amount` counts."),
    may("start_time", Input::TimeOfDay, "When it begins; together with `end_time`."),
    may("end_time", Input::TimeOfDay, "When it ends."),
    REMOTE_FIELDS,
];

structure! {
    /// The first record of a person who has not begun to work yet.
    pub struct Prehire {
        /// Its id in the tool.
        pub remote_id: Option<String>,
    }
}

structure! {
    /// What creating an employee by form led to.
    pub struct FormOutcome {
        /// The id of the employee, where there is one already.
        pub id: Option<String>,
        /// The id of the employee in the tool.
        pub remote_id: Option<String>,
        /// The record of the person until the first day of work.
        pub prehire: Prehire,
    }
}

structure! {
    /// The form by which an employee is created.
    pub struct EmployeeForm {
        /// The fields, by name.
        pub properties: serde_json::Value,
    }
}

structure! {
    /// The id of what was made.
    pub struct MadeId {
        /// Its id.
        pub id: String,
    }
}

static FORM: crate::shape::Structure = <EmployeeForm as Shape>::SHAPE;
static MADE_ID: crate::shape::Structure = <MadeId as Shape>::SHAPE;
static FORM_OUTCOME: crate::shape::Structure = <FormOutcome as Shape>::SHAPE;

const fn post(
    id: &'static str,
    label: &'static str,
    path: &'static str,
    about: Option<About>,
    body: &'static [InputField],
    answer: Answer,
) -> Action {
    Action {
        id,
        label,
        category: Hris,
        method: "POST",
        path,
        about,
        body,
        answer,
        deprecated: false,
        bulk: Bulk::No,
    }
}

/// Every action.
pub(super) static ACTIONS: &[Action] = &[
    Action {
        deprecated: true,
        ..post(
            "hris_create_employee",
            "Create employee",
            "/hris/employees",
            None,
            CREATE_EMPLOYEE,
            Answer::Record("hris_employees"),
        )
    },
    Action {
        method: "PATCH",
        ..post(
            "hris_update_employee",
            "Update employee",
            "/hris/employees/{employee_id}",
            EMPLOYEE,
            UPDATE_EMPLOYEE,
            Answer::Record("hris_employees"),
        )
    },
    post(
        "hris_create_employee_with_form",
        "Create employee with form",
        "/hris/employees/form",
        None,
        &[
            must("properties", Input::Free, "The values, by the names of the form's fields."),
            may("staffing_entity_id", Input::Id("hris_staffing_entities"), "The position to fill."),
        ],
        Answer::Made("hris_employees", &FORM_OUTCOME),
    ),
    Action {
        method: "GET",
        ..post(
            "hris_get_employee_form",
            "Get employee form",
            "/hris/employees/form",
            None,
            &[may(
                "staffing_entity_id",
                Input::Id("hris_staffing_entities"),
                "The position to fill.",
            )],
            Answer::Own(&FORM),
        )
    },
    post(
        "hris_add_employee_document",
        "Add document to employee",
        "/hris/employees/{employee_id}/documents",
        EMPLOYEE,
        &[
            must("category_id", Input::Id("hris_employee_document_categories"), "The category."),
            must("document", Input::File(FILE), "The file."),
            REMOTE_FIELDS,
        ],
        Answer::Nothing,
    ),
    post(
        "hris_create_absence",
        "Create absence",
        "/hris/absences",
        None,
        CREATE_ABSENCE,
        Answer::Record("hris_absences"),
    ),
    Action {
        method: "DELETE",
        ..post(
            "hris_delete_absence",
            "Delete absence",
            "/hris/absences/{absence_id}",
            Some(About { parameter: "absence_id", model: "hris_absences" }),
            &[REMOTE_FIELDS],
            Answer::Record("hris_absences"),
        )
    },
    Action {
        bulk: Bulk::Also,
        ..post(
            "hris_create_skill",
            "Create skill",
            "/hris/skills",
            None,
            &[
                must("origin_id", Input::Filled, "The caller's own id of the skill."),
                must("name", Input::Filled, "Name."),
                may("status", Input::Choice(&["ACTIVE", "INACTIVE"]), "Whether it is in use.")
                    .preset(Preset::Text("ACTIVE")),
            ],
            Answer::Made("hris_skills", &MADE_ID),
        )
    },
    Action {
        method: "PATCH",
        ..post(
            "hris_update_skill",
            "Update skill",
            "/hris/skills/{skill_id}",
            SKILL,
            &[
                may("name", Input::Text, "Name."),
                may(
                    "levels",
                    Input::List(&Input::Text, usize::MAX),
                    "Names of the levels from worst to best.",
                ),
            ],
            Answer::Record("hris_skills"),
        )
    },
    Action {
        method: "DELETE",
        ..post(
            "hris_delete_skill",
            "Delete skill",
            "/hris/skills/{skill_id}",
            SKILL,
            &[],
            Answer::Record("hris_skills"),
        )
    },
    post(
        "hris_create_employee_skill_assignment",
        "Create employee skill assignment",
        "/hris/employee-skill-assignments",
        None,
        &[
            must("employee_id", Input::Id("hris_employees"), "Who has the skill."),
            must("skill_id", Input::Id("hris_skills"), "The skill."),
            may("current_level", Input::Text, "The level, in the tool's own words."),
        ],
        Answer::Record("hris_employee_skill_assignments"),
    ),
    Action {
        method: "PATCH",
        ..post(
            "hris_update_employee_skill_assignment",
            "Update employee skill assignment",
            "/hris/employee-skill-assignments/{employee_skill_assignment_id}",
            ASSIGNMENT,
            &[must("current_level", Input::Text, "The level, in the tool's own words.").or_null()],
            Answer::Record("hris_employee_skill_assignments"),
        )
    },
    Action {
        method: "DELETE",
        ..post(
            "hris_delete_employee_skill_assignment",
            "Delete employee skill assignment",
            "/hris/employee-skill-assignments/{employee_skill_assignment_id}",
            ASSIGNMENT,
            &[],
            Answer::Record("hris_employee_skill_assignments"),
        )
    },
    post(
        "hris_create_skill_proficiency_rating",
        "Create skill proficiency rating",
        "/hris/skill-proficiency-ratings",
        None,
        &[
            must("employee_id", Input::Id("hris_employees"), "Whose skill it is."),
            must("skill_id", Input::Id("hris_skills"), "The skill."),
            may(
                "rating",
                Input::Object(&[
                    may("rating_source", Input::Open(&["EXTERNAL"]), "Who says so."),
                    may("proficiency", Input::NumberOrText, "A number, or the id of a step."),
                ]),
                "How well.",
            ),
        ],
        Answer::Record("hris_employee_skill_proficiency_ratings"),
    ),
];

//! What applicant tracking systems can be asked to do.

use super::input::{REMOTE_FIELDS, may, must};
use super::{About, Action, Answer, Bulk, Input, InputField, Preset, TYPED_FILE};
use crate::model::Category::Ats;
use crate::shape::{Shape, structure};
use crate::values::Moment;

const LIST: usize = usize::MAX;
const KINDS: Input = Input::Choice(&["PERSONAL", "WORK", "OTHER"]);

const CANDIDATE: Option<About> = Some(About { parameter: "candidate_id", model: "ats_candidates" });
const APPLICATION: Option<About> =
    Some(About { parameter: "application_id", model: "ats_applications" });

static PERSON: &[InputField] = &[
    must("first_name", Input::Text, "Given name."),
    must("last_name", Input::Text, "Family name."),
    must("email_address", Input::Email, "The address to write to."),
    may(
        "additional_email_addresses",
        Input::List(
            &Input::Object(&[
                must("type", KINDS, "What it is used for."),
                must("email_address", Input::Email, "The address."),
            ]),
            LIST,
        ),
        "Further addresses.",
    ),
    may("company", Input::Text, "Where the person works now."),
    may("title", Input::Text, "Title of the job the person has now."),
    may("phone_number", Input::Text, "The number to call."),
    may(
        "additional_phone_numbers",
        Input::List(
            &Input::Object(&[
                must("type", KINDS, "What it is used for."),
                must("phone_number", Input::Text, "The number."),
            ]),
            LIST,
        ),
        "Further numbers.",
    ),
    may(
        "location",
        Input::Object(&[
            must("country", Input::Country, "Country."),
            may("city", Input::Text, "City."),
            may("state", Input::Text, "State, province or region."),
            may("street_1", Input::Text, "Street and number."),
            may("zip_code", Input::Text, "Postal code."),
        ]),
        "Where the person lives.",
    ),
    may("gender", Input::Choice(&["MALE", "FEMALE", "OTHER"]), "Gender."),
    may("availability_date", Input::Day, "The day from which the person can work."),
    may(
        "salary_expectations",
        Input::Object(&[
            must("period", Input::Choice(&["MONTH", "YEAR"]), "What the amount is paid for."),
            must("amount", Input::Number(None), "The amount."),
        ]),
        "What the person wants to earn.",
    ),
    may(
        "social_links",
        Input::List(&Input::Object(&[must("url", Input::Url, "The page.")]), LIST),
        "Pages about the person.",
    )
    .preset(Preset::Empty),
];

const ANSWERS: InputField = may(
    "screening_question_answers",
    Input::List(
        &Input::Object(&[
            must("question_id", Input::Id("ats_screening_questions"), "The question."),
            must("answer", Input::Reply, "The answer, in the form that the question asks for."),
        ]),
        LIST,
    ),
    "Answers to the screening questions of the job.",
);
static ANY_FILE: Input = Input::File(TYPED_FILE);
const ATTACHMENTS: InputField =
    may("attachments", Input::List(&ANY_FILE, LIST), "Files of the candidate.")
        .preset(Preset::Empty);
const SOURCE: InputField = may(
    "source",
    Input::Object(&[
        may("name", Input::Text, "Name of the source."),
        may("unified_key", Input::Text, "A source that several tools know."),
        may("id", Input::Text, "The source's id in the tool."),
    ]),
    "Where the candidate came from.",
);
const SOURCED_BY: InputField = may(
    "sourced_by",
    Input::Object(&[must("user_id", Input::Id("ats_users"), "The user.")]),
    "Who found the candidate.",
);
const CONSENT: InputField = may(
    "gdpr_consent",
    Input::Object(&[
        may("expires_at", Input::Moment, "When the consent ends."),
        may("given", Input::Boolean, "Whether it was given."),
    ]),
    "Consent to keeping the data.",
);

static CREATE_APPLICATION: &[InputField] = &[
    may("stage_id", Input::Id("ats_application_stages"), "The stage to begin in."),
    must("candidate", Input::Object(PERSON), "Who applies."),
    ATTACHMENTS,
    SOURCE,
    SOURCED_BY,
    CONSENT,
    ANSWERS,
    REMOTE_FIELDS,
];

static CREATE_CANDIDATE: &[InputField] = &[
    must("candidate", Input::Object(PERSON), "Who applies."),
    must(
        "application",
        Input::Object(&[
            must("job_id", Input::Id("ats_jobs"), "The job."),
            may("stage_id", Input::Id("ats_application_stages"), "The stage to begin in."),
        ]),
        "What for.",
    ),
    ANSWERS,
    ATTACHMENTS,
    SOURCE.deprecated(),
    SOURCED_BY,
    CONSENT,
    REMOTE_FIELDS,
];

static ATTACHMENT: &[InputField] =
    &[must("attachment", Input::File(TYPED_FILE), "The file."), REMOTE_FIELDS];

static RESULT_LINK: &[InputField] = &[
    must("label", Input::Text, "What the link is called."),
    must("url", Input::Url, "Where it leads."),
    may(
        "details",
        Input::Object(&[
            must("custom_field_name_prefix", Input::Text, "What the names begin with."),
            must(
                "attributes",
                Input::List(
                    &Input::Object(&[
                        must("key", Input::Text, "Name."),
                        must("value", Input::Text, "Value."),
                    ]),
                    LIST,
                ),
                "Values to be shown beside the link.",
            ),
        ]),
        "What is known beside the link.",
    ),
    REMOTE_FIELDS,
];

static TAG: &[InputField] = &[
    must("tag", Input::Object(&[must("name", Input::Filled, "Name of the tag.")]), "The tag."),
    REMOTE_FIELDS,
];

const PLACE: InputField = must(
    "location",
    Input::Object(&[
        must("type", Input::Choice(&["PHYSICAL", "VIRTUAL"]), "Whether people meet in a room."),
        may("address", Input::Text, "The address, or the link."),
    ]),
    "Where it takes place.",
);
const INTERVIEWERS: InputField = must(
    "interviewer_user_ids",
    Input::List(&Input::Id("ats_users"), LIST),
    "Who talks with the candidate.",
);

static CREATE_INTERVIEW: &[InputField] = &[
    must("title", Input::Text, "Title."),
    must("start_time", Input::Moment, "When it begins."),
    must("end_time", Input::Moment, "When it ends."),
    INTERVIEWERS,
    must("organizer_user_id", Input::Id("ats_users"), "Who organises it."),
    PLACE,
];

static UPDATE_INTERVIEW: &[InputField] = &[
    must("interview_id", Input::Id("ats_interviews"), "The interview."),
    must("title", Input::Text, "Title."),
    must("start_time", Input::Moment, "When it begins."),
    must("end_time", Input::Moment, "When it ends."),
    INTERVIEWERS,
    must("organizer_user_id", Input::Id("ats_users"), "Who organises it."),
    PLACE,
];

structure! {
    /// An application that is followed from now on.
    pub struct Tracked {
        /// Its id.
        pub id: String,
        /// Since when it is followed, as the caller said.
        pub tracked_at: Option<Moment>,
        /// What the tool knows it by, as the caller said.
        pub imported_id: serde_json::Value,
    }
}

static TRACKED: crate::shape::Structure = <Tracked as Shape>::SHAPE;

const fn post(
    id: &'static str,
    label: &'static str,
    path: &'static str,
    about: Option<About>,
    body: &'static [InputField],
) -> Action {
    Action {
        id,
        label,
        category: Ats,
        method: "POST",
        path,
        about,
        body,
        answer: Answer::Nothing,
        deprecated: false,
        bulk: Bulk::No,
    }
}

/// Every action.
pub(super) static ACTIONS: &[Action] = &[
    Action {
        answer: Answer::RecordWith("ats_applications", "candidate", "ats_candidates"),
        ..post(
            "ats_create_application",
            "Create application",
            "/ats/jobs/{job_id}/applications",
            Some(About { parameter: "job_id", model: "ats_jobs" }),
            CREATE_APPLICATION,
        )
    },
    Action {
        answer: Answer::Record("ats_candidates"),
        ..post(
            "ats_create_candidate",
            "Create candidate",
            "/ats/candidates",
            None,
            CREATE_CANDIDATE,
        )
    },
    post(
        "ats_add_candidate_attachment",
        "Add attachment to candidate",
        "/ats/candidates/{candidate_id}/attachments",
        CANDIDATE,
        ATTACHMENT,
    ),
    post(
        "ats_add_application_attachment",
        "Add attachment to application",
        "/ats/applications/{application_id}/attachments",
        APPLICATION,
        ATTACHMENT,
    ),
    post(
        "ats_add_candidate_result_link",
        "Add result link to candidate",
        "/ats/candidates/{candidate_id}/result-links",
        CANDIDATE,
        RESULT_LINK,
    ),
    post(
        "ats_add_application_result_link",
        "Add result link to application",
        "/ats/applications/{application_id}/result-links",
        APPLICATION,
        RESULT_LINK,
    ),
    post(
        "ats_add_candidate_tag",
        "Add tag to candidate",
        "/ats/candidates/{candidate_id}/tags",
        CANDIDATE,
        TAG,
    ),
    Action {
        method: "DELETE",
        ..post(
            "ats_remove_candidate_tag",
            "Remove tag from candidate",
            "/ats/candidates/{candidate_id}/tags",
            CANDIDATE,
            TAG,
        )
    },
    post(
        "ats_add_application_note",
        "Add note to application",
        "/ats/applications/{application_id}/notes",
        APPLICATION,
        &[
            must("content", Input::Text, "What it says."),
            must("content_type", Input::Choice(&["PLAIN_TEXT"]), "How it is written."),
            REMOTE_FIELDS,
        ],
    ),
    post(
        "ats_reject_application",
        "Reject application",
        "/ats/applications/{application_id}/reject",
        APPLICATION,
        &[
            must("rejection_reason_id", Input::Id("ats_rejection_reasons"), "Why."),
            may("note", Input::Text, "A note beside the reason."),
            REMOTE_FIELDS,
        ],
    ),
    Action {
        method: "PUT",
        ..post(
            "ats_move_application_to_stage",
            "Move application to stage",
            "/ats/applications/{application_id}/stage",
            APPLICATION,
            &[must("stage_id", Input::Id("ats_application_stages"), "The stage."), REMOTE_FIELDS],
        )
    },
    post(
        "ats_create_interview",
        "Create interview",
        "/ats/applications/{application_id}/interviews",
        APPLICATION,
        CREATE_INTERVIEW,
    ),
    Action {
        method: "PATCH",
        ..post(
            "ats_update_interview",
            "Update interview",
            "/ats/applications/{application_id}/interviews",
            APPLICATION,
            UPDATE_INTERVIEW,
        )
    },
    Action {
        answer: Answer::Made("ats_applications", &TRACKED),
        ..post(
            "ats_import_tracked_application",
            "Import tracked application",
            "/ats/import-tracked-application",
            None,
            &[
                must("tracked_at", Input::Moment, "Since when the application is followed.")
                    .or_null(),
                may("*", Input::OfTool, "What the tool knows the application by."),
            ],
        )
    },
];

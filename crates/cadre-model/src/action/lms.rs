//! What learning management systems can be asked to do.

use super::input::{may, must};
use super::{About, Action, Answer, Bulk, Input, InputField, Preset};
use crate::model::Category::Lms;
use crate::shape::{Shape, choice, structure};
use crate::values::{Moment, Ref};

use crate::lms::{Course, Learner};

const LIST: usize = usize::MAX;
const PROGRESSION: Option<About> =
    Some(About { parameter: "course_progression_id", model: "lms_course_progressions" });
const PROGRESS_STATUS: Input = Input::Choice(&["ENROLLED", "STARTED", "COMPLETED", "STOPPED"]);
const CONTENT_TYPE: Input = Input::Choice(&["COACHING", "VIDEO", "TEXT", "QUIZ"]);

structure! {
    /// What a tool sent, as it is.
    pub struct AsSent {}
}

structure! {
    /// A record that was made or changed.
    pub struct UpsertedId {
        /// Its id.
        pub id: String,
    }
}

structure! {
    /// A skill of a course, in the older form.
    pub struct OlderSkill {
        /// Name.
        pub name: String,
        /// How well it is taught.
        pub skill_level: Option<String>,
    }
}

choice! {
    /// What a part of a course is.
    pub closed ContentType { Coaching = "COACHING", Video = "VIDEO", Text = "TEXT", Quiz = "QUIZ" }
}

choice! {
    /// How far somebody is, in the older form.
    pub closed ProgressStatus {
        Enrolled = "ENROLLED", Started = "STARTED", Completed = "COMPLETED", Stopped = "STOPPED",
    }
}

structure! {
    /// A part of a course.
    pub struct PartOfCourse {
        /// Its id.
        pub id: String,
        /// Its id in the tool.
        pub remote_id: String,
        /// Title.
        pub title: String,
        /// What it is about.
        pub description: Option<String>,
        /// Where it can be seen.
        pub url: Option<String>,
        /// What it is.
        pub r#type: ContentType,
        /// When the tool made the record.
        pub remote_created_at: Option<Moment>,
    }
}

structure! {
    /// A course, in the older form.
    pub struct OlderCourse {
        /// Its id.
        pub id: String,
        /// Its id in the tool.
        pub remote_id: String,
        /// Title.
        pub title: String,
        /// What it is about.
        pub description: Option<String>,
        /// Where it can be seen.
        pub url: Option<String>,
        /// When the tool made the record.
        pub remote_created_at: Option<Moment>,
        /// What it teaches.
        pub skills: Option<Vec<OlderSkill>>,
        /// Its parts in their order.
        pub ordered_content: Vec<PartOfCourse>,
        /// When the record last changed here.
        pub changed_at: Moment,
        /// When it was deleted in the tool.
        pub remote_deleted_at: Option<String>,
        /// What the tool sent.
        pub remote_data: Option<AsSent>,
    }
}

structure! {
    /// A part of a course that was made.
    pub struct OlderContent {
        /// Its id.
        pub id: String,
        /// Its id in the tool.
        pub remote_id: String,
        /// Title.
        pub title: String,
        /// What it is about.
        pub description: Option<String>,
        /// Where it can be seen.
        pub url: Option<String>,
        /// What it is.
        pub r#type: ContentType,
        /// The course.
        pub course_id: Option<Ref<Course>>,
        /// When the tool made the record.
        pub remote_created_at: Option<Moment>,
        /// When the record last changed here.
        pub changed_at: Moment,
        /// What the tool sent.
        pub remote_data: Option<AsSent>,
    }
}

structure! {
    /// A course progression, in the older form.
    pub struct OlderProgress {
        /// Its id.
        pub id: String,
        /// Its id in the tool.
        pub remote_id: String,
        /// The course.
        pub course_id: Ref<Course>,
        /// Who takes it.
        pub user_id: Ref<Learner>,
        /// How far the person is.
        pub status: ProgressStatus,
        /// When it was taken up.
        pub enrollment_date: Option<String>,
        /// When it was completed.
        pub completion_date: Option<String>,
        /// Points.
        pub score: Option<f64>,
        /// Time spent, as the tool counts it.
        pub duration: Option<f64>,
        /// Remarks.
        pub comments: Option<String>,
        /// When the record last changed here.
        pub changed_at: Moment,
        /// What the tool sent.
        pub remote_data: Option<AsSent>,
    }
}

static UPSERTED: crate::shape::Structure = <UpsertedId as Shape>::SHAPE;
static OLDER_COURSE: crate::shape::Structure = <OlderCourse as Shape>::SHAPE;
static OLDER_CONTENT: crate::shape::Structure = <OlderContent as Shape>::SHAPE;
static OLDER_PROGRESS: crate::shape::Structure = <OlderProgress as Shape>::SHAPE;

/// A course whose content stands somewhere else.
static EXTERNAL_COURSE: &[InputField] = &[
    must("title", Input::Text, "Title."),
    may("description", Input::Text, "What it is about.").or_null(),
    must("course_url", Input::Text, "Where people take it."),
    may("thumbnail_url", Input::Text, "A picture.").or_null(),
    may("duration", Input::Whole(1, i64::MAX), "How long it takes, in minutes.").or_null(),
    may("languages", Input::List(&Input::Language, LIST), "Its languages: `de`, `en-GB`.")
        .or_null(),
];

static OLDER_PROGRESS_VALUES: &[InputField] = &[
    may("course_id", Input::Id("lms_courses"), "The course."),
    may("user_id", Input::Id("lms_users"), "Who takes it."),
    may("status", PROGRESS_STATUS, "How far the person is."),
    may("enrollment_date", Input::Moment, "When it was taken up."),
    may("completion_date", Input::Moment, "When it was completed.").or_null(),
    may("score", Input::Number(None), "Points.").or_null(),
    may("duration", Input::Number(None), "Time spent.").or_null(),
    may("comments", Input::Text, "Remarks.").or_null(),
];

static OLDER_PROGRESS_NEW: &[InputField] = &[
    must("course_id", Input::Id("lms_courses"), "The course."),
    must("user_id", Input::Id("lms_users"), "Who takes it."),
    must("progress_id", Input::Text, "The id that the calling software has for it."),
    must("status", PROGRESS_STATUS, "How far the person is."),
    must("enrollment_date", Input::Moment, "When it was taken up."),
    may("completion_date", Input::Moment, "When it was completed.").or_null(),
    may("score", Input::Number(None), "Points.").or_null(),
    may("duration", Input::Number(None), "Time spent.").or_null(),
    may("comments", Input::Text, "Remarks.").or_null(),
];

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
        category: Lms,
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
    post(
        "lms_create_course_progression",
        "Enroll user in course",
        "/lms/course-progressions",
        None,
        &[
            must("user_id", Input::Id("lms_users"), "Who takes it."),
            must("course_revision_id", Input::Id("lms_course_revisions"), "What is taken."),
        ],
        Answer::Record("lms_course_progressions"),
    ),
    post(
        "lms_complete_course_progression",
        "Complete course",
        "/lms/course-progressions/{course_progression_id}/complete",
        PROGRESSION,
        &[
            may("completed_at", Input::Moment, "When it was completed; now by default.").or_null(),
            may("score", Input::Whole(0, 100), "Points of 100.").or_null(),
        ],
        Answer::Record("lms_course_progressions"),
    ),
    Action {
        bulk: Bulk::Only,
        ..post(
            "lms_upsert_courses",
            "Upsert courses",
            "/lms/courses",
            None,
            &[
                must(
                    "origin_id",
                    Input::Filled,
                    "The id that the calling software has for the course.",
                ),
                must("course", Input::OneOf(&[("EXTERNAL", EXTERNAL_COURSE)]), "The course."),
            ],
            Answer::Made("lms_courses", &UPSERTED),
        )
    },
    post(
        "lms_deactivate_course",
        "Deactivate course",
        "/lms/courses/{course_id}/deactivate",
        Some(About { parameter: "course_id", model: "lms_courses" }),
        &[],
        Answer::Record("lms_courses"),
    ),
    post(
        "lms_create_course",
        "Create course",
        "/lms/courses",
        None,
        &[
            must("title", Input::Text, "Title."),
            may("description", Input::Text, "What it is about.").or_null(),
            may("url", Input::Text, "Where people take it.").or_null(),
            may(
                "skills",
                Input::List(
                    &Input::Object(&[
                        must("name", Input::Text, "Name."),
                        may("skill_level", Input::Text, "How well it is taught.").or_null(),
                    ]),
                    LIST,
                ),
                "What it teaches.",
            )
            .preset(Preset::Empty),
        ],
        Answer::Made("lms_courses", &OLDER_COURSE),
    ),
    post(
        "lms_create_content",
        "Create content",
        "/lms/content",
        None,
        &[
            must("course_id", Input::Id("lms_courses"), "The course."),
            must("title", Input::Text, "Title."),
            may("description", Input::Text, "What it is about.").or_null(),
            may("url", Input::Text, "Where it can be seen.").or_null(),
            must("type", CONTENT_TYPE, "What it is."),
        ],
        Answer::Made("lms_content", &OLDER_CONTENT),
    ),
    post(
        "lms_create_progress",
        "Create progress",
        "/lms/progress",
        None,
        OLDER_PROGRESS_NEW,
        Answer::Made("lms_course_progressions", &OLDER_PROGRESS),
    ),
    Action {
        method: "PATCH",
        ..post(
            "lms_update_progress",
            "Update progress",
            "/lms/progress/{progress_id}",
            Some(About { parameter: "progress_id", model: "lms_course_progressions" }),
            OLDER_PROGRESS_VALUES,
            Answer::Made("lms_course_progressions", &OLDER_PROGRESS),
        )
    },
];

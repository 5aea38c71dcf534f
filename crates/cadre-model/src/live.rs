//! Live reads: what is asked of the tool at the moment of the call, because no mirror holds it.
//!
//! To add one: a row in [`LIVE_READS`], and a handler where its answer has a form of its own.

use crate::ats::Application;
use crate::ats::attachment::AttachmentType;
use crate::model::{Category, Model, ModelDef, model};
use crate::shape::structure;
use crate::values::{Moment, Ref};

/// A live read: about one record, answered by the tool.
#[derive(Debug)]
pub struct LiveRead {
    /// Its id, by which connectors and scope configurations name it.
    pub id: &'static str,
    /// What people call it.
    pub label: &'static str,
    /// The kind of tool it belongs to.
    pub category: Category,
    /// Its path below `/v1`.
    pub path: &'static str,
    /// The variable part of the path.
    pub parameter: &'static str,
    /// Id of the model whose record is asked about.
    pub of: &'static str,
    /// What a mapping can fill of one item of the answer. Its id makes the ids of the items.
    pub answer: &'static ModelDef,
}

structure! {
    /// A file, as a live read finds it.
    pub struct AttachedFile {
        /// The application it came with.
        pub application_id: Option<Ref<Application>>,
        /// What it is; `OTHER` when nothing else is said.
        pub r#type: Option<AttachmentType>,
        /// Name of the file.
        pub file_name: Option<String>,
        /// Media type of its content; by default what the name suggests.
        pub content_type: Option<String>,
        /// An address that opens without credentials.
        pub data_url: Option<String>,
        /// Where the content is fetched with the credentials: a path below `base_url`.
        pub file_path: Option<String>,
        /// When the tool made the record.
        pub remote_created_at: Option<Moment>,
        /// When the tool last changed the record.
        pub remote_updated_at: Option<Moment>,
    }
}

// The id is that of the mirrored model: the same file has the same id in both.
model! {
    AttachedFile: "ats_attachments", "Attached files", Ats, None,
    remote_id_nullable: false,
    extensions: [],
    relations: &[],
    filters: &[],
}

/// What a mapping can fill of a file.
pub static ATTACHED_FILE: ModelDef = <AttachedFile as Model>::MODEL;

/// Every live read.
pub static LIVE_READS: &[LiveRead] = &[
    LiveRead {
        id: "ats_get_candidate_attachments",
        label: "Get candidate attachments",
        category: Category::Ats,
        path: "/ats/candidates/{candidate_id}/attachments",
        parameter: "candidate_id",
        of: "ats_candidates",
        answer: &ATTACHED_FILE,
    },
    LiveRead {
        id: "ats_get_application_attachments",
        label: "Get application attachments",
        category: Category::Ats,
        path: "/ats/applications/{application_id}/attachments",
        parameter: "application_id",
        of: "ats_applications",
        answer: &ATTACHED_FILE,
    },
];

/// The live read of that id.
#[must_use]
pub fn live_read(id: &str) -> Option<&'static LiveRead> {
    LIVE_READS.iter().find(|read| read.id == id)
}

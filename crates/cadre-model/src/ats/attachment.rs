//! Attachments: files of candidates.

use super::{Application, Candidate};
use crate::model::{Filter, FilterRule, model};
use crate::shape::{choice, structure, union};
use crate::values::{Moment, Ref};

choice! {
    /// What a file is.
    pub closed AttachmentType { Cv = "CV", CoverLetter = "COVER_LETTER", Other = "OTHER" }
}

structure! {
    /// A file in an object store.
    pub struct ObjectLocation {
        /// Bucket.
        pub bucket: String,
        /// Key within the bucket.
        pub key: String,
    }
}

union! {
    /// Where the content of a file is kept.
    pub enum ContentRef {
        /// In an object store.
        ObjectStore(ObjectLocation) = "s3",
    }
}

structure! {
    /// A file of a candidate.
    pub struct Attachment {
        /// Whose file it is.
        pub candidate_id: Ref<Candidate>,
        /// The application it came with.
        pub application_id: Option<Ref<Application>>,
        /// What it is.
        pub r#type: Option<AttachmentType>,
        /// Name of the file.
        pub file_name: Option<String>,
        /// Where the content is kept, if a copy is kept.
        pub content_ref: Option<ContentRef>,
        /// When the tool made the record.
        pub remote_created_at: Option<Moment>,
        /// When the tool last changed the record.
        pub remote_updated_at: Option<Moment>,
    }
}

model! {
    Attachment: "ats_attachments", "Attachments", Ats, Some("/ats/attachments"),
    remote_id_nullable: false,
    extensions: [],
    relations: &[],
    filters: &[
        Filter { name: "candidate_ids", doc: "Of one of these candidates.", rule: FilterRule::RefersTo { field: "candidate_id" }, deprecated: false },
        Filter { name: "application_ids", doc: "Of one of these applications.", rule: FilterRule::RefersTo { field: "application_id" }, deprecated: false },
    ],
}

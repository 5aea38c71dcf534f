//! Stages that applications go through.

use crate::model::model;
use crate::shape::{choice, structure};

choice! {
    /// Whether applications can be in the stage.
    pub closed StageStatus { Active = "ACTIVE", Inactive = "INACTIVE" }
}

structure! {
    /// A stage that applications go through.
    pub struct ApplicationStage {
        /// Name.
        pub name: Option<String>,
        /// Whether applications can be in it.
        pub status: Option<StageStatus>,
        /// Place in the order of stages, where the tool has one order for all jobs.
        pub index: Option<i64>,
    }
}

model! {
    ApplicationStage: "ats_application_stages", "Application stages", Ats, Some("/ats/application-stages"),
    remote_id_nullable: true,
    extensions: [custom_fields, remote_data],
    relations: &[],
    filters: &[],
}

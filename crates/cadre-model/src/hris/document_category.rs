//! Categories that documents of employees are filed under.

use crate::model::model;
use crate::shape::structure;

structure! {
    /// A category for documents of employees.
    pub struct EmployeeDocumentCategory {
        /// Name.
        pub name: Option<String>,
    }
}

model! {
    EmployeeDocumentCategory: "hris_employee_document_categories", "Employee document categories", Hris,
    Some("/hris/employee-document-categories"),
    remote_id_nullable: true,
    extensions: [remote_data],
    relations: &[],
    filters: &[],
}

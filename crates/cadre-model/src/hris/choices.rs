//! Choices that several HRIS models share.

use crate::shape::choice;

choice! {
    /// How somebody is employed.
    pub open EmploymentType {
        FullTime = "FULL_TIME", PartTime = "PART_TIME", Contract = "CONTRACT", Internship = "INTERNSHIP",
        Freelance = "FREELANCE", WorkingStudent = "WORKING_STUDENT", Apprenticeship = "APPRENTICESHIP",
        Training = "TRAINING",
    }
}

choice! {
    /// The same list, where the contract lets no other value pass.
    pub closed UnifiedEmploymentType {
        FullTime = "FULL_TIME", PartTime = "PART_TIME", Contract = "CONTRACT", Internship = "INTERNSHIP",
        Freelance = "FREELANCE", WorkingStudent = "WORKING_STUDENT", Apprenticeship = "APPRENTICESHIP",
        Training = "TRAINING",
    }
}

choice! {
    /// What time off is counted in.
    pub closed TimeUnit { Hours = "HOURS", Days = "DAYS" }
}

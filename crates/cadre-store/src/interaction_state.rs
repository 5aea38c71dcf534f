//! How an interaction stands, which is a matter of how it ended.

use crate::interactions::Interaction;

/// How an interaction stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InteractionState {
    /// It goes on.
    Running,
    /// It ended well.
    Succeeded,
    /// It ended with a fault.
    Failed,
}

impl InteractionState {
    /// Every state.
    pub const ALL: &'static [InteractionState] =
        &[InteractionState::Running, InteractionState::Succeeded, InteractionState::Failed];

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            InteractionState::Running => "running",
            InteractionState::Succeeded => "succeeded",
            InteractionState::Failed => "failed",
        }
    }
}

impl Interaction {
    /// How it stands.
    #[must_use]
    pub fn state(&self) -> InteractionState {
        match (&self.code, self.ended_at) {
            (Some(_), _) => InteractionState::Failed,
            (None, None) => InteractionState::Running,
            (None, Some(_)) => InteractionState::Succeeded,
        }
    }
}

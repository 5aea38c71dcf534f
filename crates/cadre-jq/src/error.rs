//! What can be wrong with an expression, and with running it.

/// Why an expression does not compile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct CompileError {
    /// What is wrong.
    pub message: String,
    /// Where in the source, in bytes from its start.
    pub offset: usize,
    /// What to do about it.
    pub hint: Option<String>,
}

impl CompileError {
    pub(crate) fn new(message: impl Into<String>, offset: usize) -> Self {
        Self { message: message.into(), offset, hint: None }
    }

    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Takes off what was put before the author's text.
    pub(crate) fn shifted(mut self, prefix: usize, len: usize) -> Self {
        self.offset = self.offset.saturating_sub(prefix).min(len);
        self
    }
}

/// Why an expression has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct EvalError {
    /// What went wrong; values in it are shortened.
    pub message: String,
}

/// Most characters of an error's message: it may quote a value.
const MESSAGE_CHARS: usize = 300;

impl EvalError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        let message: String = message.into();
        match message.char_indices().nth(MESSAGE_CHARS) {
            Some((end, _)) => Self { message: format!("{}…", &message[..end]) },
            None => Self { message },
        }
    }

    pub(crate) fn steps() -> Self {
        Self::new(format!("the expression takes more than {} steps", crate::MAX_STEPS))
    }

    pub(crate) fn size() -> Self {
        Self::new(format!("the expression builds a value of more than {} bytes", crate::MAX_SIZE))
    }

    pub(crate) fn depth() -> Self {
        Self::new(format!(
            "the expression builds a value nested deeper than {}",
            crate::MAX_VALUE_DEPTH
        ))
    }
}

//! `cadre connector schema`: what the files of a connector may hold, for editors.

use std::path::PathBuf;

use cadre_jobs::authoring::schema::{self, Subject};
use cadre_model::registry;
use clap::ValueEnum;

use super::new::write;
use crate::Failed;

/// Flags of `connector schema`.
#[derive(Debug, clap::Args)]
pub struct SchemaCommand {
    /// Which files the schema is for.
    #[arg(value_enum, default_value = "connector")]
    of: FileKind,
    /// With `map`: the model that the file fills, such as hris_employees.
    #[arg(long)]
    model: Option<String>,
    /// Writes the schemas of all files to the folder `.schema` in this folder of connectors instead, where the
    /// first line of the files that `connector new` writes looks for them.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["of", "model"])]
    write: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FileKind {
    /// connector.yaml
    Connector,
    /// map/<model>.yaml; say which with --model
    Map,
    /// actions/<action>.yaml
    Action,
    /// case.yaml of a case
    Case,
    /// exchanges.json of a case
    Exchanges,
    /// records.json of a case
    Records,
    /// issues.json of a case
    Issues,
    /// error.json of a case
    Error,
}

impl SchemaCommand {
    /// Prints one, or writes all.
    #[expect(clippy::print_stdout, reason = "the schema is the command's output")]
    pub fn run(self) -> Result<(), Failed> {
        if let Some(folder) = &self.write {
            if !folder.is_dir() {
                return Err(format!("--write: {} is not a folder", folder.display()));
            }
            let files = schema::files();
            for (path, text) in &files {
                write(&folder.join(schema::FOLDER).join(path), text)?;
            }
            println!("{} schemas in {}", files.len(), folder.join(schema::FOLDER).display());
            return Ok(());
        }
        println!("{:#}", schema::of(self.subject()?));
        Ok(())
    }

    fn subject(&self) -> Result<Subject, Failed> {
        if self.of != FileKind::Map && self.model.is_some() {
            return Err("--model belongs to `cadre connector schema map`".to_owned());
        }
        Ok(match self.of {
            FileKind::Connector => Subject::Connector,
            FileKind::Action => Subject::Action,
            FileKind::Case => Subject::Case,
            FileKind::Exchanges => Subject::Exchanges,
            FileKind::Records => Subject::Records,
            FileKind::Issues => Subject::Issues,
            FileKind::Error => Subject::Error,
            FileKind::Map => {
                let known: Vec<&str> = registry::models().iter().map(|model| model.id).collect();
                let wanted = self.model.as_deref().unwrap_or_default();
                let model = registry::model(wanted);
                Subject::Map(model.ok_or_else(|| {
                    format!("--model: expected one of {}, got \"{wanted}\"", known.join(", "))
                })?)
            }
        })
    }
}

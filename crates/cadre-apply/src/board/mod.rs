//! Job boards whose postings can be read by a public API, beside or instead of their pages.
//!
//! A board is a file under `boards/`: the addresses of its postings, the request that reads one, what the
//! answer says of the job and, where the board takes applications without a key, the controls of its form.

mod pattern;
mod xml;

use std::fmt;
use std::sync::{Arc, LazyLock};

use cadre_jq::{Expr, Vars};
use encoding_rs::UTF_8;
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use self::pattern::Pattern;
use crate::job;
use crate::question::Form;
use crate::sheet::{Control, Listed, Sheet, Written};

const BUILT_IN: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/boards.rs"));

static BOARDS: LazyLock<Boards> =
    LazyLock::new(|| Boards::read(BUILT_IN).expect("the built-in boards, which tests read"));

/// Job boards that are known. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Boards(Arc<Vec<Board>>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// Where the vendor's documentation says so.
    sources: Vec<String>,
    /// Addresses of postings, with `{names}` of what is taken from them.
    postings: Vec<String>,
    /// The address that is read; the same names stand in braces.
    read: String,
    #[serde(default)]
    answers: Answers,
    /// The posting in the answer; null where it is not there any more.
    posting: String,
    /// The posting as a `JobPosting` of schema.org.
    job: String,
    /// The controls of the form, where the board takes applications without a key.
    #[serde(default)]
    controls: Option<String>,
    #[serde(default)]
    apply: Option<Apply>,
    /// The page with the form, where that is not the posting's own.
    #[serde(default)]
    page: Option<String>,
}

#[derive(Deserialize, Default, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Answers {
    #[default]
    Json,
    Xml,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Apply {
    /// Where the form is sent to.
    url: String,
    /// `multipart` or `pairs`.
    encoding: Encoding,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum Encoding {
    Multipart,
    Pairs,
}

/// A control as a board's expression writes it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Described {
    /// As the `type` of an input; `select` or `textarea`.
    kind: String,
    name: String,
    #[serde(default)]
    label: String,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    value: String,
    #[serde(default)]
    required: bool,
    #[serde(default)]
    multiple: bool,
    #[serde(default)]
    options: Vec<Offered>,
    #[serde(default)]
    accept: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Offered {
    value: String,
    label: String,
}

struct Board {
    name: String,
    postings: Vec<Pattern>,
    read: String,
    answers: Answers,
    posting: Expr,
    job: Expr,
    controls: Option<(Expr, Apply)>,
    page: Option<String>,
}

impl fmt::Debug for Board {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Board").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A posting of a known board.
#[derive(Debug)]
pub struct OnBoard<'a> {
    board: &'a Board,
    /// What its address says, by name.
    named: Value,
    /// The address that reads it.
    pub read: Url,
}

/// What a board says of a posting.
#[derive(Debug)]
pub struct Posted {
    /// The job, as a page would say it.
    pub job: Value,
    /// The form that the board takes, and how it is filled in.
    pub form: Option<(Form, Box<Sheet>)>,
    /// The page with the form, where the board names it.
    pub page: Option<Url>,
}

impl Boards {
    /// The boards that come with Cadre.
    #[must_use]
    pub fn built_in() -> Boards {
        BOARDS.clone()
    }

    /// Reads boards: names and the texts of their files.
    ///
    /// # Errors
    ///
    /// The file and what is wrong with it.
    pub fn read(files: &[(&str, &str)]) -> Result<Boards, String> {
        let boards: Result<Vec<Board>, String> = files
            .iter()
            .map(|(name, text)| Board::read(name, text).map_err(|why| format!("{name}: {why}")))
            .collect();
        boards.map(|boards| Boards(Arc::new(boards)))
    }

    /// The board that a posting is on.
    #[must_use]
    pub fn find(&self, url: &Url) -> Option<OnBoard<'_>> {
        self.0.iter().find_map(|board| {
            let named = board.postings.iter().find_map(|pattern| pattern.fits(url))?;
            let read = Url::parse(&filled(&board.read, &named)).ok()?;
            Some(OnBoard { board, named, read })
        })
    }
}

/// A text with what stands for its names in braces.
fn filled(template: &str, named: &Value) -> String {
    let mut text = template.to_owned();
    for (name, value) in named.as_object().into_iter().flatten() {
        text = text.replace(&format!("{{{name}}}"), value.as_str().unwrap_or_default());
    }
    text
}

impl Board {
    fn read(name: &str, text: &str) -> Result<Board, String> {
        let file: File = serde_saphyr::from_str(text).map_err(|error| error.to_string())?;
        if file.sources.is_empty() {
            return Err("`sources` names no page of the vendor".to_owned());
        }
        let compile = |member: &str, source: &str| {
            Expr::compile(source).map_err(|error| format!("`{member}`: {error}"))
        };
        let controls = match (&file.controls, file.apply) {
            (Some(source), Some(apply)) => Some((compile("controls", source)?, apply)),
            (None, None) => None,
            _ => return Err("`controls` and `apply` go together".to_owned()),
        };
        let postings: Result<Vec<Pattern>, String> =
            file.postings.iter().map(|text| Pattern::read(text)).collect();
        Ok(Board {
            name: name.to_owned(),
            postings: postings?,
            posting: compile("posting", &file.posting)?,
            job: compile("job", &file.job)?,
            read: file.read,
            answers: file.answers,
            page: file.page,
            controls,
        })
    }
}

impl OnBoard<'_> {
    /// What an answer of the board says of the posting; `None` where it says that there is none.
    ///
    /// # Errors
    ///
    /// What about the answer is not as the board's file expects it.
    pub fn posted(&self, body: &[u8]) -> Result<Option<Posted>, String> {
        let answer = match self.board.answers {
            Answers::Json => serde_json::from_slice(body).map_err(|error| error.to_string())?,
            Answers::Xml => xml::value(body),
        };
        let posting = self.run(&self.board.posting, &answer)?;
        if posting.is_null() {
            return Ok(None);
        }
        let form = match &self.board.controls {
            Some((controls, apply)) => Some(self.form(controls, apply, &posting)?),
            None => None,
        };
        let job = job::job(&self.run(&self.board.job, &posting)?);
        let page = self.board.page.as_ref().map(|page| filled(page, &self.named));
        Ok(Some(Posted { job, form, page: page.and_then(|page| Url::parse(&page).ok()) }))
    }

    fn run(&self, expression: &Expr, input: &Value) -> Result<Value, String> {
        let vars = Vars::new().with("settings", &self.named);
        let found = expression.first(input, &vars).map_err(|error| error.to_string())?;
        Ok(found.map_or(Value::Null, std::borrow::Cow::into_owned))
    }

    fn form(
        &self,
        controls: &Expr,
        apply: &Apply,
        posting: &Value,
    ) -> Result<(Form, Box<Sheet>), String> {
        let described = self.run(controls, posting)?;
        let described: Vec<Described> =
            serde_json::from_value(described).map_err(|error| error.to_string())?;
        let target =
            Url::parse(&filled(&apply.url, &self.named)).map_err(|error| error.to_string())?;
        let sheet = Sheet {
            at: 0,
            target: Some(target),
            is_post: true,
            encoding: match apply.encoding {
                Encoding::Multipart => Written::Multipart,
                Encoding::Pairs => Written::Pairs,
            },
            charset: UTF_8,
            controls: described.into_iter().map(Described::control).collect(),
            button: None,
            signs: Vec::new(),
        };
        Ok((sheet.form(false), Box::new(sheet)))
    }
}

impl Described {
    fn control(self) -> Control {
        let listed = |one: Offered| Listed { value: one.value, label: one.label, chosen: false };
        Control {
            kind: self.kind,
            name: self.name,
            label: self.label,
            description: self.description,
            value: self.value,
            required: self.required,
            multiple: self.multiple,
            options: self.options.into_iter().map(listed).collect(),
            accept: self.accept,
            ..Control::default()
        }
    }
}

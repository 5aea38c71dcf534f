//! What a body may hold: the description that validation and the OpenAPI document work from.

/// A kind of value that callers send.
#[derive(Debug, Clone, Copy)]
pub enum Input {
    /// Text.
    Text,
    /// Text that is not empty.
    Filled,
    /// A number, not below the bound where there is one.
    Number(Option<i64>),
    /// A whole number between the two, both included.
    Whole(i64, i64),
    /// True or false.
    Boolean,
    /// One of these.
    Choice(&'static [&'static str]),
    /// A word, of which these are known.
    Open(&'static [&'static str]),
    /// A number or a text.
    NumberOrText,
    /// An e-mail address.
    Email,
    /// An absolute URL.
    Url,
    /// A country: ISO 3166-1 alpha-2 in upper case.
    Country,
    /// A calendar day, as a day or as a moment on it.
    Day,
    /// A moment, or a day for its midnight.
    Moment,
    /// A time of day.
    TimeOfDay,
    /// A language: two or three letters, with a country at will.
    Language,
    /// A media type.
    MediaType,
    /// Bytes, as base64.
    Base64,
    /// The id of a record of the model; `remote:` and its id in the tool do as well.
    Id(&'static str),
    /// An object with these fields.
    Object(&'static [InputField]),
    /// A file: an object with these fields, of which `data` or `data_url` is there.
    File(&'static [InputField]),
    /// A list, of at most so many.
    List(&'static Input, usize),
    /// An object with anything in it.
    Free,
    /// Anything.
    Any,
    /// One of several objects, told apart by the field `type`.
    OneOf(&'static [(&'static str, &'static [InputField])]),
    /// No field of this name: objects under the names of tools. The one of the integration's tool must be
    /// there, and its connector declares what it holds.
    OfTool,
    /// An answer to a screening question: a text, number, boolean, list of texts, or file.
    Reply,
}

/// One field of an object that callers send.
#[derive(Debug, Clone, Copy)]
pub struct InputField {
    /// Name on the wire.
    pub name: &'static str,
    /// The kind of its value.
    pub kind: Input,
    /// What it means.
    pub doc: &'static str,
    /// Whether it must be there.
    pub required: bool,
    /// Whether it may be null.
    pub nullable: bool,
    /// What it is where it is left out.
    pub preset: Preset,
    /// Whether it should not be used any more.
    pub deprecated: bool,
}

/// What a field is where it is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preset {
    /// Absent.
    Nothing,
    /// This text.
    Text(&'static str),
    /// False.
    False,
    /// An empty list.
    Empty,
}

impl InputField {
    /// The same field with a value for when it is left out.
    pub(super) const fn preset(mut self, preset: Preset) -> Self {
        self.preset = preset;
        self
    }

    /// The same field, which may be null.
    pub(super) const fn or_null(mut self) -> Self {
        self.nullable = true;
        self
    }

    /// The same field, which should not be used any more.
    pub(super) const fn deprecated(mut self) -> Self {
        self.deprecated = true;
        self
    }
}

/// A field that must be there.
pub(super) const fn must(name: &'static str, kind: Input, doc: &'static str) -> InputField {
    InputField { required: true, ..may(name, kind, doc) }
}

/// A field that may be left out.
pub(super) const fn may(name: &'static str, kind: Input, doc: &'static str) -> InputField {
    InputField {
        name,
        kind,
        doc,
        required: false,
        nullable: false,
        preset: Preset::Nothing,
        deprecated: false,
    }
}

/// A file.
pub static FILE: &[InputField] = &[
    must("name", Input::Text, "Name of the file, with its ending."),
    may("content_type", Input::MediaType, "Media type; needed together with `data`."),
    may("data_url", Input::Url, "Where the file can be fetched without credentials."),
    may("data", Input::Base64, "The file itself."),
];

/// A file of a kind.
pub static TYPED_FILE: &[InputField] = &[
    must("name", Input::Text, "Name of the file, with its ending."),
    must("type", Input::Choice(&["CV", "COVER_LETTER", "OTHER"]), "What the file is."),
    may("content_type", Input::MediaType, "Media type; needed together with `data`."),
    may("data_url", Input::Url, "Where the file can be fetched without credentials."),
    may("data", Input::Base64, "The file itself."),
];

/// A form of parts that is passed through to a tool.
pub static MULTIPART: &[InputField] = &[may(
    "multipart_form_data",
    Input::List(
        &Input::Object(&[
            must("name", Input::Filled, "Name of the part."),
            must("value", Input::Reply, "Text, or a file."),
        ]),
        100,
    ),
    "The parts.",
)];

/// What only one tool understands.
pub(super) const REMOTE_FIELDS: InputField =
    may("remote_fields", Input::Free, "By tool: what only that tool understands.");

//! A connector: a checked manifest, ready to be used.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use cadre_jq::Vars;

use crate::manifest::{self, ActionSection, Aside, LiveSection, Manifest, StreamSection};
use crate::page::{Paging, Single};
use crate::problem::Problem;
use serde_json::Value;

/// A connector: a checked manifest, ready to be used.
#[derive(Debug)]
pub struct Connector {
    manifest: Manifest,
    /// The streams, then the live reads, which are asked in the same way.
    all: Vec<Stream>,
    /// How many of them are streams.
    streams: usize,
    live: Vec<Live>,
    /// What is asked beside them, by place in the manifest.
    asides: Vec<String>,
    actions: BTreeMap<String, ActionSection>,
}

/// A live read of a connector.
#[derive(Debug)]
pub struct Live {
    /// Id of the operation.
    pub operation: String,
    /// How a record becomes an item of the answer: a mapping table without `from`.
    pub map: Value,
}

/// A stream of a connector.
#[derive(Debug)]
pub struct Stream {
    pub(crate) name: Arc<str>,
    /// The section of the manifest it stands in.
    within: &'static str,
    pub(crate) section: StreamSection,
    /// The streams whose sub-requests hang on this one's records.
    pub(crate) children: Vec<usize>,
    /// The keys of `records`, when it is a plain path: then the records are taken, not copied.
    pub(crate) records_path: Option<Vec<String>>,
}

impl Connector {
    /// Loads and checks a connector folder.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with `connector.yaml`, with file, line and hint.
    pub fn load(folder: &Path) -> Result<Connector, Vec<Problem>> {
        manifest::load(folder)
    }

    /// Reads and checks the text of a `connector.yaml` by itself: whether every stream is used is not
    /// looked at, because the mappings are not there.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it.
    pub fn parse(text: &str) -> Result<Connector, Vec<Problem>> {
        manifest::parse(text, None, None)
    }

    pub(crate) fn build(mut manifest: Manifest) -> Connector {
        let mut sections = std::mem::take(&mut manifest.streams);
        let aside_sections = asides(&mut manifest, &mut sections);
        let asides = aside_sections.iter().map(|(name, _)| name.clone()).collect();
        let names: Vec<String> = sections.keys().cloned().collect();
        let mut live = Vec::new();
        let mut asked = Vec::new();
        for (operation, section) in std::mem::take(&mut manifest.live) {
            let LiveSection { request, response, paging, errors, map } = section;
            let paging = paging.or_else(|| Some(Paging::None(Single {})));
            let request = Some(request);
            asked.push((
                operation.clone(),
                StreamSection { request, response, paging, errors, ..StreamSection::default() },
            ));
            live.push(Live { operation, map });
        }
        let streams = sections.into_iter().map(|(name, section)| ("streams", name, section));
        let asked = asked.into_iter().map(|(name, section)| ("live", name, section));
        let beside = aside_sections.into_iter().map(|(name, section)| ("", name, section));
        let mut all: Vec<Stream> = streams
            .chain(asked)
            .chain(beside)
            .map(|(within, name, section)| {
                let source = section
                    .response
                    .records
                    .as_ref()
                    .map_or(".", |records| records.expr().source());
                let records_path = plain_path(source);
                Stream { name: name.into(), within, section, children: Vec::new(), records_path }
            })
            .collect();
        for at in 0..all.len() {
            let parent =
                all[at].parent().and_then(|parent| names.iter().position(|name| name == parent));
            if let Some(parent) = parent {
                all[parent].children.push(at);
            }
        }
        Connector { manifest, all, streams: names.len(), live, asides, actions: BTreeMap::new() }
    }

    /// The slug of the tool.
    #[must_use]
    pub fn tool(&self) -> &str {
        &self.manifest.tool
    }

    /// The manifest. Its `streams` have moved to [`Connector::streams`].
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The streams, in the order of the manifest.
    #[must_use]
    pub fn streams(&self) -> &[Stream] {
        &self.all[..self.streams]
    }

    /// The live reads.
    #[must_use]
    pub fn live(&self) -> &[Live] {
        &self.live
    }

    /// Reads and checks the text of an action and adds it under its id. `file` is for people.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it.
    pub fn add_action(&mut self, id: &str, file: &str, text: &str) -> Result<(), Vec<Problem>> {
        let section = manifest::action(&self.manifest, file, text)?;
        let strange = section.records.keys().filter(|name| self.stream(name).is_none());
        let strange =
            strange.map(|name| Problem::new(file, format!("there is no stream `{name}`")));
        let strange: Vec<Problem> = strange.collect();
        if !strange.is_empty() {
            return Err(strange);
        }
        self.actions.insert(id.to_owned(), section);
        Ok(())
    }

    /// The actions, by id.
    #[must_use]
    pub fn actions(&self) -> &BTreeMap<String, ActionSection> {
        &self.actions
    }

    /// The streams, then the live reads.
    pub(crate) fn all(&self) -> &[Stream] {
        &self.all
    }

    /// A stream by its name.
    #[must_use]
    pub fn stream(&self, name: &str) -> Option<&Stream> {
        self.streams().iter().find(|stream| &*stream.name == name)
    }

    pub(crate) fn index(&self, name: &str) -> Option<usize> {
        self.streams().iter().position(|stream| &*stream.name == name)
    }

    pub(crate) fn live_index(&self, operation: &str) -> Option<usize> {
        let at = self.live.iter().position(|live| live.operation == operation)?;
        Some(self.streams + at)
    }

    pub(crate) fn aside_index(&self, name: &str) -> Option<usize> {
        let at = self.asides.iter().position(|aside| aside == name)?;
        Some(self.streams + self.live.len() + at)
    }

    /// Whether one record of a stream can be asked for.
    #[must_use]
    pub fn knows_one(&self, stream: &str) -> bool {
        self.aside_index(&one_of(stream)).is_some()
    }

    /// Whether the tool can be asked to tell what happens.
    #[must_use]
    pub fn subscribes(&self) -> bool {
        self.aside_index(SUBSCRIBE).is_some()
    }

    /// The stream that a stream of sub-requests hangs on in the end; a root stream itself.
    pub(crate) fn root<'a>(&'a self, name: &'a str) -> &'a str {
        let mut root = name;
        while let Some(parent) = self.stream(root).and_then(Stream::parent) {
            root = parent;
        }
        root
    }

    /// The streams from below the root down to a stream of sub-requests.
    pub(crate) fn path_to(&self, name: &str) -> Vec<usize> {
        let mut path = Vec::new();
        let mut at = self.index(name);
        while let Some(here) = at {
            let Some(parent) = self.all[here].parent() else { break };
            path.push(here);
            at = self.index(parent);
        }
        path.reverse();
        path
    }

    /// Whether the tool can be asked not to tell any more.
    #[must_use]
    pub fn unsubscribes(&self) -> bool {
        self.aside_index(UNSUBSCRIBE).is_some()
    }

    /// A stream and everything that hangs on it.
    #[must_use]
    pub fn family(&self, name: &str) -> Vec<String> {
        let mut found = Vec::new();
        let mut open: Vec<usize> = self.index(name).into_iter().collect();
        while let Some(at) = open.pop() {
            found.push(self.all[at].name().to_owned());
            open.extend(&self.all[at].children);
        }
        found
    }
}

impl Stream {
    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it stands in the manifest.
    pub(crate) fn place(&self) -> String {
        match self.within {
            "" => self.name.to_string(),
            within => format!("{within}.{}", self.name),
        }
    }

    /// The stream whose records are asked for one by one, if this one consists of sub-requests.
    #[must_use]
    pub fn parent(&self) -> Option<&str> {
        self.section.each.as_ref().map(|each| each.stream.as_str())
    }

    /// Whether a missing permission is an issue of the run instead of its failure.
    #[must_use]
    pub fn is_optional(&self) -> bool {
        self.section.optional
    }

    /// By how many milliseconds its reads of what changed overlap; `None` if it cannot tell what changed.
    #[must_use]
    pub fn delta_overlap_ms(&self) -> Option<i64> {
        self.section.delta.as_ref().map(|delta| i64::from(delta.overlap_minutes) * 60_000)
    }

    /// Whether old records may be left out where somebody wants recent data only.
    #[must_use]
    pub fn can_be_bounded(&self) -> bool {
        self.section.delta.as_ref().is_some_and(|delta| delta.recent)
    }

    /// Whether its records say when they changed.
    #[must_use]
    pub fn has_mark(&self) -> bool {
        self.section.delta.as_ref().is_some_and(|delta| delta.mark.is_some())
    }

    /// When a record of the stream last changed, by the tool's clock, in milliseconds since 1970. A time
    /// without an offset is taken as UTC.
    #[must_use]
    pub fn mark(&self, record: &Value) -> Option<i64> {
        let mark = self.section.delta.as_ref()?.mark.as_ref()?;
        match mark.value(record, &Vars::new()).ok()? {
            Value::String(text) => moment_ms(text.trim()),
            Value::Number(number) => number.as_i64(),
            _ => None,
        }
    }

    /// What the manifest says.
    #[must_use]
    pub fn section(&self) -> &StreamSection {
        &self.section
    }
}

/// Name of the request that asks a tool to tell what happens.
pub(crate) const SUBSCRIBE: &str = "webhooks.subscribe";

/// Name of the request that asks a tool not to tell any more.
pub(crate) const UNSUBSCRIBE: &str = "webhooks.unsubscribe";

/// Name of the request for one record of a stream.
pub(crate) fn one_of(stream: &str) -> String {
    format!("streams.{stream}.one")
}

/// Takes out what is asked beside the streams: it is asked as live reads are.
fn asides(
    manifest: &mut Manifest,
    streams: &mut indexmap::IndexMap<String, StreamSection>,
) -> Vec<(String, StreamSection)> {
    let ones =
        streams.iter_mut().filter_map(|(name, section)| Some((one_of(name), section.one.take()?)));
    let mut found: Vec<(String, Aside)> = ones.collect();
    let subscribe = manifest.webhooks.as_mut().and_then(|hooks| hooks.subscribe.take());
    found.extend(subscribe.map(|subscribe| (SUBSCRIBE.to_owned(), subscribe)));
    let unsubscribe = manifest.webhooks.as_mut().and_then(|hooks| hooks.unsubscribe.take());
    found.extend(unsubscribe.map(|unsubscribe| (UNSUBSCRIBE.to_owned(), unsubscribe)));
    let section = |(name, aside): (String, Aside)| {
        let Aside { request, response, errors } = aside;
        let paging = Some(Paging::None(Single {}));
        let request = Some(request);
        let section = StreamSection { request, response, paging, errors, ..Default::default() };
        (name, section)
    };
    found.into_iter().map(section).collect()
}

fn moment_ms(text: &str) -> Option<i64> {
    if let Ok(moment) = text.parse::<jiff::Timestamp>() {
        return Some(moment.as_millisecond());
    }
    let civil = text.parse::<jiff::civil::DateTime>().ok()?;
    Some(civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_millisecond())
}

/// The keys of a path like `.data.items`; `None` for any other expression.
fn plain_path(source: &str) -> Option<Vec<String>> {
    let source = source.trim();
    if source == "." {
        return Some(Vec::new());
    }
    let keys: Vec<String> = source.strip_prefix('.')?.split('.').map(str::to_owned).collect();
    let plain = |key: &String| {
        key.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
            && key.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
    };
    keys.iter().all(plain).then_some(keys)
}

#[cfg(test)]
mod tests {
    use super::plain_path;

    #[test]
    fn plain_paths_are_recognised() {
        assert_eq!(plain_path("."), Some(vec![]));
        assert_eq!(plain_path(" .data.items "), Some(vec!["data".to_owned(), "items".to_owned()]));
        for other in [".data[]", ".data // []", ".[\"a\"]", "$settings", ".a..b", "..", ".1"] {
            assert_eq!(plain_path(other), None, "{other}");
        }
    }
}

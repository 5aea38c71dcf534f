//! The connectors that this process knows.
//!
//! A connector is found by its folder; nothing else is edited to add one. Folders come with the
//! binary or from a directory of the operator's own, which goes over the built-in ones by name.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, OnceLock};

use cadre_connector::{Connector, Failure, Problem};
use cadre_map::{Mapping, Overlay};
use cadre_model::action::{action, actions};
use cadre_model::fault::Code;
use cadre_model::live::live_read;
use cadre_store::Integration;

/// The text files of a connector folder, by path inside it.
#[derive(Debug, Clone, Default)]
pub struct Folder {
    /// Name of the folder, which is the slug of the tool.
    pub name: String,
    /// Content by path: `connector.yaml`, `map/hris_employees.yaml`, `README.md`.
    pub files: BTreeMap<String, String>,
}

impl Folder {
    /// Reads a folder from disk; cases are left out, they are read when they are run.
    ///
    /// # Errors
    ///
    /// When the folder cannot be read.
    pub fn read(directory: &Path) -> std::io::Result<Folder> {
        let name = directory
            .canonicalize()?
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let mut files = BTreeMap::new();
        for prefix in ["", "map/", "actions/"] {
            let folder = directory.join(prefix);
            if !folder.is_dir() {
                continue;
            }
            for entry in std::fs::read_dir(folder)? {
                let entry = entry?;
                let file = entry.file_name().to_string_lossy().into_owned();
                if entry.file_type()?.is_file()
                    && (file.ends_with(".yaml") || file.ends_with(".md"))
                {
                    files.insert(format!("{prefix}{file}"), std::fs::read_to_string(entry.path())?);
                }
            }
        }
        Ok(Folder { name, files })
    }
}

/// A connector with its mapping.
pub struct Entry {
    /// The connector.
    pub connector: Arc<Connector>,
    /// Its mapping, one per model.
    pub maps: Vec<Mapping>,
    /// What it can be asked live, by operation, and how an answer is read.
    pub live: BTreeMap<&'static str, Mapping>,
    /// The README of its folder.
    pub readme: String,
    /// The files of its mapping by model, as they are written.
    pub map_files: BTreeMap<String, String>,
}

impl Entry {
    /// Loads a connector and its mapping.
    ///
    /// # Errors
    ///
    /// Every problem that was found, each with its file and line.
    pub fn load(folder: &Folder) -> Result<Entry, Vec<Problem>> {
        let manifest = folder.files.get("connector.yaml").map(String::as_str);
        let mut problems = Vec::new();
        let connector = match manifest {
            Some(text) => Connector::parse(text)
                .map_err(|found| {
                    problems
                        .extend(found.into_iter().map(|problem| in_folder(&folder.name, problem)))
                })
                .ok(),
            None => {
                problems.push(problem(
                    format!("{}/connector.yaml", folder.name),
                    "the file is missing",
                    "a connector folder has a connector.yaml; see docs/guide/connector-format.md",
                ));
                None
            }
        };
        let mut connector = connector;
        if let Some(connector) = &mut connector {
            problems.extend(add_actions(folder, connector));
        }
        if let Some(connector) =
            connector.as_ref().filter(|connector| connector.tool() != folder.name)
        {
            problems.push(problem(
                format!("{}/connector.yaml", folder.name),
                &format!("`tool` is \"{}\", the folder is \"{}\"", connector.tool(), folder.name),
                "the two must be equal",
            ));
        }
        let mut maps = Vec::new();
        for (path, text) in folder.files.iter().filter(|(path, _)| path.starts_with("map/")) {
            let file = format!("{}/{path}", folder.name);
            match Mapping::parse(&file, text) {
                Ok(map) => maps.push(map),
                Err(found) => problems.extend(found.into_iter().map(|found| Problem {
                    file: found.file,
                    line: found.line,
                    message: found.message,
                    hint: found.hint,
                })),
            }
        }
        if let Some(connector) = &connector {
            problems.extend(streams_fit(&folder.name, connector, &maps));
        }
        let live = connector.as_ref().map(|connector| live(&folder.name, connector, &mut problems));
        match connector {
            Some(connector) if problems.is_empty() => Ok(Entry {
                connector: Arc::new(connector),
                maps,
                live: live.unwrap_or_default(),
                readme: folder.files.get("README.md").cloned().unwrap_or_default(),
                map_files: map_files(folder),
            }),
            _ => Err(problems),
        }
    }

    /// The slug of the tool.
    #[must_use]
    pub fn tool(&self) -> &str {
        self.connector.tool()
    }

    /// The mapping of one integration: the connector's, with the integration's own over it.
    ///
    /// # Errors
    ///
    /// Words that say what is wrong with the integration's own mapping.
    pub fn maps_for(&self, integration: &Integration) -> Result<Vec<Mapping>, String> {
        let Some(own) = &integration.mapping else { return Ok(self.maps.clone()) };
        let overlay = Overlay::parse(own).map_err(|problems| {
            let words: Vec<String> = problems.iter().map(ToString::to_string).collect();
            format!("The integration's own mapping cannot be used: {}", words.join("; "))
        })?;
        Ok(self.maps.iter().map(|map| map.with(&overlay)).collect())
    }

    /// The models that the connector maps, each with the fields it fills.
    #[must_use]
    pub fn coverage(&self) -> BTreeMap<&'static str, BTreeSet<String>> {
        self.maps.iter().map(|map| (map.model().id, map.offered_fields())).collect()
    }

    /// Whether the connector maps the model.
    #[must_use]
    pub fn covers(&self, model: &str) -> bool {
        self.maps.iter().any(|map| map.model().id == model)
    }

    /// The streams without a parent that must be read to fill the models, in manifest order.
    #[must_use]
    pub fn roots_feeding(&self, models: &BTreeSet<&'static str>) -> Vec<String> {
        let wanted: BTreeSet<String> = self
            .maps
            .iter()
            .filter(|map| models.contains(map.model().id))
            .flat_map(|map| map.streams())
            .map(|stream| self.root_of(stream))
            .collect();
        let names = self.connector.streams().iter().map(cadre_connector::Stream::name);
        names.filter(|name| wanted.contains(*name)).map(str::to_owned).collect()
    }

    /// The stream whose pages bring the stream along.
    #[must_use]
    pub fn root_of(&self, stream: &str) -> String {
        let mut root = stream;
        while let Some(parent) = self.connector.stream(root).and_then(|stream| stream.parent()) {
            root = parent;
        }
        root.to_owned()
    }

    /// Whether a failure of the stream does not make a run fail.
    #[must_use]
    pub fn may_be_missing(&self, stream: &str, failure: &Failure) -> bool {
        failure.fault.code == Code::IntegrationPermissionMissing
            && self.connector.stream(stream).is_some_and(|stream| stream.is_optional())
    }
}

/// The mapping files of a folder by model.
fn map_files(folder: &Folder) -> BTreeMap<String, String> {
    let files = folder.files.iter();
    let maps = files.filter_map(|(path, text)| {
        let model = path.strip_prefix("map/")?.strip_suffix(".yaml")?;
        Some((model.to_owned(), text.clone()))
    });
    maps.collect()
}

fn problem(file: String, message: &str, hint: &str) -> Problem {
    Problem { file, line: None, message: message.to_owned(), hint: Some(hint.to_owned()) }
}

/// A connector names its file only; people look for it in its folder.
fn in_folder(folder: &str, problem: Problem) -> Problem {
    Problem { file: format!("{folder}/{}", problem.file), ..problem }
}

/// How the answers of live reads are read.
fn live(
    folder: &str,
    connector: &Connector,
    problems: &mut Vec<Problem>,
) -> BTreeMap<&'static str, Mapping> {
    let mut found = BTreeMap::new();
    for live in connector.live() {
        // An operation that is not known has been complained about.
        let Some(read) = live_read(&live.operation) else { continue };
        let file = format!("{folder}/connector.yaml");
        match Mapping::table(read.answer, &file, &live.map) {
            Ok(map) => {
                found.insert(read.id, map);
            }
            Err(wrong) => problems.extend(wrong.into_iter().map(|wrong| Problem {
                file: wrong.file,
                line: wrong.line,
                message: format!("live.{}.map: {}", read.id, wrong.message),
                hint: wrong.hint,
            })),
        }
    }
    found
}

/// Adds the actions of a folder.
fn add_actions(folder: &Folder, connector: &mut Connector) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (path, text) in &folder.files {
        let Some(id) = path.strip_prefix("actions/").and_then(|name| name.strip_suffix(".yaml"))
        else {
            continue;
        };
        let file = format!("{}/{path}", folder.name);
        if action(id).is_none() {
            let known: Vec<&str> = actions().map(|action| action.id).collect();
            let hint = format!("there are: {}", known.join(", "));
            problems.push(problem(file, &format!("`{id}` is no action"), &hint));
        } else if let Err(wrong) = connector.add_action(id, &file, text) {
            problems.extend(wrong);
        }
    }
    problems
}

/// Every stream that a mapping reads must be there, and every stream must be used.
fn streams_fit(folder: &str, connector: &Connector, maps: &[Mapping]) -> Vec<Problem> {
    let names: Vec<&str> = connector.streams().iter().map(|stream| stream.name()).collect();
    let mut problems = Vec::new();
    for map in maps {
        for stream in map.streams().filter(|stream| !names.contains(stream)) {
            problems.push(problem(
                format!("{folder}/map/{}.yaml", map.model().id),
                &format!("`from: {stream}` names no stream of connector.yaml"),
                &format!("the streams are {}", names.join(", ")),
            ));
        }
    }
    let manifest = connector.manifest();
    let mut used: BTreeSet<&str> = maps.iter().flat_map(|map| map.streams()).collect();
    used.extend(manifest.lookups.values().map(|lookup| lookup.stream.as_str()));
    used.extend(connector.streams().iter().filter_map(|stream| stream.parent()));
    used.extend(manifest.check.iter().filter_map(|check| check.stream.as_deref()));
    for name in names.iter().filter(|name| !used.contains(*name)) {
        problems.push(problem(
            format!("{folder}/connector.yaml"),
            &format!("nothing uses the stream `{name}`"),
            "map it, name it under `lookups`, `each` or `check`, or take it away",
        ));
    }
    problems
}

/// The connectors by tool.
#[derive(Default)]
pub struct Catalog {
    places: BTreeMap<String, Place>,
}

/// A connector that is loaded when it is first asked for: most processes need few of them.
struct Place {
    folder: Folder,
    entry: OnceLock<Option<Arc<Entry>>>,
}

impl Place {
    fn entry(&self) -> Option<&Arc<Entry>> {
        let load = || match Entry::load(&self.folder) {
            Ok(entry) => Some(Arc::new(entry)),
            Err(problems) => {
                for problem in problems {
                    tracing::error!(
                        tool = self.folder.name,
                        "a connector cannot be used: {problem}"
                    );
                }
                None
            }
        };
        self.entry.get_or_init(load).as_ref()
    }
}

impl Catalog {
    /// Loads every folder; a later one of the same name goes over an earlier one.
    ///
    /// # Errors
    ///
    /// Every problem of every folder.
    pub fn load(folders: impl IntoIterator<Item = Folder>) -> Result<Catalog, Vec<Problem>> {
        let mut places = BTreeMap::new();
        let mut problems = Vec::new();
        for folder in folders {
            match Entry::load(&folder) {
                Ok(entry) => {
                    let entry = OnceLock::from(Some(Arc::new(entry)));
                    places.insert(folder.name.clone(), Place { folder, entry });
                }
                Err(found) => problems.extend(found),
            }
        }
        if problems.is_empty() { Ok(Catalog { places }) } else { Err(problems) }
    }

    /// Adds folders that are known to be right, such as those that come with the binary: each is loaded when
    /// it is first asked for. One whose name is there already is left out.
    #[must_use]
    pub fn with_checked(mut self, folders: impl IntoIterator<Item = Folder>) -> Catalog {
        for folder in folders {
            let place = Place { folder, entry: OnceLock::new() };
            self.places.entry(place.folder.name.clone()).or_insert(place);
        }
        self
    }

    /// The connector of a tool.
    #[must_use]
    pub fn get(&self, tool: &str) -> Option<Arc<Entry>> {
        self.places.get(tool)?.entry().cloned()
    }

    /// Every connector, by tool.
    pub fn entries(&self) -> impl Iterator<Item = &Arc<Entry>> {
        self.places.values().filter_map(Place::entry)
    }
}

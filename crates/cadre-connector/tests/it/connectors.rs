//! The connectors of this repository are sound. Their cases run where mappings are known.

use std::path::Path;

use cadre_connector::Connector;

#[test]
fn every_connector_loads() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../connectors");
    let mut wrong = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let folder = entry.path();
        if !folder.join("connector.yaml").exists() {
            continue;
        }
        if let Err(problems) = Connector::load(&folder) {
            let tool = entry.file_name().to_string_lossy().into_owned();
            wrong.extend(problems.iter().map(|problem| format!("{tool}/{problem}")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

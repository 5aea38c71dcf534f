//! Where the value of a field comes from, for people: the lines of the mapping file that say it.

use crate::node::{self, Key, Node, Tree};

/// The lines of a mapping file that fill one field from one stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldLines {
    /// The stream that the table reads.
    pub stream: String,
    /// The field or relation; `remote_id` for the id in the tool.
    pub field: String,
    /// The first line, counted from 1.
    pub line: usize,
    /// What the lines say, with the indentation of the first one taken away.
    pub text: String,
}

/// Every field of a mapping file with the lines that fill it. A text that is no mapping has none.
#[must_use]
pub fn field_lines(text: &str) -> Vec<FieldLines> {
    let Ok(root) = node::parse("map", text) else { return Vec::new() };
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    match &root.tree {
        Tree::List(tables) => tables.iter().for_each(|table| of_table(&lines, table, &mut found)),
        _ => of_table(&lines, &root, &mut found),
    }
    found
}

fn of_table(lines: &[&str], table: &Node, found: &mut Vec<FieldLines>) {
    let Tree::Map(entries) = &table.tree else { return };
    let get = |name: &str| entries.iter().find(|(key, _)| key.text == name);
    let stream = get("from").and_then(|(_, node)| match &node.tree {
        Tree::Scalar(value) => value.as_str().map(str::to_owned),
        _ => None,
    });
    let Some(stream) = stream else { return };
    let mut add = |key: &Key| {
        if let Some(text) = block(lines, key.line) {
            let (stream, field) = (stream.clone(), key.text.clone());
            found.push(FieldLines { stream, field, line: key.line, text });
        }
    };
    if let Some((key, _)) = get("remote_id") {
        add(key);
    }
    if let Some((_, Node { tree: Tree::Map(fields), .. })) = get("fields") {
        fields.iter().for_each(|(key, _)| add(key));
    }
}

/// The line of a key and those below it that stand further to the right.
fn block(lines: &[&str], line: usize) -> Option<String> {
    let first = lines.get(line.checked_sub(1)?)?;
    // The first key of a list item stands after its dash.
    let depth = |line: &str| line.len() - line.trim_start_matches([' ', '-']).len();
    let indent = depth(first);
    let below = lines[line..]
        .iter()
        .take_while(|line| line.trim().is_empty() || line.len() - line.trim_start().len() > indent);
    let mut block: Vec<&str> =
        std::iter::once(first).chain(below).map(|line| line.get(indent..).unwrap_or("")).collect();
    while block.last().is_some_and(|line| line.trim().is_empty()) {
        block.pop();
    }
    Some(block.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::field_lines;

    #[test]
    fn a_field_knows_its_lines() {
        let text = "from: people\nremote_id: .id\nfields:\n  first_name: .name\n  gender:\n    value: .sex\n\n    enum: {f: FEMALE}\n  groups: |-\n    [.a,\n     .b]\n";
        let found: Vec<_> = field_lines(text)
            .into_iter()
            .map(|of| (of.stream, of.field, of.line, of.text))
            .collect();
        let row = |field: &str, line, text: &str| {
            ("people".to_owned(), field.to_owned(), line, text.to_owned())
        };
        assert_eq!(
            found,
            [
                row("remote_id", 2, "remote_id: .id"),
                row("first_name", 4, "first_name: .name"),
                row("gender", 5, "gender:\n  value: .sex\n\n  enum: {f: FEMALE}"),
                row("groups", 9, "groups: |-\n  [.a,\n   .b]"),
            ]
        );
    }

    #[test]
    fn a_list_of_tables_has_the_fields_of_each() {
        let text = "- from: a\n  remote_id: .id\n  fields:\n    name: .n\n- from: b\n  remote_id: .key\n  fields:\n    name: .m\n";
        let found: Vec<_> =
            field_lines(text).into_iter().map(|of| (of.stream, of.field, of.line)).collect();
        let row = |stream: &str, field: &str, line| (stream.to_owned(), field.to_owned(), line);
        assert_eq!(
            found,
            [
                row("a", "remote_id", 2),
                row("a", "name", 4),
                row("b", "remote_id", 6),
                row("b", "name", 8)
            ]
        );
        assert!(field_lines("- 1").is_empty() && field_lines(": :").is_empty());
    }
}

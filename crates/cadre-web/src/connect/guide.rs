//! The part of a connector's README that the end customer reads: how to find what the form asks for.

use pulldown_cmark::{Event, Parser, Tag, TagEnd, html};

/// Headings under which connectors say it.
const HEADINGS: &[&str] = &["before you connect", "connect"];

/// The guide as HTML; none where the README has no such part. HTML that stands in the README is left
/// out, headings become small ones.
pub(super) fn guide(readme: &str) -> Option<String> {
    rendered(part(readme)?)
}

/// A text of a connector as HTML, by the same rules; none where it is empty.
pub(super) fn rendered(part: &str) -> Option<String> {
    if part.trim().is_empty() {
        return None;
    }
    let mut out = String::new();
    let events = Parser::new(part).filter_map(|event| match event {
        Event::Html(_) | Event::InlineHtml(_) => None,
        // A page of the end customer loads nothing from elsewhere.
        Event::Start(Tag::Image { .. }) | Event::End(TagEnd::Image) => None,
        Event::Start(Tag::Heading { .. }) => Some(Event::Start(Tag::Paragraph)),
        Event::End(TagEnd::Heading(_)) => Some(Event::End(TagEnd::Paragraph)),
        other => Some(other),
    });
    html::push_html(&mut out, events);
    Some(out)
}

fn part(readme: &str) -> Option<&str> {
    let mut at = 0;
    let mut begins = None;
    for line in readme.split_inclusive('\n') {
        if let Some(heading) = line.strip_prefix("## ") {
            if let Some(begin) = begins {
                return Some(&readme[begin..at]);
            }
            if HEADINGS.contains(&heading.trim().to_ascii_lowercase().as_str()) {
                begins = Some(at + line.len());
            }
        }
        at += line.len();
    }
    begins.map(|begin| &readme[begin..])
}

#[cfg(test)]
mod tests {
    use super::guide;

    #[test]
    fn the_right_part_is_shown_without_its_html() {
        let readme = "# X\n\nWords.\n\n## Before you connect\n\n1. Open **Settings**.\n\n\
                      <script>alert(1)</script>\n\n## What is read\n\nMuch.\n";
        let shown = guide(readme).expect("a guide");
        assert_eq!(shown.trim(), "<ol>\n<li>Open <strong>Settings</strong>.</li>\n</ol>");
        assert!(guide("# X\n\n## What is read\n").is_none());
    }
}

//! A connector's README as a page shows it. It comes from a file of an operator or of this project,
//! and is not trusted all the same: markup in it is shown as text, and links lead to web pages only.

use std::fmt;

use askama::filters::HtmlSafe;
use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, TagEnd, html};

/// A README as HTML.
#[derive(Debug)]
pub(super) struct Readme(String);

impl Readme {
    /// Renders a README. Its title is left out, and its headings stand below those of the page.
    pub(super) fn of(markdown: &str) -> Readme {
        let options = Options::ENABLE_TABLES;
        let mut in_title = false;
        let events = Parser::new_ext(markdown, options).filter_map(|event| {
            match &event {
                Event::Start(Tag::Heading { level, .. }) if *level as usize == 1 => in_title = true,
                Event::End(TagEnd::Heading(level)) if *level as usize == 1 => {
                    in_title = false;
                    return None;
                }
                _ => {}
            }
            (!in_title).then(|| tame(event))
        });
        let mut text = String::new();
        html::push_html(&mut text, events);
        Readme(text)
    }
}

/// Takes out of an event what could do something.
fn tame(event: Event<'_>) -> Event<'_> {
    match event {
        Event::Html(text) | Event::InlineHtml(text) => Event::Text(text),
        Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
            let dest_url = safe(dest_url);
            Event::Start(Tag::Link { link_type, dest_url, title, id })
        }
        // Pictures would be fetched from elsewhere: their words are enough.
        Event::Start(Tag::Image { link_type, dest_url, title, id }) => {
            let dest_url = safe(dest_url);
            Event::Start(Tag::Link { link_type, dest_url, title, id })
        }
        Event::End(TagEnd::Image) => Event::End(TagEnd::Link),
        event => event,
    }
}

fn safe(url: CowStr<'_>) -> CowStr<'_> {
    let is_web = url.starts_with("https://") || url.starts_with("http://");
    if is_web || url.starts_with('#') { url } else { CowStr::Borrowed("#") }
}

impl fmt::Display for Readme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl HtmlSafe for Readme {}

#[cfg(test)]
mod tests {
    use super::Readme;

    #[test]
    fn a_readme_becomes_a_page() {
        let html = Readme::of(
            "# Tool\n\nReads *people*.\n\n## Connect\n\n| a | b |\n|---|---|\n| 1 | 2 |\n",
        );
        let html = html.to_string();
        assert!(html.starts_with("<p>Reads <em>people</em>.</p>"), "{html}");
        assert!(html.contains("<h2>Connect</h2>") && html.contains("<td>2</td>"), "{html}");
    }

    #[test]
    fn nothing_in_a_readme_can_do_something() {
        let text = "<script>alert(1)</script>\n\na <b onclick=x>b</b> [c](javascript:alert(1)) \
             ![d](https://evil.example/p.png) [e](data:text/html,x) [f](https://ok.example)";
        let html = Readme::of(text).to_string();
        for bad in ["<script", "<b ", "javascript:", "<img", "data:"] {
            assert!(!html.contains(bad), "{bad}: {html}");
        }
        assert!(html.contains("href=\"https://ok.example\""), "{html}");
    }
}

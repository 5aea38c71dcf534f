//! The robots rules of a host (RFC 9309), read for one visitor.

/// What a host allows to us.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Robots {
    /// Patterns of paths, and whether they are allowed.
    rules: Vec<(String, bool)>,
    /// The pause that the host asks for, in seconds.
    pub pause_seconds: Option<f64>,
}

impl Robots {
    /// Nothing is allowed.
    pub(super) fn nothing() -> Self {
        Self { rules: vec![("/".to_owned(), false)], pause_seconds: None }
    }

    /// Reads a file. The groups that name us count, or else those for everybody.
    pub(super) fn parse(text: &str, name: &str) -> Self {
        let (mut ours, mut all) = (None::<Robots>, Robots::default());
        let (mut to_us, mut to_all, mut in_names) = (false, false, false);
        for line in text.lines() {
            let line = line.split('#').next().unwrap_or_default();
            let Some((key, value)) = line.split_once(':') else { continue };
            let (key, value) = (key.trim().to_ascii_lowercase(), value.trim());
            if key == "user-agent" {
                if !in_names {
                    (to_us, to_all) = (false, false);
                }
                in_names = true;
                to_all |= value == "*";
                to_us |= value.eq_ignore_ascii_case(name);
                if to_us {
                    ours.get_or_insert_default();
                }
                continue;
            }
            if !matches!(key.as_str(), "allow" | "disallow" | "crawl-delay") {
                continue;
            }
            in_names = false;
            let groups = [ours.as_mut().filter(|_| to_us), Some(&mut all).filter(|_| to_all)];
            for group in groups.into_iter().flatten() {
                match key.as_str() {
                    "crawl-delay" => group.pause_seconds = value.parse().ok(),
                    _ if value.is_empty() => {}
                    allow => group.rules.push((value.to_owned(), allow == "allow")),
                }
            }
        }
        ours.unwrap_or(all)
    }

    /// Whether a path with its query may be asked for: the longest pattern decides, allowing where two
    /// are as long.
    pub(super) fn allows(&self, path: &str) -> bool {
        let fitting = self.rules.iter().filter(|(pattern, _)| fits(pattern, path));
        let decides = fitting.max_by_key(|(pattern, allowed)| (pattern.len(), *allowed));
        decides.is_none_or(|(_, allowed)| *allowed)
    }
}

/// Whether a path begins as the pattern says: `*` is anything, `$` at its end is the end of the path.
fn fits(pattern: &str, path: &str) -> bool {
    let (pattern, whole) = match pattern.strip_suffix('$') {
        Some(pattern) => (pattern, true),
        None => (pattern, false),
    };
    let mut pieces = pattern.split('*');
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = path.strip_prefix(first) else { return false };
    let mut open = false;
    for piece in pieces {
        open = piece.is_empty();
        match rest.find(piece) {
            Some(at) => rest = &rest[at + piece.len()..],
            None => return false,
        }
    }
    if !whole || open || rest.is_empty() {
        return true;
    }
    // The last piece may come again at the very end.
    let last = pattern.rsplit('*').next().unwrap_or_default();
    pattern.contains('*') && rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::{Robots, fits};

    #[test]
    fn patterns() {
        for (pattern, path, expected) in [
            ("/jobs", "/jobs/1", true),
            ("/jobs/", "/jobs", false),
            ("/*.pdf$", "/a/b.pdf", true),
            ("/*.pdf$", "/a/b.pdf?x", false),
            ("/*.pdf$", "/a.pdf/b.pdf", true),
            ("/a*c", "/abc/d", true),
            ("/a$", "/ab", false),
            ("/*", "/", true),
        ] {
            assert_eq!(fits(pattern, path), expected, "{pattern} {path}");
        }
    }

    #[test]
    fn our_group_counts_or_else_everybodys() {
        let text = "User-agent: Other\nDisallow: /\n\nUser-agent: *\nDisallow: /intern # ours\n\
                    Allow: /intern/jobs\nCrawl-delay: 2.5\n\nuser-agent: CADRE\nuser-agent: x\nDisallow: /secret\n";
        let all = Robots::parse(text, "somebody");
        assert!(!all.allows("/intern/a") && all.allows("/intern/jobs/1") && all.allows("/secret"));
        assert_eq!(all.pause_seconds, Some(2.5));
        let ours = Robots::parse(text, "cadre");
        assert!(ours.allows("/intern/a") && !ours.allows("/secret/1"));
        assert!(!Robots::nothing().allows("/"));
        assert!(Robots::parse("Disallow: /", "cadre").allows("/"), "no group");
    }
}
